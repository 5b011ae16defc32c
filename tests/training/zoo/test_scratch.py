"""The reference systems' own networks, their weights counted by hand from the reference's description."""

import numpy as np
import pytest
import torch
from torch import nn

from secondlook.errors import RecipeError
from secondlook.training.families import FAMILIES
from secondlook.training.recipe import Recipe
from secondlook.training.zoo import build_network
from secondlook.training.zoo.classifier import Classifier
from tests.training.tiny import make_recipe


def make(size_px: int | tuple[int, int], **model: object) -> Recipe:
    """Return a recipe of one size."""
    return make_recipe(
        model=model, stages=[{"epochs": 1, "size_px": size_px}], export={"input_size_px": size_px}, augmentation={}
    )


def build(size_px: int | tuple[int, int], *, classes: int, **model: object) -> Classifier:
    """Build a network without memory for its weights."""
    with torch.device("meta"):
        return build_network(make(size_px, **model), classes=classes)


def count(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def conv(inputs: int, outputs: int) -> int:
    return 3 * 3 * inputs * outputs + outputs


def dense(inputs: int, outputs: int) -> int:
    return inputs * outputs + outputs


def norm(width: int) -> int:
    return 2 * width


R1 = conv(3, 64) + conv(64, 64) + dense(56 * 56 * 64, 128) + dense(128, 2)
R2_DERMOSCOPY = (
    conv(3, 32) + conv(32, 32) + norm(32) + conv(32, 64) + norm(64) + conv(64, 64) + norm(64)
    + dense(18 * 25 * 64, 128) + norm(128) + dense(128, 7)
)  # fmt: skip
R2_CHEST = (
    conv(3, 32) + norm(32) + conv(32, 64) + norm(64) + conv(64, 64) + norm(64) + conv(64, 128) + norm(128)
    + conv(128, 256) + norm(256) + dense(5 * 5 * 256, 128) + dense(128, 2)
)  # fmt: skip
R2_BONE = (
    conv(3, 32) + conv(32, 32) + norm(32) + conv(32, 64) + conv(64, 64) + norm(64) + conv(64, 128) + conv(128, 128)
    + norm(128) + dense(28 * 28 * 128, 1024) + norm(1024) + dense(1024, 128) + norm(128) + dense(128, 2)
)  # fmt: skip
R3 = (
    conv(3, 32) + norm(32) + conv(32, 64) + norm(64) + conv(64, 128) + norm(128) + conv(128, 256) + norm(256)
    + dense(256, 2)
)  # fmt: skip


COUNTED = [
    ("r1_cnn", 224, 2, R1),
    ("r2_dermoscopy", (75, 100), 7, R2_DERMOSCOPY),
    ("r2_chest", 150, 2, R2_CHEST),
    ("r2_bone", 224, 2, R2_BONE),
    ("r3_cnn", 224, 2, R3),
]


@pytest.mark.parametrize(("family", "size_px", "classes", "weights"), COUNTED)
def test_every_scratch_network_has_the_weights_that_its_description_counts(
    family: str, size_px: int | tuple[int, int], classes: int, weights: int
) -> None:
    network = build(size_px, classes=classes, family=family, normalise="none")
    assert count(network) == weights
    height, width = (size_px, size_px) if isinstance(size_px, int) else size_px
    assert network.eval()(torch.zeros(2, 3, height, width, device="meta")).shape == (2, classes)
    assert network.map_kind == ("occlusion" if FAMILIES[family].one_size else "class_activation")


def test_no_scratch_network_goes_uncounted() -> None:
    assert {family for family, *_ in COUNTED} == {name for name, family in FAMILIES.items() if not family.on_timm}


def test_the_bone_network_has_the_first_dense_layer_that_the_reference_counts() -> None:
    first = next(layer for layer in build(224, classes=2, family="r2_bone").modules() if isinstance(layer, nn.Linear))
    assert count(first) == 102_761_472, "biases included"


def test_layers_follow_each_other_as_described() -> None:
    def kinds(family: str) -> list[str]:
        return [type(layer).__name__ for layer in build(64, classes=2, family=family).backbone]

    block = ["Conv2d", "ReLU", "MaxPool2d", "Dropout"]
    assert kinds("r1_cnn") == [*block, *block, "Flatten", "Linear", "ReLU"]
    assert kinds("r2_dermoscopy") == [
        *("Conv2d", "ReLU", "Conv2d", "ReLU", "BatchNorm2d", "MaxPool2d", "Dropout"),
        *("Conv2d", "ReLU", "BatchNorm2d", "Conv2d", "ReLU", "BatchNorm2d", "MaxPool2d", "Dropout"),
        *("Flatten", "Linear", "ReLU", "BatchNorm1d", "Dropout"),
    ]
    bone = ["Conv2d", "ReLU", "Conv2d", "ReLU", "BatchNorm2d", "MaxPool2d", "Dropout"]
    assert kinds("r2_bone") == [*bone * 3, "Flatten", *["Linear", "ReLU", "BatchNorm1d", "Dropout"] * 2]
    drops = [
        layer.p for layer in build(64, classes=7, family="r2_dermoscopy").modules() if isinstance(layer, nn.Dropout)
    ]
    assert drops == [0.25, 0.35, 0.5, 0.0]


def test_r1_starts_as_glorot_and_bengio_draw() -> None:
    torch.manual_seed(0)
    network = build_network(make(32, family="r1_cnn", normalise="none"), classes=2)
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    assert len(layers) == 4
    for layer in layers:
        spots = layer.weight[0, 0].numel() if layer.weight.ndim == 4 else 1
        bound = np.sqrt(6 / (layer.weight.shape[0] * spots + layer.weight.shape[1] * spots))
        assert 0.95 * bound < float(layer.weight.detach().abs().max()) <= bound
        assert not layer.bias.any()


def test_a_flattened_network_wants_one_size_in_all_stages_and_the_export() -> None:
    model = {"family": "r2_chest"}
    for stages, export in (([32, 48], 48), ([32], 48)):
        with pytest.raises(ValueError, match="r2_chest takes pictures of one size") as refusal:
            make_recipe(
                model=model,
                stages=[{"epochs": 1, "size_px": side} for side in stages],
                export={"input_size_px": export},
            )
        assert "[32, 32], [48, 48]" in str(refusal.value)


def test_scratch_networks_have_nothing_on_the_hub() -> None:
    with pytest.raises(RecipeError, match="r3_cnn is trained from scratch"):
        build(32, classes=2, family="r3_cnn", weights="hub")


@pytest.mark.parametrize("model", [{"family": "r2_bone"}, {"head": {"hidden": [4], "batch_norm": True}}])
def test_batch_norm_over_features_wants_more_than_one_picture(model: dict) -> None:
    sections = {"stages": [{"epochs": 1, "size_px": 32}], "export": {"input_size_px": 32}, "model": model}
    with pytest.raises(ValueError, match="batch norm over features needs"):
        make_recipe(optimiser={"batch_size": 1}, **sections)
    make_recipe(optimiser={"batch_size": 2}, **sections)

import pytest
import torch
from torch import nn

from secondlook.errors import RecipeError
from secondlook.training.layers import measure_depths, prepare_stage
from secondlook.training.sections import Head, Optimiser
from secondlook.training.state import build_optimiser
from secondlook.training.zoo import build_network
from secondlook.training.zoo.classifier import Classifier
from tests.training.tiny import make_recipe


def make_network() -> Classifier:
    """Return a network of two blocks whose norms count statistics and whose dropout drops."""
    blocks = [nn.Sequential(nn.Conv2d(width, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5)) for width in (3, 4)]
    return Classifier(nn.Sequential(*blocks), width=4, classes=2, dropout=0.5, head=Head(hidden=(3,)))


def list_learning(network: nn.Module) -> set[str]:
    return {name for name, weight in network.named_parameters() if weight.requires_grad}


def list_active(network: nn.Module) -> set[str]:
    """Return the dropouts and norms in training mode."""
    return {
        name
        for name, module in network.named_modules()
        if isinstance(module, nn.Dropout | nn.BatchNorm2d) and module.training
    }


FIRST = {f"backbone.0.{name}" for name in ("0.weight", "0.bias", "1.weight", "1.bias")}
SECOND = {name.replace("backbone.0", "backbone.1") for name in FIRST}
HEAD = {"head.0.weight", "head.0.bias", "head.2.weight", "head.2.bias"}


@pytest.mark.parametrize(
    ("trainable", "learning", "active"),
    [
        ("all", FIRST | SECOND | HEAD, {"backbone.0.1", "backbone.0.2", "backbone.1.1", "backbone.1.2", "dropout"}),
        ("from:1", SECOND | HEAD, {"backbone.1.1", "backbone.1.2", "dropout"}),
        ("from:backbone.1", SECOND | HEAD, {"backbone.1.1", "backbone.1.2", "dropout"}),
        ("from:1.1", {"backbone.1.1.weight", "backbone.1.1.bias"} | HEAD, {"backbone.1.1", "backbone.1.2", "dropout"}),
        ("last:3", {"backbone.1.1.weight", "backbone.1.1.bias"} | HEAD, {"backbone.1.1", "backbone.1.2", "dropout"}),
        ("head", HEAD, {"dropout"}),
        ("last:1", {"head.2.weight", "head.2.bias"}, set()),
        ("from:head", HEAD, set()),
    ],
)
def test_what_a_stage_freezes_neither_learns_nor_drops_nor_counts(
    trainable: str, learning: set[str], active: set[str]
) -> None:
    network = make_network()
    prepare_stage(network, "head")
    prepare_stage(network, trainable)
    assert list_learning(network) == learning
    assert list_active(network) == active


def test_frozen_statistics_stay_to_the_last_bit() -> None:
    network = make_network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    prepare_stage(network, "from:1")
    network(torch.rand(4, 3, 9, 9)).sum().backward()
    after = network.state_dict()
    changed = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert changed == {f"backbone.1.1.{name}" for name in ("running_mean", "running_var", "num_batches_tracked")}


def test_transformers_freeze_their_tokens_with_their_first_blocks() -> None:
    recipe = make_recipe(
        model={"name": "test_vit"}, stages=[{"epochs": 1, "size_px": 32}], export={"input_size_px": 32}
    )
    network = build_network(recipe, classes=2)
    prepare_stage(network, "from:blocks.1")
    learning = list_learning(network)
    assert {"head.weight", "backbone.blocks.1.norm1.weight", "backbone.norm.weight"} <= learning
    assert not {"backbone.cls_token", "backbone.pos_embed"} & learning
    assert not any(name.startswith("backbone.blocks.0.") for name in learning)


@pytest.mark.parametrize(
    ("trainable", "said"),
    [
        (
            "from:stages.9",
            r"got from:stages\.9; the nearest is from:stages\.\d.*The network's parts are .*stages.*, head",
        ),
        ("last:999", "at most \\d+ layers in stages.trainable, got last:999"),
    ],
)
def test_layers_that_are_not_there_give_a_sentence(trainable: str, said: str) -> None:
    network = build_network(make_recipe(), classes=2)
    with pytest.raises(RecipeError, match=said):
        prepare_stage(network, trainable)


def test_depths_count_from_the_head_and_give_every_layer_its_rate() -> None:
    network = build_network(make_recipe(), classes=2)
    depths = measure_depths(network)
    assert set(depths) == {name for name, _ in network.named_parameters()}
    assert {depth for name, depth in depths.items() if name.startswith("head.")} == {0}
    assert sorted(set(depths.values())) == list(range(max(depths.values()) + 1))
    assert depths["backbone.stem.conv.weight"] == max(depths.values())
    optimiser = build_optimiser(network, Optimiser(weight_decay=0.1), depths=depths)
    groups = optimiser.param_groups
    assert sum(len(group["params"]) for group in groups) == len(depths)
    assert groups[0]["depth"] == 0
    for group in groups:
        assert group["weight_decay"] == (0.1 if group["params"][0].ndim > 1 else 0) if group["params"] else True


def test_plain_networks_have_a_layer_for_each_part_with_weights() -> None:
    depths = measure_depths(make_network())
    assert [depths[f"backbone.{name}.weight"] for name in ("0.0", "0.1", "1.0", "1.1")] == [4, 3, 2, 1]

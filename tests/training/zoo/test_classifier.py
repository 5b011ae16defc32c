import pytest
import torch
from torch import nn

from secondlook.training.families import FAMILIES
from secondlook.training.zoo import build_network
from secondlook.training.zoo.classifier import Classifier
from tests.training.tiny import NETWORK, make_recipe


@pytest.fixture
def network() -> Classifier:
    torch.manual_seed(0)
    return Classifier(nn.Conv2d(3, 6, 3, stride=2), width=6, classes=4, dropout=0.5).eval()


def test_the_class_activation_map_is_exact(network: Classifier) -> None:
    pixels = torch.rand(2, 3, 17, 17)
    logits, embedding, activation = network.explain(pixels)
    assert logits.shape == (2, 4)
    assert embedding.shape == (2, 6)
    assert activation.shape == (2, 4, 8, 8)
    torch.testing.assert_close(activation.mean(dim=(2, 3)) + network.head.bias, logits)
    torch.testing.assert_close(network.head(embedding), logits)
    torch.testing.assert_close(network(pixels), logits)


def test_pixels_are_normalised_by_the_network_itself(network: Classifier) -> None:
    pixels = torch.rand(1, 3, 8, 8)
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    expected = network.backbone((pixels - mean[:, None, None]) / deviation[:, None, None])
    torch.testing.assert_close(network.extract_features(pixels), expected)
    assert not {"mean", "deviation"} & set(network.state_dict())


def test_dropout_works_in_training_alone(network: Classifier) -> None:
    pixels = torch.rand(20, 3, 8, 8)
    torch.testing.assert_close(network(pixels), network(pixels))
    network.train()
    assert not torch.equal(network(pixels), network(pixels))


ON_TIMM = [("timm", NETWORK, 4), ("timm", f"{NETWORK}.r160_in1k", 4), ("mobilenetv2_blocks", "mobilenetv2_035", 1)]


def test_no_family_on_timm_goes_untested() -> None:
    assert {family for family, *_ in ON_TIMM} == {name for name, family in FAMILIES.items() if family.on_timm}


@pytest.mark.parametrize(("family", "name", "cells"), ON_TIMM)
def test_every_family_on_timm_gives_logits_and_maps_and_learns(family: str, name: str, cells: int) -> None:
    recipe = make_recipe(
        model={"family": family, "name": name, "dropout": 0.1},
        stages=[{"epochs": 1, "size_px": 128}],
        export={"input_size_px": (128, 160)},
    )
    network = build_network(recipe, classes=7)
    logits, embedding, activation = network.explain(torch.rand(2, 3, 128, 160))
    assert logits.shape == (2, 7)
    assert embedding.shape[1] == network.head.in_features
    assert activation.shape == (2, 7, cells, cells + 1)
    logits.logsumexp(dim=1).sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())

"""Networks of timm under Secondlook's heads."""

import pytest
import torch

from secondlook.errors import RecipeError
from secondlook.training.zoo import build_network, choose_colours
from tests.training.tiny import NETWORK, make_recipe
from tests.training.zoo.test_scratch import build, count, make

# Published weights of each whole network, those of its own head of 1,000 classes taken away.
BODIES = {
    "mobilenetv1_100": 4_231_976 - 1_025_000,
    "resnet50": 25_557_032 - 2_049_000,
    "densenet121": 7_978_856 - 1_025_000,
    "inception_resnet_v2": 55_843_464 - 1_537_000,
    "efficientnet_b0": 5_288_548 - 1_281_000,
    "vit_tiny_patch16_224": 5_717_416 - 193_000,
    "vgg16": 138_357_544 - 102_764_544 - 16_781_312 - 4_097_000,
}
SIDES = {"inception_resnet_v2": 299}


@pytest.mark.parametrize("name", BODIES)
def test_a_backbone_has_the_weights_that_its_authors_count(name: str) -> None:
    network = build(SIDES.get(name, 224), classes=2, name=name)
    assert count(network) == BODIES[name] + 2 * network.width + 2
    assert network.map_kind == ("occlusion" if name.startswith("vit") else "class_activation")


def test_the_head_of_r4_stands_behind_efficientnet() -> None:
    network = build(64, classes=2, name="efficientnet_b0", head={"hidden": [128], "dropout": 0.3, "batch_norm": True})
    assert [type(layer).__name__ for layer in network.head] == ["Linear", "ReLU", "Dropout", "BatchNorm1d", "Linear"]
    assert count(network.head) == 1280 * 128 + 128 + 2 * 128 + 128 * 2 + 2
    assert network.map_kind == "head_by_place"


def test_the_map_of_a_head_with_hidden_layers_is_the_head_at_each_place() -> None:
    torch.manual_seed(0)
    recipe = make(64, name=NETWORK, head={"hidden": [8, 6], "batch_norm": True, "activation": "gelu"})
    network = build_network(recipe, classes=3).train()
    network(torch.rand(8, 3, 64, 64))
    network.eval()
    pixels = torch.rand(2, 3, 64, 64)
    logits, embedding, activation = network.explain(pixels)
    torch.testing.assert_close(network(pixels), logits)
    torch.testing.assert_close(network.answer(embedding), logits)
    torch.testing.assert_close(network.map_classes(network.extract_features(pixels)), activation)
    features = 9 * torch.randn(2, network.width, 3, 4)
    places = network.map_classes(features)
    assert places.shape == (2, 3, 3, 4)
    torch.testing.assert_close(places[1, :, 2, 3], network.head(features[1:, :, 2, 3])[0])
    whole = network.head(features.mean(dim=(2, 3)))
    assert (places.mean(dim=(2, 3)) - whole).abs().max() > 1e-2, "no sum of places, and called none"


def test_a_transformer_is_built_for_the_recipes_size_and_has_no_map() -> None:
    network = build_network(make(48, name="test_vit"), classes=5).eval()
    logits, embedding = network.explain(torch.rand(2, 3, 48, 48))
    assert (logits.shape, embedding.shape) == ((2, 5), (2, 64))
    assert network.map_kind == "occlusion"


def test_feature_maps_with_channels_last_are_turned() -> None:
    network = build_network(make(64, name="test_mambaout"), classes=5).eval()
    _, embedding, activation = network.explain(torch.rand(2, 3, 64, 64))
    assert (embedding.shape, activation.shape) == ((2, 256), (2, 5, 2, 2))


def test_a_map_of_one_cell_is_none() -> None:
    assert build(32, classes=2, name=NETWORK).map_kind == "occlusion"
    assert build(64, classes=2, name=NETWORK).map_kind == "class_activation"


@pytest.mark.parametrize(
    ("stages", "export", "model", "said"),
    [
        ([48, 64], 64, {"name": "test_vit"}, r"test_vit takes pictures of one size.*\[48, 48\], \[64, 64\]"),
        ([40], 40, {"name": "test_vit", "drop_path": 0.1}, "40×40 px"),
        ([32], 32, {"name": "inception_resnet_v2"}, "inception_resnet_v2 takes; 32×32 px it refuses"),
    ],
)
def test_a_size_that_does_not_suit_gives_a_sentence(stages: list[int], export: int, model: dict, said: str) -> None:
    recipe = make_recipe(
        model=model, stages=[{"epochs": 1, "size_px": side} for side in stages], export={"input_size_px": export}
    )
    with torch.device("meta"), pytest.raises(RecipeError, match=said):
        build_network(recipe, classes=2)


def test_normalisation_is_what_the_recipe_says() -> None:
    pixels = torch.rand(1, 3, 64, 64)
    for normalise, mean, deviation in (("none", 0, 1), ("half", 0.5, 0.5)):
        network = build_network(make(64, name=NETWORK, normalise=normalise), classes=2).eval()
        torch.testing.assert_close(network.extract_features(pixels), network.backbone((pixels - mean) / deviation))
    network = build(64, classes=2, name="mobilenetv1_100", normalise="network")
    assert (network.mean.shape, set(network.state_dict()) & {"mean", "deviation"}) == ((1, 3, 1, 1), set())


def test_hub_weights_want_their_own_normalisation() -> None:
    recipe = make(64, name="test_vit", weights="hub", normalise="imagenet")
    with pytest.raises(RecipeError, match=r"got imagenet\. Set model\.normalise=network"):
        choose_colours(recipe.model)
    colours = choose_colours(recipe.model.model_copy(update={"normalise": "network"}))
    assert colours == ((0.5,) * 3, (0.5,) * 3)

"""The recipe and the network that docs/training.md writes as examples are what it says of them."""

import pytest
import torch
import yaml

from secondlook.training.families import FAMILIES, Family
from secondlook.training.quick import make_quick
from secondlook.training.recipe import Recipe
from secondlook.training.zoo import build_network, chest
from tests.guide import read_examples, run_example
from tests.training.tiny import make_recipe


def test_the_recipe_is_whole() -> None:
    [example] = read_examples("training.md", "A recipe of your own", "yaml")
    recipe = Recipe.model_validate(yaml.safe_load(example))
    assert make_quick(recipe).stages[0].epochs == 1
    assert recipe.data.manifest == "split.csv"


def test_the_network_needs_one_line_more(monkeypatch: pytest.MonkeyPatch) -> None:
    [example] = read_examples("training.md", "A network of your own")
    build = run_example(example)["build_grouped"]
    monkeypatch.setattr(chest, "build_grouped", build, raising=False)  # any module of the zoo
    monkeypatch.setitem(FAMILIES, "grouped", Family("chest.build_grouped"))
    network = build_network(make_recipe(model={"family": "grouped", "normalise": "data"}), classes=7)
    logits, embedding, heatmaps = network.explain(torch.rand(2, 3, 32, 48))
    assert (logits.shape, embedding.shape, heatmaps.shape) == ((2, 7), (2, 128), (2, 7, 4, 6))

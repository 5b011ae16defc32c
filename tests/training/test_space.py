"""What a search may change: read, refused with the place and the reason, and suggested."""

from pathlib import Path

import optuna
import pytest

from secondlook.errors import RecipeError
from secondlook.training.space import Choices, Range, change_recipe, check_space, dump_space, propose_space, read_space
from tests.training.tiny import make_recipe

YAML = """
optimiser.rate: {low: 0.0003, high: 0.01, log: true}
optimiser.batch_size: [4, 8]
model.dropout: {low: 0, high: 0.5, step: 0.1}
stages.0.epochs: {low: 1, high: 3}
augmentation.zoom: [[1.0, 1.0], [0.9, 1.2]]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "space.yaml").write_text(YAML)
    return tmp_path / "space.yaml"


def test_a_space_survives_writing_and_reading(file: Path) -> None:
    space = read_space(file)
    assert list(space) == [
        "optimiser.rate",
        "optimiser.batch_size",
        "model.dropout",
        "stages.0.epochs",
        "augmentation.zoom",
    ]
    file.write_text(dump_space(space))
    assert read_space(file) == space
    check_space(space, make_recipe())


def test_what_is_suggested_lies_in_the_space_and_makes_a_recipe(file: Path) -> None:
    space = read_space(file)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    for _ in range(20):
        trial = study.ask()
        changes = {key: entry.suggest(trial, key) for key, entry in space.items()}
        assert 0.0003 <= changes["optimiser.rate"] <= 0.01
        assert changes["optimiser.batch_size"] in (4, 8)
        assert isinstance(changes["stages.0.epochs"], int)
        assert changes["augmentation.zoom"] in ([1.0, 1.0], [0.9, 1.2])
        recipe = change_recipe(make_recipe(), changes)
        assert recipe.optimiser.rate == changes["optimiser.rate"]
        assert recipe.stages[0].epochs == changes["stages.0.epochs"]
        study.tell(trial, 0.0)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("optimiser.rate: {low: 0.1, high: 0.01}", "`optimiser.rate`: .*`low` must lie below `high`"),
        ("optimiser.rate: {low: 0.0, high: 0.1, log: true}", "`log` needs `low` above 0"),
        ("model.dropout: [0.1]", "give two choices or more"),
        ("model.dropout: 0.1", "`model.dropout`: expected {low, high} with log or step, or a list of choices"),
        ("- optimiser.rate", "Expected keys of a recipe in space.yaml"),
        ("a: b: c", "cannot be read as one"),
    ],
)
def test_a_wrong_space_is_refused_with_its_place(file: Path, text: str, sentence: str) -> None:
    file.write_text(text)
    with pytest.raises(RecipeError, match=sentence):
        read_space(file)


@pytest.mark.parametrize(
    ("key", "entry", "sentence"),
    [
        ("optimiser.rat", Range(low=0.1, high=0.2), "`optimiser.rat` = 0.1: unknown key; the nearest is `rate`"),
        ("model.dropout", Range(low=0.1, high=1.5), "`model.dropout` = 1.5: .*less than 1"),
        ("optimiser.name", Choices(choices=("adam", "adamwx")), "`optimiser.name` = adamwx: .*nearest is `adamw`"),
        ("stages.7.epochs", Range(low=1, high=2), "names? a place in the recipe|`stages.7.epochs`"),
        ("split.seed", Range(low=1, high=5), "trials can be compared only if name, task, split stay"),
    ],
)
def test_a_space_that_does_not_fit_the_recipe_is_refused_before_anything_starts(key, entry, sentence) -> None:
    with pytest.raises(RecipeError, match=sentence):
        check_space({key: entry}, make_recipe())


def test_the_proposed_space_fits_and_lies_around_the_recipe() -> None:
    recipe = make_recipe()
    space = propose_space(recipe)
    check_space(space, recipe)
    rate = space["optimiser.rate"]
    assert isinstance(rate, Range)
    assert rate.low < recipe.optimiser.rate < rate.high
    assert "optimiser.weight_decay" in space
    assert "optimiser.weight_decay" not in propose_space(make_recipe(optimiser={"name": "adam"}))

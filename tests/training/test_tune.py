"""A search on drawn pictures: killed and continued, pruned, diverging, and never near the test split."""

import csv
from pathlib import Path
from typing import Any

import optuna
import pytest

from secondlook.data.manifest import Manifest, read_manifest, write_manifest
from secondlook.errors import RecipeError
from secondlook.training import tune
from secondlook.training.loop import Progress, Watcher
from secondlook.training.reading import read_recipe
from secondlook.training.recipe import Recipe
from secondlook.training.space import Space, parse_space
from secondlook.training.tune import tune_recipe
from tests.training.tiny import make_recipe

SPACE = {"optimiser.rate": {"low": 1e-5, "high": 0.03, "log": True}, "optimiser.batch_size": [8, 16]}


class KilledError(Exception):
    pass


@pytest.fixture(scope="module")
def recipe(drawn: Manifest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a recipe on drawn pictures without those of the split test, which are not even there."""
    folder = tmp_path_factory.mktemp("tune")
    frame = drawn.frame[drawn.frame["split"] != "test"].reset_index(drop=True)
    write_manifest(Manifest(frame, drawn.root), folder / "drawn.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECONDLOOK_CACHE", str(folder / "cache"))
        yield make_recipe(
            data={"manifest": str(folder / "drawn.csv"), "cache_px": 40},
            stages=[{"epochs": 2, "size_px": 32}],
            augmentation={},
        )


def search(recipe: Recipe, folder: Path, trials: int, *, space: Any = None, watch: Any = None, **options: Any) -> Any:
    parsed: Space = parse_space(space or SPACE, "space")
    options = {"measure": "nll", "seed": 1, **options}
    return tune_recipe(recipe, folder, space=parsed, trials=trials, watch=watch or (lambda part: Watcher()), **options)


@pytest.fixture(scope="module")
def unbroken(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """Return the folder of a search of four trials, and what it found."""
    folder = tmp_path_factory.mktemp("unbroken") / "tiny-tune"
    return folder, search(recipe, folder, 4)


def test_a_killed_search_goes_on_as_an_unbroken_one(recipe: Recipe, tmp_path: Path, unbroken: tuple[Path, Any]) -> None:
    folder = tmp_path / "tiny-tune"

    def kill(progress: Progress) -> None:
        if progress.step == 4:
            raise KilledError

    with pytest.raises(KilledError):
        search(recipe, folder, 4, watch=lambda part: Watcher(step=kill) if part.name == "tiny-trial-2" else Watcher())
    steps: list[tuple[str, int]] = []

    def follow(part: Recipe) -> Watcher:
        return Watcher(step=lambda progress: steps.append((part.name, progress.step)))

    search(recipe, folder, 2, watch=follow)
    assert steps[0] == ("tiny-trial-2", 4), "the killed trial began anew"
    found = search(recipe, folder, 4)
    assert (folder / "trials.csv").read_bytes() == (unbroken[0] / "trials.csv").read_bytes()
    assert found.best == unbroken[1].best


def test_the_best_recipe_is_ready_to_be_trained(recipe: Recipe, unbroken: tuple[Path, Any]) -> None:
    folder, found = unbroken
    complete = [one for one in found.tried if one.state == "complete"]
    assert found.best.value == min(one.value for one in complete)
    best = read_recipe(found.file)
    assert best.name == "tiny-tuned"
    assert best.optimiser.rate == found.best.changes["optimiser.rate"]
    assert best.optimiser.batch_size == found.best.changes["optimiser.batch_size"]
    assert best.model_copy(update={"optimiser": recipe.optimiser, "name": "tiny", "about": ""}) == recipe
    assert (folder / "plots" / "trials.png").read_bytes().startswith(b"\x89PNG")


def test_trials_are_run_folders_without_a_bundle(unbroken: tuple[Path, Any]) -> None:
    folder, found = unbroken
    for one in found.tried:
        run = folder / f"trial-{one.number:03d}"
        assert {entry.name for entry in run.iterdir()} >= {"recipe.yaml", "split.csv", "history.csv"}
        assert not (run / "bundle").exists()
        assert not (run / "checkpoints").exists()
        with (run / "history.csv").open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert float(rows[-1]["calibration_nll"]) == pytest.approx(one.value)
        assert set(read_manifest(run / "split.csv").frame["split"]) == {"train", "calibration"}


def test_a_search_asked_for_no_more_trials_does_nothing(recipe: Recipe, unbroken: tuple[Path, Any]) -> None:
    folder, found = unbroken
    again = search(recipe, folder, 4, watch=lambda part: pytest.fail("a trial"))
    assert again.best == found.best


def test_another_search_in_the_same_folder_is_refused(recipe: Recipe, unbroken: tuple[Path, Any]) -> None:
    with pytest.raises(RecipeError, match="another space, measure or seed"):
        search(recipe, unbroken[0], 5, seed=2)
    with pytest.raises(RecipeError, match="holds a run of another recipe"):
        search(recipe.model_copy(update={"seed": 77}), unbroken[0], 5)


def test_a_trial_that_diverges_is_told_and_the_search_goes_on(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = {"optimiser.rate": [1e30, 0.01]}
    told: list[Any] = []
    recipe = recipe.model_copy(update={"optimiser": recipe.optimiser.model_copy(update={"clip_norm": 0.0})})
    found = search(recipe, tmp_path / "tune", 4, space=space, tell=told.append)
    states = {one.changes["optimiser.rate"]: one.state for one in told}
    assert states == {1e30: "diverged", 0.01: "complete"}
    assert found.best.changes == {"optimiser.rate": 0.01}


def test_a_trial_worse_than_the_others_is_given_up(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tune, "PRUNED_AFTER", 1)
    monkeypatch.setattr(optuna.pruners.MedianPruner, "prune", lambda self, study, trial: trial.number > 0)
    found = search(recipe, tmp_path / "tune", 2)
    assert [(one.state, one.epochs) for one in found.tried] == [("complete", 2), ("pruned", 1)]


def test_a_measure_that_the_task_has_not_is_refused(recipe: Recipe, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="quadratic_kappa is undefined on the calibration split"):
        search(recipe, tmp_path / "tune", 1, measure="quadratic_kappa")


def test_a_database_that_cannot_be_written_is_a_sentence(recipe: Recipe, tmp_path: Path) -> None:
    (tmp_path / "search" / "study.sqlite3").mkdir(parents=True)  # as good as a full disk
    with pytest.raises(RecipeError, match=r"the database of the search search: .*free some space") as refusal:
        search(recipe, tmp_path / "search", 1)
    assert str(tmp_path) not in str(refusal.value)

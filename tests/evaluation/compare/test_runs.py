"""What can be compared, and what is refused in a sentence."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from secondlook.data.manifest import Manifest, read_manifest
from secondlook.errors import DatasetError, InputError
from secondlook.evaluation.compare.runs import (
    find_candidates,
    find_title,
    name_apart,
    part_tasks,
    read_seconds,
    require_task,
)
from tests.evaluation.compare.conftest import Runs


def give_task(run: Path, task: str, labels: list[str]) -> None:
    """Have a run's bundle say that it is for another task."""
    file = run / "bundle" / "bundle.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"task": task, "labels": labels}))


def test_a_run_is_measured_on_its_own_split_and_a_bundle_on_the_manifest_given(runs: Runs, tiny_bundle: Path) -> None:
    run, bundle = find_candidates([str(runs.good), str(tiny_bundle)], [runs.manifest])
    assert (run.bundle, bundle.bundle) == (runs.good / "bundle", tiny_bundle)
    assert run.manifest is bundle.manifest is runs.manifest
    (alone,) = find_candidates([str(runs.elsewhere)])
    assert len(alone.manifest) == len(read_manifest(runs.elsewhere / "split.csv")) == len(runs.manifest) - 1


def test_a_run_s_bundle_is_called_as_the_run(tmp_path: Path) -> None:
    (tmp_path / "first" / "bundle").mkdir(parents=True)
    assert find_title(str(tmp_path / "first")) == find_title(str(tmp_path / "first" / "bundle")) == "first"
    assert find_title("skin") == "skin"


def test_names_are_told_apart() -> None:
    assert name_apart(["a", "b", "a", "a"]) == ["a", "b", "a (2)", "a (3)"]


def test_training_time_is_that_of_all_epochs_and_folds(copied: Path) -> None:
    assert read_seconds(copied) == pytest.approx(62)
    (copied / "history.csv").rename(copied / "gone.csv")
    for number in (1, 2):
        (copied / f"fold-{number}").mkdir()
        (copied / f"fold-{number}" / "history.csv").write_text(f"epoch,seconds\n1,{number}0.5\n")
    assert read_seconds(copied) == pytest.approx(31)
    (copied / "fold-1" / "history.csv").write_text("epoch\n1\n")
    assert read_seconds(copied) is None


def test_what_cannot_be_compared_is_refused_in_a_sentence(runs: Runs, copied: Path, tiny_bundle: Path) -> None:
    with pytest.raises(InputError, match="'nowhere' is neither"):
        find_candidates(["nowhere"])
    with pytest.raises(InputError, match="give --manifest"):
        find_candidates([str(tiny_bundle)])
    (copied / "bundle" / "SHA256SUMS").unlink()
    with pytest.raises(InputError, match="The run copied has no finished bundle yet"):
        find_candidates([str(copied)])


def test_models_of_different_tasks_are_refused(runs: Runs, copied: Path) -> None:
    give_task(copied, "chest", ["normal", "pneumonia"])
    candidates = find_candidates([str(runs.good), str(copied)])
    with pytest.raises(InputError, match="one task, got good: skin; copied: chest"):
        require_task(candidates)


def test_models_are_parted_by_task_in_the_order_in_which_they_came(runs: Runs, copied: Path) -> None:
    give_task(copied, "chest", ["normal", "pneumonia"])
    candidates = find_candidates([str(runs.good), str(copied), str(runs.noisy)])
    assert [[one.name for one in part] for part in part_tasks(candidates)] == [["good", "noisy"], ["copied"]]


def test_each_manifest_is_for_the_models_of_its_task(runs: Runs, copied: Path, tiny_bundle: Path) -> None:
    give_task(copied, "chest", ["normal", "pneumonia"])
    chests = Manifest(runs.manifest.frame, runs.manifest.root, "chest")
    run, other = find_candidates([str(copied), str(runs.good)], [chests])
    assert run.manifest is chests
    assert run.own is not None
    assert other.own is None
    with pytest.raises(DatasetError, match="at most one manifest of each task"):
        find_candidates([str(copied)], [chests, chests])
    with pytest.raises(DatasetError, match=r"models' tasks \(skin\); got one of chest"):
        find_candidates([str(runs.good)], [chests])
    with pytest.raises(InputError, match="tiny is for the task skin; give a --manifest of that task"):
        find_candidates([str(copied), str(tiny_bundle)], [chests])


def test_pictures_of_another_task_are_refused(runs: Runs) -> None:
    (candidate,) = find_candidates([str(runs.good)])
    moles = Manifest(runs.manifest.frame, runs.manifest.root, "mole")
    with pytest.raises(DatasetError, match="task skin; those of good are others"):
        require_task([replace(candidate, manifest=moles)])

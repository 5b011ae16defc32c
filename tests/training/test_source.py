"""A recipe's data folders: the source that it names is read, and what is missing is said before training."""

from pathlib import Path

import pytest

from secondlook.data.split import split_manifest
from secondlook.errors import DatasetError, RecipeError
from secondlook.training.loop import Watcher
from secondlook.training.run import load_manifest, read_source, train_run
from tests.drawing import draw_lesion
from tests.training.tiny import make_recipe


def test_the_named_source_reads_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDLOOK_DATA", str(tmp_path))
    for seed in range(6):
        label = ("mel", "nv")[seed % 2]
        (tmp_path / "mine" / label).mkdir(parents=True, exist_ok=True)
        draw_lesion(seed, label, size=(48, 40)).save(tmp_path / "mine" / label / f"{seed}.png")
    manifest = load_manifest(make_recipe(data={"source": "folders", "folder": "mine"}))
    assert sorted(manifest.frame["label"]) == ["mel"] * 3 + ["nv"] * 3
    assert set(manifest.frame["split"]) == {"train", "calibration", "test"}


def draw_folder(folder: Path, *, seeds: range) -> None:
    for seed in seeds:
        label = ("mel", "nv")[seed % 2]
        (folder / label).mkdir(parents=True, exist_ok=True)
        draw_lesion(seed, label, size=(48, 40)).save(folder / label / f"{seed}.png")


def test_a_further_source_is_learned_from_and_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDLOOK_DATA", str(tmp_path))
    draw_folder(tmp_path / "mine", seeds=range(6))
    draw_folder(tmp_path / "theirs", seeds=range(6, 14))
    alone = load_manifest(make_recipe(data={"source": "folders", "folder": "mine"}))
    further = {"source": "folders", "folder": "theirs", "train": 0.5}
    both = load_manifest(make_recipe(data={"source": "folders", "folder": "mine", "further": [further]}))
    added = both.frame.iloc[len(alone) :]
    assert list(both.frame["split"][: len(alone)]) == list(alone.frame["split"])
    assert list(added["split"]) == ["train"] * 4
    assert sorted(added["label"]) == ["mel", "mel", "nv", "nv"]
    assert all(path.is_file() for path in both.paths())


def test_the_rest_of_a_further_source_is_what_data_split_calls_its_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECONDLOOK_DATA", str(tmp_path))
    draw_folder(tmp_path / "mine", seeds=range(6))
    draw_folder(tmp_path / "theirs", seeds=range(6, 14))
    further = {"source": "folders", "folder": "theirs", "train": 0.5}
    both = load_manifest(make_recipe(data={"source": "folders", "folder": "mine", "further": [further]}))
    theirs = read_source("folders", tmp_path / "theirs", task="skin")
    rest = split_manifest(theirs, fractions={"train": 0.5, "calibration": 0, "test": 0.5}, seed=0).select("test")
    learned = {path.resolve() for path in both.select("train").paths()}
    assert len(rest) == 4
    assert not learned & {path.resolve() for path in rest.paths()}


def test_data_sets_that_use_the_same_group_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDLOOK_DATA", str(tmp_path))
    draw_folder(tmp_path / "mine", seeds=range(6))
    further = {"source": "folders", "folder": "mine"}
    with pytest.raises(DatasetError, match="groups have different names"):
        load_manifest(make_recipe(data={"source": "folders", "folder": "mine", "further": [further]}))


def test_a_data_set_that_is_not_there_is_said_with_where_it_belongs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECONDLOOK_DATA", str(tmp_path))
    with pytest.raises(DatasetError, match=r"the data set moles in the data folder.*Set SECONDLOOK_DATA") as refusal:
        load_manifest(make_recipe(data={"source": "folders", "folder": "moles"}))
    assert str(tmp_path) not in str(refusal.value)


def test_a_missing_folder_of_foreign_pictures_is_said_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECONDLOOK_DATA", str(tmp_path))
    recipe = make_recipe(export={"input_size_px": 32, "foreign": "everyday"})
    with pytest.raises(RecipeError, match=r"found no 'everyday'.*--set export.foreign=null"):
        train_run(recipe, tmp_path / "run", watcher=Watcher())
    assert not (tmp_path / "run").exists()

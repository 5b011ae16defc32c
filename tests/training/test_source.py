"""A recipe's data folders: the source that it names is read, and what is missing is said before training."""

from pathlib import Path

import pytest

from secondlook.errors import RecipeError
from secondlook.training.loop import Watcher
from secondlook.training.run import load_manifest, train_run
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


def test_an_unknown_source_is_refused_with_those_that_exist() -> None:
    with pytest.raises(RecipeError, match=r"moles, isic, folders; got 'isci'"):
        load_manifest(make_recipe(data={"source": "isci", "folder": "mine"}))


def test_a_missing_folder_of_foreign_pictures_is_said_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECONDLOOK_DATA", str(tmp_path))
    recipe = make_recipe(export={"input_size_px": 32, "foreign": "everyday"})
    with pytest.raises(RecipeError, match=r"found no 'everyday'.*--set export.foreign=null"):
        train_run(recipe, tmp_path / "run", watcher=Watcher())
    assert not (tmp_path / "run").exists()

"""A recipe's data source is the one that is read."""

from pathlib import Path

import pytest

from secondlook.errors import RecipeError
from secondlook.training.run import load_manifest
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
    with pytest.raises(RecipeError, match=r"ham10000, isic, folders; got 'isci'"):
        load_manifest(make_recipe(data={"source": "isci", "folder": "mine"}))

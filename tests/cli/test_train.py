"""`secondlook train` as far as no training is needed."""

import errno
import os
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from secondlook import cli
from secondlook.data.files import replace_file
from secondlook.errors import SecondlookError


def run(*arguments: object) -> tuple[int, str, str]:
    try:
        result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments], catch_exceptions=False)
    except SecondlookError as error:
        return 1, "", str(error)
    return result.exit_code, result.stdout, result.stderr


def test_folds_are_part_of_the_recipe(recipe: Path) -> None:
    code, out, _ = run("train", recipe, "--folds", 3, "--preview")
    assert code == 0
    assert yaml.safe_load(out)["split"]["folds"] == 3
    assert run("train", recipe, "--folds", 1, "--preview")[0] == 2


def test_too_few_lesions_for_the_folds_are_named_before_anything_starts(recipe: Path, tmp_path: Path) -> None:
    code, _, errors = run("train", recipe, "--folds", 3, "--run", tmp_path / "run")
    assert code == 1
    assert "at least 3 patients or lesions of every label in the split train" in errors
    assert "akiec: 1" in errors
    assert not (tmp_path / "run").exists()


def test_a_wrong_fold_is_refused_with_its_place(recipe: Path) -> None:
    code, _, errors = run("train", recipe, "--set", "split.fold=2", "--preview")
    assert code == 1
    assert "`split`: `fold` must be from 1 to `folds`" in errors


def test_a_full_disk_is_a_sentence_and_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def write(*_arguments: object, **_options: object) -> None:
        monkeypatch.setattr(os, "fsync", refuse)
        replace_file(tmp_path / "recipe.yaml", b"new")

    (tmp_path / "recipe.yaml").write_text("old")
    monkeypatch.setattr("secondlook.training.run.train_run", write)
    monkeypatch.setattr(sys, "argv", ["secondlook", "train", "skin"])
    with pytest.raises(SystemExit, match="1"):
        cli.main()
    assert "Refused: The disk is full. What was written before is kept" in capsys.readouterr().err
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("recipe.yaml", "old")]


def test_a_place_that_may_not_be_written_to_is_named_without_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(tmp_path / "runs" / "skin"))

    monkeypatch.setattr("secondlook.training.run.train_run", refuse)
    monkeypatch.setattr(sys, "argv", ["secondlook", "train", "skin"])
    with pytest.raises(SystemExit, match="1"):
        cli.main()
    said = capsys.readouterr().err
    assert "Refused: Permission denied: runs/skin. Take the right to read or write there" in said
    assert str(tmp_path) not in said

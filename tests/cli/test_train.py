"""`secondlook train` as far as no training is needed."""

from pathlib import Path

import yaml
from typer.testing import CliRunner

from secondlook import cli
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

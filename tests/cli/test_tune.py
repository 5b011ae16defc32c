"""`secondlook tune` as far as no training is needed."""

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


def test_the_space_can_be_seen_before_it_is_searched(recipe: Path) -> None:
    code, out, _ = run("tune", recipe, "--preview")
    assert code == 0
    assert {"optimiser.rate", "model.dropout"} <= set(yaml.safe_load(out))


def test_a_wrong_space_or_measure_is_refused(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "space.yaml").write_text("optimiser.rte: {low: 0.1, high: 0.2}\n")
    code, _, errors = run("tune", recipe, "--space", tmp_path / "space.yaml", "--run", tmp_path / "tune")
    assert code == 1
    assert "unknown key; the nearest is `rate`" in errors
    code, _, errors = run("tune", recipe, "--measure", "beauty", "--run", tmp_path / "tune")
    assert code == 1
    assert "one of auc, nll" in errors

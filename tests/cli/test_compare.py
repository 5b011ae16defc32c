"""`secondlook compare`: what goes to stdout, the page, and what is refused."""

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from secondlook import cli
from secondlook.data.manifest import write_manifest
from secondlook.errors import SecondlookError
from tests.evaluation.compare.conftest import Runs

QUICK = ("--train-groups", "3", "--resamples", "100")


def run(*arguments: object) -> tuple[int, str, str]:
    try:
        result = CliRunner().invoke(cli.app, ["compare", *map(str, arguments), *QUICK], catch_exceptions=False)
    except SecondlookError as error:
        return 1, "", str(error)
    return result.exit_code, result.stdout, result.stderr


def test_a_table_goes_to_stdout_and_marks_to_stderr(runs: Runs, tmp_path: Path) -> None:
    code, out, errors = run(runs.good, runs.elsewhere, "-o", tmp_path / "models.html")
    assert code == 0
    assert "Difference" not in out
    assert "elsewhere" in out
    assert "elsewhere was measured on other test pictures" in " ".join(errors.split())
    assert "Wrote models.html" in errors
    assert (tmp_path / "models.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_json_and_csv_are_alone_on_stdout(runs: Runs, tiny_bundle: Path, tmp_path: Path) -> None:
    write_manifest(runs.manifest, tmp_path / "drawn.csv")
    bundles = (tiny_bundle, runs.noisy / "bundle", "--manifest", tmp_path / "drawn.csv")
    code, out, _ = run(*bundles, "--format", "json")
    assert code == 0
    (content,) = json.loads(out)
    assert [model["name"] for model in content["models"]] == ["tiny", "noisy"]
    assert content["models"][1]["differences"]["loss"]["p"] < 0.05
    assert content["models"][0]["training_seconds"] is None
    code, out, _ = run(*bundles, "--format", "csv")
    assert [row["name"] for row in csv.DictReader(io.StringIO(out))] == ["tiny", "noisy"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(("nowhere",), "'nowhere' is neither"), (("skin",), "The bundle skin does not say which pictures")],
)
def test_what_cannot_be_compared_is_refused(arguments: tuple[str, ...], sentence: str) -> None:
    code, _, errors = run(*arguments)
    assert code == 1
    assert sentence in errors

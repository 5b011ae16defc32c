"""`secondlook reference`: build, search, measure."""

import csv
import io
import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from secondlook import cli
from secondlook.data.manifest import Manifest, write_manifest
from secondlook.errors import SecondlookError
from tests.drawing import draw_lesion


def run(*arguments: object) -> tuple[int, str, str]:
    try:
        result = CliRunner().invoke(cli.app, ["reference", *map(str, arguments)], catch_exceptions=False)
    except SecondlookError as error:
        return 1, "", str(error)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Return a manifest of drawn lesions, split, some confirmed by histology."""
    rows = []
    for seed in range(12):
        label = ("nv", "mel", "bcc")[seed % 3]
        draw_lesion(seed, label, size=(200, 150)).save(tmp_path / f"{seed}.png")
        rows.append(
            {
                "image": f"{seed}.png",
                "label": label,
                "group": f"L{seed}",
                "split": "train" if seed < 8 else "test",
                "reference": "histo" if label != "nv" else "follow_up",
            }
        )
    write_manifest(Manifest(pd.DataFrame(rows), tmp_path), tmp_path / "cases.csv")
    return tmp_path / "cases.csv"


def test_a_set_is_built_searched_and_measured(manifest: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    code, _, errors = run("build", manifest, "-o", tmp_path / "set", "--bundle", tiny_bundle, "--split", "train")
    assert code == 0
    assert "Wrote set: 8 pictures of 8 patients or lesions." in " ".join(errors.split())
    search = ("search", tmp_path / "set", tmp_path / "1.png", "--bundle", tiny_bundle)
    code, out, _ = run(*search, "--count", 3, "--format", "json")
    found = json.loads(out)
    assert code == 0
    assert found[0]["image"] == "1.png"
    assert len(found) == 3
    assert run(*search, "--format", "csv")[1].startswith(
        "label,reference,group,image,similarity\nmel,histo,L1,1.png,1.0"
    )
    _, out, _ = run(*search)
    assert "no diagnosis" in out
    assert "Melanoma" in out
    code, out, _ = run("measure", tmp_path / "set", manifest, "--bundle", tiny_bundle, "--resamples", 100, "--json")
    assert code == 0
    assert json.loads(out)["same_label"]["value"] > json.loads(out)["same_label_by_chance"]["value"]


def test_the_table_names_a_picture_without_its_folders(manifest: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    frame = pd.read_csv(manifest)
    frame.assign(image="../" + frame["image"]).to_csv(tmp_path / "elsewhere" / "cases.csv", index=False)
    assert run("build", tmp_path / "elsewhere" / "cases.csv", "-o", tmp_path / "set", "--bundle", tiny_bundle)[0] == 0
    _, out, _ = run("search", tmp_path / "set", tmp_path / "1.png", "--bundle", tiny_bundle)
    assert "1.png" in out
    assert "../1.png" not in out


def test_only_cases_of_a_reference_standard_are_taken(manifest: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    place = tmp_path / "set"
    assert run("build", manifest, "-o", place, "--bundle", tiny_bundle, "--standard", "histo")[0] == 0
    rows = list(csv.DictReader(io.StringIO((place / "cases.csv").read_text())))
    assert {row["reference"] for row in rows} == {"histo"}
    assert len(rows) == 8
    code, _, errors = run("build", manifest, "-o", tmp_path / "b", "--bundle", tiny_bundle, "--standard", "autopsy")
    assert code == 1
    assert "the manifest has: follow_up, histo" in errors


def test_a_folder_that_is_no_set_is_refused(tmp_path: Path, tiny_bundle: Path) -> None:
    code, _, errors = run("search", tmp_path, tmp_path / "a.png", "--bundle", tiny_bundle)
    assert code == 1
    assert "Expected a reference set" in errors


def test_one_case_is_one(manifest: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    manifest.write_text("".join(manifest.read_text().splitlines(keepends=True)[:2]))
    _, _, errors = run("build", manifest, "-o", tmp_path / "set", "--bundle", tiny_bundle)
    assert "Wrote set: 1 picture of 1 patient or lesion." in " ".join(errors.split())

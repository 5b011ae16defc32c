"""The commands that make, measure and use a router."""

import csv
import importlib
import io
import json
from pathlib import Path

import pytest

from secondlook.data.manifest import Manifest, write_manifest
from secondlook.inference.router import Router
from tests.bundles import DRAWN, build_bundle
from tests.cli.test_predict import run
from tests.drawing import draw_text_page
from tests.routers import build_router

module = importlib.import_module("secondlook.cli.predict")


@pytest.fixture(scope="module")
def bundles(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return two bundles as --bundle takes them."""
    chest = build_bundle(tmp_path_factory.mktemp("chest") / "chest", task="chest", name="tiny-chest")
    return f"{tiny_bundle},{chest}"


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a lesion, a chest, a knee, a page and a file that is no picture."""
    folder = tmp_path_factory.mktemp("mixed")
    DRAWN["skin"].draw(3, "mel", size=(240, 180)).save(folder / "lesion.png")
    DRAWN["chest"].draw(3, "pneumonia", size=(240, 180)).save(folder / "chest.png")
    DRAWN["knee"].draw(3, "2", size=(200, 200)).save(folder / "knee.png")
    draw_text_page(1).save(folder / "page.png")
    (folder / "broken.png").write_bytes(b"nothing")
    return folder


def predict_led(mixed: Path, bundles: str, router: Path, form: str) -> str:
    """Return what predict says with the picture's own task."""
    arguments = ("--task", "auto", "--bundle", bundles, "--router", router, "--format", form)
    code, out, _ = run("predict", mixed, *arguments)
    assert code == 1  # one file is no picture
    return out


def test_csv_has_the_task_and_the_columns_of_every_task(mixed: Path, bundles: str, tiny_router: Path) -> None:
    out = predict_led(mixed, bundles, tiny_router, "csv")
    assert out.splitlines()[0] == (
        "image,task,label,malignancy,triage,p_akiec,p_bcc,p_bkl,p_df,p_mel,p_nv,p_vasc,p_normal,p_pneumonia,"
        "outlier,quality,error"
    )
    rows = {Path(row["image"]).name: row for row in csv.DictReader(io.StringIO(out))}
    assert (rows["lesion.png"]["task"], rows["chest.png"]["task"]) == ("skin", "chest")
    assert float(rows["lesion.png"]["p_mel"]) > 0
    assert rows["lesion.png"]["p_pneumonia"] == rows["chest.png"]["p_mel"] == ""
    for name in ("knee.png", "page.png"):
        row = rows[name]
        assert (row["task"], row["triage"], row["label"], row["outlier"]) == ("none", "not_evaluable", "", "")
        assert not any(value for key, value in row.items() if key.startswith("p_"))
    assert rows["broken.png"]["task"] == ""
    assert rows["broken.png"]["error"]


def test_json_has_the_route_and_equals_the_bundle_s_own_answer(
    mixed: Path, bundles: str, tiny_bundle: Path, tiny_router: Path
) -> None:
    records = {Path(one["image"]).name: one for one in json.loads(predict_led(mixed, bundles, tiny_router, "json"))}
    assert records["lesion.png"]["route"]["nearest"] == "skin"
    code, out, _ = run("predict", mixed / "lesion.png", "--bundle", tiny_bundle, "--format", "json")
    (alone,) = json.loads(out)
    assert code == 0
    assert alone["route"] is None
    assert records["lesion.png"] | {"route": None} == alone
    refused = records["page.png"]
    assert refused["bundle"] is refused["risk"] is None
    assert refused["reasons"][0]["code"] == "unplaced"
    assert records["knee.png"]["reasons"][0]["code"] == "not_offered"


def test_the_table_has_a_column_for_the_task(mixed: Path, bundles: str, tiny_router: Path) -> None:
    out = predict_led(mixed, bundles, tiny_router, "table")
    for words in ("Task", "chest", "Melanoma", "no model for it", "of no task here", "tiny-chest"):
        assert words in out


def test_heatmaps_are_written_only_of_what_was_answered(
    mixed: Path, bundles: str, tiny_router: Path, tmp_path: Path
) -> None:
    arguments = ("--task", "auto", "--bundle", bundles, "--router", tiny_router, "--heatmaps", tmp_path)
    run("predict", mixed, *arguments)
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["chest.png.png", "lesion.png.png"]


def test_a_task_chooses_its_shipped_bundle_or_must_be_the_named_one_s(mixed: Path, tiny_bundle: Path) -> None:
    assert module.find_name("", "chest") == "chest"
    assert module.find_name("", "") == "skin"
    assert module.find_name(str(tiny_bundle), "skin") == str(tiny_bundle)
    code, _, err = run("predict", mixed, "--bundle", tiny_bundle, "--task", "chest")
    assert code == 1
    assert "auto or one that a bundle here is for (skin); got 'chest'" in err


def test_a_router_without_auto_is_wrong_usage(mixed: Path, tiny_router: Path) -> None:
    assert run("predict", mixed, "--router", tiny_router)[0] == 2


def test_a_router_is_made_measured_and_kept(
    drawn_manifest: Manifest, foreign_folder: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    write_manifest(drawn_manifest, tmp_path / "drawn.csv")
    code, _, err = run("router", "fit", tmp_path / "drawn.csv", "--output", tmp_path / "made")
    assert (code, "skin: " in err) == (0, True)
    measure = ("router", "measure", tmp_path / "drawn.csv", "--router", tmp_path / "made", "--bundle", tiny_bundle)
    code, out, err = run(*measure, "--far", f"foreign={foreign_folder}", "--keep", "--json", "--resamples", 100)
    assert code == 0
    measured = json.loads(out)
    assert set(measured["sets"]) == {"skin", "foreign", "pages", "noise"}
    assert Router(tmp_path / "made").facts.measured == measured
    assert "Refused" in err


@pytest.mark.parametrize("option", ["nowhere", "name=", "=folder"])
def test_a_stranger_without_name_or_place_is_refused(drawn_manifest: Manifest, tmp_path: Path, option: str) -> None:
    write_manifest(drawn_manifest, tmp_path / "drawn.csv")
    build_router(tmp_path / "made")
    assert run("router", "measure", tmp_path / "drawn.csv", "--far", option)[0] == 2

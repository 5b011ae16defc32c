"""`secondlook outline`: figures, drawings, measures, and what is refused."""

import csv
import io
import json
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from secondlook import cli
from secondlook.data.manifest import Manifest, write_manifest
from secondlook.errors import SecondlookError
from tests.explanation.segmentation.drawing import draw_ellipse


def run(*arguments: object) -> tuple[int, str, str]:
    try:
        result = CliRunner().invoke(cli.app, ["outline", *map(str, arguments)], catch_exceptions=False)
    except SecondlookError as error:
        return 1, "", str(error)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Return a folder with two drawn lesions."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, radius in (("small", 20), ("large", 50)):
        Image.fromarray(draw_ellipse(radii_px=(radius, radius))[0]).save(folder / f"{name}.png")
    return folder


def test_paths_alone_mean_draw(pictures: Path) -> None:
    code, out, errors = run(pictures, "--format", "csv")
    assert code == 0
    rows = {Path(row["image"]).stem: row for row in csv.DictReader(io.StringIO(out))}
    assert float(rows["large"]["diameter_px"]) == pytest.approx(100, rel=0.05)
    assert float(rows["small"]["diameter_px"]) == pytest.approx(40, rel=0.1)
    assert float(rows["large"]["asymmetry"]) < 0.05
    assert rows["large"]["colours"] == "dark_brown"
    assert rows["large"]["error"] == ""
    assert "2 outlined, 0 without" in errors
    assert run("draw", pictures, "--format", "csv")[1] == out


def test_json_has_the_border_and_millimetres(pictures: Path) -> None:
    code, out, _ = run(pictures / "large.png", "--format", "json", "--pixels-per-mm", "10", "--method", "walk")
    assert code == 0
    (record,) = json.loads(out)
    assert record["method"] == "walk"
    assert record["outline"]["diameter_mm"] == pytest.approx(10, rel=0.05)
    assert len(record["outline"]["border"]) == 360
    assert all(0 <= value <= 1 for point in record["outline"]["border"] for value in point)


def test_a_table_says_what_it_is_about_and_drawings_are_written(pictures: Path, tmp_path: Path) -> None:
    code, out, _ = run(pictures, "--drawings", tmp_path / "drawn")
    assert code == 0
    assert "Of the outline, not of the disease." in out
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["large.png.png", "small.png.png"]


def test_a_colour_range_is_a_method_of_its_own(pictures: Path) -> None:
    _, out, _ = run(pictures / "large.png", "--colour-range", "80-165,40-120,30-100", "--format", "json")
    assert json.loads(out)[0]["method"] == "range"
    assert json.loads(out)[0]["outline"]["diameter_px"] == pytest.approx(100, rel=0.05)
    _, out, errors = run(pictures / "large.png", "--colour-range", "0-5,0-5,0-5", "--format", "json")
    assert json.loads(out)[0]["outline"] is None
    assert "1 without a lesion" in errors


@pytest.mark.parametrize("text", ["60-170", "a-b,1-2,3-4", "9-1,0-5,0-5", "0-300,0-5,0-5"])
def test_a_wrong_colour_range_is_refused(pictures: Path, text: str) -> None:
    code, _, errors = run(pictures, "--colour-range", text)
    assert code == 2
    assert "Expected least and greatest red" in " ".join(errors.replace("│", " ").split())


def test_two_ways_at_once_and_unknown_methods_are_refused(pictures: Path) -> None:
    assert run(pictures, "--method", "otsu", "--colour-range", "0-1,0-1,0-1")[0] == 2
    code, _, errors = run(pictures, "--method", "magic")
    assert code == 1
    assert "Expected a method, one of" in errors


def test_what_cannot_be_read_does_not_stop_the_rest(pictures: Path) -> None:
    (pictures / "broken.png").write_bytes(b"no picture")
    code, out, errors = run(pictures, "--format", "csv")
    assert code == 1
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 3
    assert "Expected a picture" in next(row["error"] for row in rows if row["image"].endswith("broken.png"))
    assert "1 not read" in errors


@pytest.fixture
def masked(pictures: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Return a manifest of the two lesions, one in each of two splits, and the folder of their masks."""
    masks = tmp_path / "masks"
    masks.mkdir()
    for name, radius in (("small", 20), ("large", 50)):
        Image.fromarray(draw_ellipse(radii_px=(radius, radius))[1]).save(masks / f"{name}.png")
    frame = pd.DataFrame(
        {"image": ["small.png", "large.png"], "label": "nv", "group": ["a", "b"], "split": ["train", "test"]}
    )
    write_manifest(Manifest(frame, pictures), tmp_path / "drawn.csv")
    return tmp_path / "drawn.csv", masks


def test_measure_takes_the_split_test_and_writes_a_page(masked: tuple[Path, Path], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    code, out, _ = run("measure", masked[0], "--masks", masked[1], "--method", "otsu", "--json", "-o", page)
    assert code == 0
    content = json.loads(out)
    assert (content["split"], content["pictures"]) == ("test", 1)
    assert content["methods"]["otsu"]["median_jaccard"]["value"] > 0.9
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    code, out, _ = run("measure", masked[0], "--masks", masked[1], "--split", "all", "--resamples", "100")
    assert code == 0
    assert "2 pictures, split all" in out
    assert "walk" in out


def test_measure_without_masks_is_refused(masked: tuple[Path, Path], pictures: Path) -> None:
    code, _, errors = run("measure", masked[0], "--masks", pictures.parent / "nowhere")
    assert code == 1
    assert "there is no 'nowhere'" in errors

"""Facts about files are what was planted in them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageOps

from secondlook.data.facts import FAMILIES, describe_picture, estimate_quality, read_facts
from secondlook.data.manifest import Manifest
from secondlook.errors import DatasetError
from tests.data.conftest import Build
from tests.drawing import ORIENTATION_TAG, draw_lesion


@pytest.mark.parametrize("quality", [20, 50, 75, 92])
def test_the_quality_of_a_jpeg_is_the_one_it_was_saved_with(tmp_path: Path, quality: int) -> None:
    draw_lesion(1, size=(200, 150)).save(tmp_path / "a.jpg", quality=quality)
    facts = describe_picture(tmp_path / "a.jpg")
    assert estimate_quality(pd.Series([facts["luma_table"]])).iloc[0] == pytest.approx(quality, abs=1)


def test_a_file_tells_how_it_was_saved(tmp_path: Path) -> None:
    picture = draw_lesion(1, size=(200, 150))
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = 6
    picture.save(tmp_path / "a.jpg", progressive=True, dpi=(300, 300), exif=exif, subsampling="4:4:4")
    facts = describe_picture(tmp_path / "a.jpg")
    assert (facts["width"], facts["height"], facts["aspect"]) == (150, 200, 0.75)
    assert (facts["format"], facts["mode"], facts["sampling"]) == ("JPEG", "RGB", "1x1 1x1 1x1")
    assert [facts[name] for name in ("progressive", "exif", "turned", "profile", "grey")] == [1, 1, 1, 0, 0]
    assert facts["dots_per_inch"] == 300
    assert facts["bytes_per_pixel"] == (tmp_path / "a.jpg").stat().st_size / 30_000


def test_grey_is_seen_whether_it_was_saved_as_grey_or_as_colour(tmp_path: Path) -> None:
    grey = draw_lesion(1, size=(200, 150)).convert("L")
    grey.save(tmp_path / "grey.png")
    grey.convert("RGB").save(tmp_path / "colour.png")
    first, second = describe_picture(tmp_path / "grey.png"), describe_picture(tmp_path / "colour.png")
    assert (first["grey"], second["grey"]) == (1, 1)
    assert (first["mode"], second["mode"]) == ("L", "RGB")
    assert "luma_table" not in first


def test_the_border_is_the_rim_and_nothing_else(tmp_path: Path) -> None:
    inner = draw_lesion(1, size=(180, 130))
    ImageOps.expand(inner, 10, (10, 20, 0)).save(tmp_path / "framed.png")
    inner.save(tmp_path / "bare.png")
    framed, bare = describe_picture(tmp_path / "framed.png"), describe_picture(tmp_path / "bare.png")
    assert [framed[f"border_{name}"] for name in ("red", "green", "blue")] == [10, 20, 0]
    assert (framed["border_dark"], framed["border_spread"], framed["border_light"]) == (1, 0, 0)
    assert float(str(bare["border_dark"])) < 0.05  # a hair may cross it
    assert float(str(bare["border_red"])) > 100
    assert framed["corner_green"] != bare["corner_green"]


def test_an_enlarged_picture_has_less_fine_detail(tmp_path: Path) -> None:
    whole = draw_lesion(1, size=(240, 180))
    whole.save(tmp_path / "sharp.png")
    whole.resize((120, 90)).resize((240, 180), Image.Resampling.BICUBIC).save(tmp_path / "soft.png")
    sharp, soft = describe_picture(tmp_path / "sharp.png"), describe_picture(tmp_path / "soft.png")
    assert float(str(soft["fine_detail"])) < float(str(sharp["fine_detail"])) - 1


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (5, 900)])
def test_tiny_and_thin_pictures_have_facts_too(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("RGB", size, (200, 100, 50)).save(tmp_path / "a.png")
    facts = describe_picture(tmp_path / "a.png")
    assert (facts["width"], facts["height"]) == size
    assert facts["border_red"] == 200
    assert facts["fine_detail"] in (None, 0)


def test_the_table_has_every_fact_of_every_family(build_manifest: Build) -> None:
    manifest = build_manifest({"a.jpg": ("nv", "g1"), "b.png": ("mel", "g2")})
    seen = []

    def track(items: object, description: str, total: int) -> object:
        seen.append((description, total))
        return items

    facts = read_facts(manifest, track=track)  # type: ignore[arg-type]
    assert list(facts) == [fact for family in FAMILIES for fact in family.facts]
    assert facts["format"].tolist() == ["JPEG", "PNG"]
    assert np.isnan(facts["luma_table"].iloc[1])
    assert seen == [("Reading pictures", 2)]


def test_every_unreadable_picture_is_named(build_manifest: Build, tmp_path: Path) -> None:
    manifest = build_manifest({"a.png": ("nv", "g1"), "b.png": ("nv", "g2"), "c.png": ("nv", "g3")})
    (tmp_path / "a.png").write_bytes(b"no picture")
    (tmp_path / "c.png").write_bytes((tmp_path / "c.png").read_bytes()[:200])
    with pytest.raises(DatasetError) as refused:
        read_facts(Manifest(manifest.frame, tmp_path))
    assert [fault.split(":")[0] for fault in refused.value.faults] == ["row 2", "row 4"]
    assert str(tmp_path) not in str(refused.value)

"""Quality: good pictures pass, damaged ones are flagged for what is wrong with them, in words."""

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from secondlook.imaging.quality import LIMITS, QualityFlag, assess_quality
from secondlook.imaging.read import read_picture
from tests.drawing import STYLES, draw_lesion, draw_phone_photo, encode

DATA = Path(os.environ.get("SECONDLOOK_DATA", Path(__file__).parents[3] / "shared" / "data"))


def pixels_of(image: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(image)


def codes(image: Image.Image) -> set[str]:
    return {flag.code for flag in assess_quality(pixels_of(image)).flags}


@pytest.mark.parametrize("label", STYLES)
def test_a_good_picture_has_no_flag(label: str) -> None:
    quality = assess_quality(pixels_of(draw_lesion(4, label)))
    assert quality.flags == ()
    assert quality.evaluable


def test_a_blurred_picture_is_flagged_whatever_its_size() -> None:
    for size in ((300, 225), (600, 450), (1600, 1200)):
        sharp = draw_lesion(4, "mel", size=size)
        assert "blurred" not in codes(sharp)
        assert codes(sharp.filter(ImageFilter.GaussianBlur(size[1] * 3 / 128))) == {"blurred"}


def test_a_dark_picture_is_flagged_and_a_black_one_cannot_be_judged() -> None:
    lesion = draw_lesion(4, "nv")
    assert "dark" in codes(lesion.point(lambda level: level // 3))
    night = assess_quality(pixels_of(lesion.point(lambda level: level // 8)))
    assert {flag.code for flag in night.flags} >= {"dark", "flat"}
    assert not night.evaluable


def test_an_overexposed_picture_is_flagged_and_a_white_one_cannot_be_judged() -> None:
    lesion = draw_lesion(4, "mel")
    burnt = lesion.copy()
    burnt.paste((255, 255, 255), (200, 100, 360, 250))
    quality = assess_quality(pixels_of(burnt))
    assert {flag.code for flag in quality.flags} == {"bright"}
    assert quality.evaluable
    assert not assess_quality(pixels_of(Image.new("RGB", (400, 300), (255, 255, 255)))).evaluable


def test_a_faded_picture_is_flagged_as_flat() -> None:
    lesion = draw_lesion(4, "mel")
    faded = Image.blend(Image.new("RGB", lesion.size, (150, 140, 140)), lesion, 0.05)
    assert "flat" in codes(faded)


def test_size_is_judged_by_the_picture_as_it_came() -> None:
    pixels = pixels_of(draw_lesion(4, "nv", size=(200, 150)))
    assert assess_quality(pixels).flags == ()
    (flag,) = assess_quality(pixels, shorter_side_px=90).flags
    assert (flag.code, flag.figure, flag.limit) == ("small", 90, LIMITS["small"].flag)
    assert assess_quality(pixels, shorter_side_px=90).evaluable
    assert not assess_quality(pixels, shorter_side_px=20).evaluable


def test_a_reduced_photograph_is_judged_as_the_whole_one() -> None:
    data = encode(draw_phone_photo(1, "bcc"), quality=90)
    whole, reduced = (read_picture(data, target_px=target) for target in (None, 128))
    assert reduced.pixels.size < whole.pixels.size / 20
    a, b = (
        assess_quality(picture.pixels, shorter_side_px=picture.source.shorter_side_px) for picture in (whole, reduced)
    )
    assert a.flags == b.flags == ()
    assert a.shorter_side_px == b.shorter_side_px == 3024
    assert b.sharpness == pytest.approx(a.sharpness, rel=0.15)
    assert b.contrast_percent == pytest.approx(a.contrast_percent, abs=1)


def test_the_same_picture_has_the_same_figures() -> None:
    pixels = pixels_of(draw_lesion(9, "df"))
    assert assess_quality(pixels) == assess_quality(pixels.copy())


@pytest.mark.parametrize("code", LIMITS)
def test_every_flag_is_described_with_its_figures(code: str) -> None:
    flag = QualityFlag(code, 12.34, 56.0)
    english, french = flag.describe("en"), flag.describe("fr")
    assert english.startswith("The picture ")
    assert french.startswith("L’image ")
    if code == "small":
        assert "12 pixels" in english
        assert "56" in french
    else:
        assert "12.3" in english
        assert "56.0" in english
        assert "12,3" in french
        assert "56,0" in french


@pytest.mark.skipif(
    not DATA.exists(), reason="no real pictures: SECONDLOOK_DATA is not set and ../shared/data is absent"
)
@pytest.mark.parametrize(
    ("folder", "most"),
    [("ham10000/images_200x150", 0.01), ("ham10000/images_224x224", 0.01), ("pad_ufes20/images", 0.02)],
)
def test_few_real_pictures_are_flagged(folder: str, most: float) -> None:
    paths = sorted((DATA / folder).iterdir())[::40] if "ham" in folder else sorted((DATA / folder).iterdir())
    found = [assess_quality(read_picture(path).pixels) for path in paths]
    assert len(found) > 100
    assert np.mean([bool(quality.flags) for quality in found]) <= most
    assert all(quality.evaluable for quality in found)

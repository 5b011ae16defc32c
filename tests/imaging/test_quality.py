"""Quality: good pictures pass, damaged ones are flagged for what is wrong with them, in words."""

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from secondlook.conditions import Kind
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
    assert (flag.code, flag.figure, flag.limit) == ("small", 90, LIMITS["photograph"]["small"].flag)
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


@pytest.mark.parametrize("kind", LIMITS)
@pytest.mark.parametrize("code", LIMITS["photograph"])
def test_every_flag_is_described_with_its_figures(kind: Kind, code: str) -> None:
    flag = QualityFlag(code, 12.34, 56.0, kind)
    english, french = flag.describe("en"), flag.describe("fr")
    assert ("X-ray" in english) == ("radiographie" in french) == (kind == "radiograph")
    assert ("The picture " in english) == ("L’image " in french) == (kind == "photograph")
    if code == "small":
        assert "12 pixels" in english
        assert "56" in french
    else:
        assert "12.3" in english
        assert "56.0" in english
        assert "12,3" in french
        assert "56,0" in french


def draw_film(seed: int) -> Image.Image:
    """Draw something like an X-ray of a limb: light bone in grey tissue on dark film, with grain."""
    rows, columns = np.mgrid[:300, :300] / 300
    film = 40 + 60 * np.exp(-(((columns - 0.5) / 0.25) ** 2)) + 110 * (np.abs(columns - 0.5 + 0.05 * rows) < 0.09)
    film += np.random.default_rng(seed).normal(0, 14, film.shape)
    return Image.fromarray(np.clip(film, 0, 255).astype(np.uint8)).convert("RGB")


def film_codes(image: Image.Image) -> set[str]:
    return {flag.code for flag in assess_quality(pixels_of(image), kind="radiograph").flags}


def test_radiographs_have_limits_of_their_own() -> None:
    film = draw_film(1)
    assert film_codes(film) == set()
    assert film_codes(film.filter(ImageFilter.GaussianBlur(8))) == {"blurred"}
    assert "dark" in film_codes(film.point(lambda level: level // 3))
    # Contrast that is usual in skin is too little in an X-ray.
    faded = Image.blend(Image.new("RGB", film.size, (128, 128, 128)), film, 0.3)
    assert "flat" in film_codes(faded)
    assert "flat" not in codes(faded)


@pytest.mark.parametrize("level", [0, 255])
def test_a_black_or_white_radiograph_cannot_be_judged(level: int) -> None:
    quality = assess_quality(np.full((300, 300, 3), level, np.uint8), kind="radiograph")
    assert not quality.evaluable
    assert {flag.code for flag in quality.flags} >= {"blurred", "flat", "dark" if level == 0 else "bright"}
    assert all(flag.kind == "radiograph" for flag in quality.flags)


def test_a_tiny_radiograph_cannot_be_judged() -> None:
    quality = assess_quality(pixels_of(draw_film(1)), kind="radiograph", shorter_side_px=40)
    assert {flag.code for flag in quality.flags} == {"small"}
    assert not quality.evaluable


@pytest.mark.skipif(not DATA.exists(), reason="no real pictures: ../shared/data is absent")
@pytest.mark.parametrize("folder", ["chest_xray/train/NORMAL", "chest_xray/train/PNEUMONIA", "knee_oa/val/0"])
def test_few_real_radiographs_are_flagged_and_blurred_ones_are(folder: str) -> None:
    paths = sorted((DATA / folder).iterdir())[::10][:150]
    pictures = [read_picture(path).pixels for path in paths]
    found = [assess_quality(pixels, kind="radiograph") for pixels in pictures]
    assert len(found) > 30
    assert np.mean([bool(quality.flags) for quality in found]) <= 0.02
    assert all(quality.evaluable for quality in found)
    for pixels in pictures[:20]:
        image = Image.fromarray(pixels)
        assert "blurred" in film_codes(image.filter(ImageFilter.GaussianBlur(min(image.size) * 3 / 128)))


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

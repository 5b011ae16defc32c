"""Figures of drawn outlines whose asymmetry, border, colours and diameter are known."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from secondlook.explanation.abcd import (
    COLOURS,
    measure_asymmetry,
    measure_colours,
    measure_outline,
    outline_picture,
)
from secondlook.imaging.dicom.facts import DicomFacts
from secondlook.imaging.read import Picture, Source
from tests.explanation.segmentation.drawing import SKIN, draw_ellipse


def turn_ellipse(degrees: float) -> NDArray[np.bool_]:
    """Return bool 160×160, an ellipse of radii 60 and 30 whose long axis is turned clockwise."""
    down, across = np.mgrid[0:160, 0:160] - 79.5
    angle = math.radians(degrees)
    along = across * math.cos(angle) + down * math.sin(angle)
    beside = down * math.cos(angle) - across * math.sin(angle)
    return np.hypot(along / 60, beside / 30) <= 1


@pytest.mark.parametrize("degrees", [0, 20, 45, 70])
def test_a_symmetric_shape_has_no_asymmetry_however_it_is_turned(degrees: int) -> None:
    asymmetry, axis = measure_asymmetry(turn_ellipse(degrees))
    assert asymmetry < 0.03
    assert axis == pytest.approx(degrees, abs=5)


def test_half_a_disc_is_asymmetric_about_one_axis() -> None:
    _, mask = draw_ellipse((200, 200), radii_px=(60, 60))
    mask[100:] = False
    asymmetry, _ = measure_asymmetry(mask)
    # Both halves of the half mirror each other exactly; across, the centroid at 4r/3π leaves 0.157 without an image.
    assert 0.04 < asymmetry < 0.12


def test_a_triangle_is_more_asymmetric_than_a_square() -> None:
    down, across = np.mgrid[0:100, 0:100]
    square = (down >= 20) & (down < 80) & (across >= 20) & (across < 80)
    triangle = (across >= 10) & (down < 90) & (across < down)
    assert measure_asymmetry(square)[0] < 0.01
    assert measure_asymmetry(triangle)[0] > 0.1


def test_a_jagged_border_is_more_irregular_than_a_smooth_one() -> None:
    down, across = np.mgrid[0:200, 0:200] - 100.0
    angle, distance = np.arctan2(down, across), np.hypot(down, across)
    pixels = np.full((200, 200, 3), SKIN, np.uint8)
    figures = [
        measure_outline(pixels, distance < 60 * (1 + depth * np.sin(9 * angle))).irregularity
        for depth in (0.0, 0.1, 0.2)
    ]
    assert figures[0] == pytest.approx(1, abs=0.01)
    assert figures[0] + 0.2 < figures[1] < figures[2] - 0.2


@pytest.mark.parametrize("name", COLOURS)
def test_each_colour_is_told_on_any_skin(name: str) -> None:
    for skin in (SKIN, (150, 110, 92)):
        pixels = np.full((100, 100, 3), skin, np.uint8)
        mask = np.zeros((100, 100), dtype=bool)
        mask[30:70, 30:70] = True
        pixels[mask] = COLOURS[name]
        shares = measure_colours(pixels, mask)
        assert shares[name] > 0.9


@pytest.mark.parametrize("name", ["light_brown", "dark_brown"])
@pytest.mark.parametrize("lamp", [(1.0, 0.65, 0.85), (0.75, 0.9, 1.0)])
def test_a_coloured_lamp_makes_brown_neither_red_nor_blue(name: str, lamp: tuple[float, float, float]) -> None:
    pixels, mask = np.full((100, 100, 3), SKIN, np.uint8), np.zeros((100, 100), dtype=bool)
    mask[30:70, 30:70] = True
    pixels[mask] = COLOURS[name]
    assert measure_colours((pixels * np.array(lamp)).astype(np.uint8), mask)[name] > 0.9


def test_what_looks_like_the_skin_around_has_no_colour() -> None:
    pixels, mask = np.full((100, 100, 3), SKIN, np.uint8), np.zeros((100, 100), dtype=bool)
    mask[30:70, 30:70] = True
    assert sum(measure_colours(pixels, mask).values()) == 0
    pixels[30:70, 30:50] = COLOURS["black"]
    outline = measure_outline(pixels, mask)
    assert outline.present == ("black",)
    assert outline.colours["black"] == pytest.approx(0.5)


def test_the_diameter_is_that_of_the_original_file() -> None:
    pixels, mask = draw_ellipse(radii_px=(30, 50))
    assert measure_outline(pixels, mask).diameter_px == pytest.approx(100, rel=0.03)
    half = measure_outline(pixels, mask, reduction=2, mm_per_px=0.05)
    assert half.diameter_px == pytest.approx(200, rel=0.03)
    assert half.diameter_mm == pytest.approx(10, rel=0.03)


def test_a_dicom_file_s_spacing_gives_millimetres_and_another_file_none() -> None:
    pixels, _ = draw_ellipse(radii_px=(30, 50))
    facts = DicomFacts("XC", "RGB", 8, "Explicit VR Little Endian", spacing_mm=(0.1, 0.1))
    known = outline_picture(Picture(pixels, Source("DICOM", 400, 300, dicom=facts)))
    plain = outline_picture(Picture(pixels, Source("JPEG", 400, 300)))
    assert known is not None
    assert plain is not None
    assert known.diameter_mm == pytest.approx(20, rel=0.05)
    assert plain.diameter_mm is None
    assert plain.diameter_px == pytest.approx(200, rel=0.05)


def test_a_large_picture_is_measured_as_a_small_one() -> None:
    figures = []
    for size in ((150, 200), (1200, 1600)):
        pixels, _ = draw_ellipse(size, radii_px=(0.2 * size[0], 0.2 * size[1]))
        figures.append(outline_picture(Picture(pixels, Source("PNG", size[1], size[0]))))
    small, large = figures
    assert small is not None
    assert large is not None
    assert max(large.size) <= 256
    assert large.diameter_px == pytest.approx(8 * small.diameter_px, rel=0.04)
    assert large.area_share == pytest.approx(small.area_share, rel=0.05)
    assert large.irregularity == pytest.approx(small.irregularity, rel=0.03)


def test_a_lesion_at_the_edge_is_said_to_be_cut_off() -> None:
    pixels, mask = draw_ellipse(centre=(0.5, 0.1))
    assert measure_outline(pixels, mask).cut
    assert not measure_outline(*draw_ellipse()).cut


def test_no_lesion_gives_no_figures() -> None:
    assert outline_picture(Picture(np.full((60, 80, 3), 200, np.uint8), Source("PNG", 80, 60))) is None

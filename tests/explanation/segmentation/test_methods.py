"""Every method finds a drawn lesion where it is, follows it, and finds nothing where nothing is."""

import numpy as np
import pytest

from secondlook.errors import InputError
from secondlook.explanation.segmentation import DEFAULT, METHODS, ColourRange, find_method, segment_lesion
from tests.explanation.segmentation.drawing import draw_ellipse, measure_jaccard

RANGE = ColourRange((80, 40, 30), (165, 120, 100))
SEGMENTS = {name: method.segment for name, method in METHODS.items()} | {"range": RANGE}


@pytest.mark.parametrize("name", SEGMENTS)
def test_a_drawn_ellipse_is_found(name: str) -> None:
    pixels, drawn = draw_ellipse()
    found = SEGMENTS[name](pixels)
    assert found.shape == drawn.shape
    assert found.dtype == bool
    assert measure_jaccard(found, drawn) > 0.9


@pytest.mark.parametrize("name", SEGMENTS)
@pytest.mark.parametrize("centre", [(0.4, 0.4), (0.55, 0.62)])
def test_the_outline_follows_a_lesion_that_moves(name: str, centre: tuple[float, float]) -> None:
    pixels, drawn = draw_ellipse(centre=centre, radii_px=(25, 30))
    found = SEGMENTS[name](pixels)
    assert measure_jaccard(found, drawn) > 0.85
    down, across = (axis.mean() for axis in np.nonzero(found))
    assert abs(down - centre[0] * 150) < 3
    assert abs(across - centre[1] * 200) < 3


@pytest.mark.parametrize("name", SEGMENTS)
@pytest.mark.parametrize("size", [(60, 80), (450, 600), (700, 300)])
def test_any_size_is_outlined_at_that_size(name: str, size: tuple[int, int]) -> None:
    pixels, drawn = draw_ellipse(size, radii_px=(0.2 * min(size), 0.27 * min(size)))
    found = SEGMENTS[name](pixels)
    assert found.shape == size
    assert measure_jaccard(found, drawn) > 0.8


@pytest.mark.parametrize("name", SEGMENTS)
def test_the_same_picture_gives_the_same_outline(name: str) -> None:
    pixels, _ = draw_ellipse(seed=3)
    assert np.array_equal(SEGMENTS[name](pixels), SEGMENTS[name](pixels.copy()))


@pytest.mark.parametrize("name", SEGMENTS)
@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_picture_of_one_colour_has_no_lesion(name: str, level: int) -> None:
    assert not SEGMENTS[name](np.full((90, 120, 3), level, np.uint8)).any()


@pytest.mark.parametrize("name", SEGMENTS)
@pytest.mark.parametrize("size", [(1, 1), (1, 50), (7, 3)])
def test_a_tiny_picture_is_no_failure(name: str, size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert SEGMENTS[name](pixels).shape == size


def test_methods_are_called_by_name() -> None:
    pixels, drawn = draw_ellipse()
    assert measure_jaccard(segment_lesion(pixels), drawn) > 0.9
    assert DEFAULT in METHODS
    with pytest.raises(InputError, match=r"Expected a method, one of .*otsu; got 'watershed'"):
        find_method("watershed")

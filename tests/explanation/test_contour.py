"""Borders of masks whose length, area and width are known."""

import numpy as np
import pytest

from secondlook.explanation.contour import find_diameter, measure_area, measure_length, trace_border
from tests.explanation.segmentation.drawing import draw_ellipse


@pytest.mark.parametrize("radius", [12, 30, 60])
def test_a_disc_has_its_circumference_and_area(radius: int) -> None:
    _, mask = draw_ellipse(radii_px=(radius, radius))
    border = trace_border(mask)
    assert border.shape == (360, 2)
    assert measure_length(border) == pytest.approx(2 * np.pi * radius, rel=0.02)
    assert measure_area(border) == pytest.approx(np.pi * radius**2, rel=0.02)
    assert border.mean(axis=0) == pytest.approx((100, 75), abs=0.6)


def test_a_rectangle_has_its_diagonal() -> None:
    mask = np.zeros((100, 120), dtype=bool)
    mask[20:50, 30:70] = True
    one, other = find_diameter(trace_border(mask))
    assert np.hypot(*(one - other)) == pytest.approx(50, rel=0.06)


@pytest.mark.parametrize("size", [(1, 1), (1, 6), (6, 1), (2, 2)])
def test_the_smallest_regions_and_whole_pictures_have_a_border(size: tuple[int, int]) -> None:
    border = trace_border(np.ones(size, dtype=bool))
    assert np.isfinite(border).all()
    assert border.min() >= 0
    assert (border.max(axis=0) <= (size[1], size[0])).all()


def test_a_region_that_touches_itself_by_a_corner_keeps_out_what_lies_behind_it() -> None:
    ring = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 0]], dtype=bool)
    border = trace_border(np.kron(ring, np.ones((20, 20), dtype=bool)))
    assert measure_area(border) == pytest.approx(7 * 400, rel=0.05)

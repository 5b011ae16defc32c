"""The drawing of an outline."""

import numpy as np
import pytest

from secondlook.explanation.abcd import measure_outline
from secondlook.explanation.sketch import sketch_outline
from tests.explanation.segmentation.drawing import draw_ellipse


@pytest.mark.parametrize("size", [(150, 200), (900, 1200)])
def test_the_drawing_follows_the_lesion(size: tuple[int, int]) -> None:
    radius = size[0] / 5
    pixels, mask = draw_ellipse(size, centre=(0.5, 0.3), radii_px=(radius, radius))
    sheet = np.asarray(sketch_outline(pixels, measure_outline(pixels, mask)))
    factor = sheet.shape[1] / size[1]
    assert 640 <= sheet.shape[1] <= 1024
    assert sheet.shape[0] > size[0] * factor + 50  # the figures stand below
    white = (sheet[: round(size[0] * factor)] > 250).all(axis=2)
    rows, columns = np.nonzero(white)
    assert columns.mean() / factor == pytest.approx(0.3 * size[1], abs=4 * size[1] / 200)
    distance = np.hypot(rows / factor - size[0] / 2, columns / factor - 0.3 * size[1])
    assert np.abs(distance - radius).max() < 0.08 * radius + 3

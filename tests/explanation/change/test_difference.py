"""The map of differences shows where something changed, and stays empty where nothing did."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from secondlook.explanation.change.appearance import measure_appearance
from secondlook.explanation.change.difference import LIMIT, draw_difference, map_difference
from secondlook.explanation.change.placement import Similarity
from tests.drawing import draw_lesion
from tests.explanation.change.drawing import SIZE, move_picture, place

STAY = Similarity(1.0, 0.0, 0.0, 0.0)


def map_pictures(one: np.ndarray, other: np.ndarray, placement: Similarity) -> np.ndarray:
    seen = [measure_appearance(pixels) for pixels in (one, other)]
    assert seen[0] is not None
    assert seen[1] is not None
    factors = (seen[0].pixels.shape[1] / one.shape[1], seen[1].pixels.shape[1] / other.shape[1])
    return map_difference(seen[0], seen[1], placement.rescale(*factors))


def test_a_new_dark_spot_stands_out_where_it_is() -> None:
    before = draw_lesion(1, "nv", size=SIZE)
    after = before.copy()
    ImageDraw.Draw(after).ellipse((250, 150, 290, 190), fill=(25, 20, 25))
    distance = map_pictures(np.asarray(before), np.asarray(after), STAY)
    row, column = np.unravel_index(int(np.nanargmax(distance)), distance.shape)
    factor = SIZE[0] / distance.shape[1]
    assert abs(column * factor - 270) < 25
    assert abs(row * factor - 170) < 25
    assert 0.002 < (distance > LIMIT).mean() < 0.05


@pytest.mark.parametrize("lamp", [(1.0, 1.0, 1.0), (0.85, 0.75, 0.6)])
def test_the_same_lesion_moved_and_lit_otherwise_shows_no_difference(lamp: tuple[float, float, float]) -> None:
    before = np.asarray(draw_lesion(1, "nv", size=SIZE))
    there = place(turn_degrees=20, scale=0.9)
    after = np.clip(move_picture(before, there) * np.array(lamp), 0, 255).astype(np.uint8)
    distance = map_pictures(before, after, there)
    assert np.isfinite(distance).mean() > 0.7
    assert (np.nan_to_num(distance) > LIMIT).mean() < 0.04


def test_what_only_one_picture_shows_is_no_difference() -> None:
    before = np.asarray(draw_lesion(1, "nv", size=SIZE))
    distance = map_pictures(before, before, place(shift=(-200, 0)))
    assert np.isnan(distance[:, :20]).all()


def test_the_drawing_is_clear_below_the_limit_and_strong_above() -> None:
    drawn = draw_difference(np.array([[0.0, LIMIT - 1], [LIMIT + 5, np.nan]], np.float32))
    assert isinstance(drawn, Image.Image)
    opacity = np.asarray(drawn)[..., 3]
    assert opacity[0, 0] == opacity[0, 1] == opacity[1, 1] == 0
    assert opacity[1, 0] > 100

import io

import numpy as np
import pytest
from PIL import Image

from secondlook.explanation.overlay import blend_overlay, colour_heat, draw_overlay, encode_png
from secondlook.imaging.resize import find_box


def heat_cell(row: int, column: int, cells: int = 8) -> np.ndarray:
    heatmap = np.zeros((cells, cells), np.float32)
    heatmap[row, column] = 1
    return heatmap


def find_seen(size: tuple[int, int]) -> tuple[float, float, float, float]:
    width, height = size
    left, top, right, bottom = find_box(width, height, size_px=64)
    return left / width, top / height, right / width, bottom / height


def find_centre(overlay: Image.Image) -> tuple[float, float]:
    opacity = np.asarray(overlay)[..., 3].astype(float)
    return tuple(np.average(np.indices(opacity.shape).reshape(2, -1), axis=1, weights=opacity.ravel()) + 0.5)


@pytest.mark.parametrize("size", [(600, 450), (450, 600), (401, 300), (256, 256)])
@pytest.mark.parametrize("cell", [(0, 0), (3, 6), (7, 7), (4, 1)])
def test_heat_lies_where_the_cell_lies_in_the_central_square(size: tuple[int, int], cell: tuple[int, int]) -> None:
    width, height = size
    side = min(size)
    row, column = find_centre(draw_overlay(heat_cell(*cell), size, seen=find_seen(size)))
    expected = [(size - side) / 2 + (index + 0.5) * side / 8 for size, index in ((height, cell[0]), (width, cell[1]))]
    # At the border the smooth spot is cut, so its centre moves inwards by less than a fifth of a cell.
    assert (row, column) == pytest.approx(expected, abs=side / 8 / 5)


def test_outside_the_central_square_nothing_is_drawn() -> None:
    overlay = np.asarray(draw_overlay(np.ones((8, 8), np.float32), (600, 450), seen=find_seen((600, 450))))
    assert not overlay[:, :75].any()
    assert not overlay[:, 525:].any()
    assert (overlay[:, 75:525, 3] == 255).all()


def test_of_a_stretched_picture_everything_is_drawn() -> None:
    overlay = draw_overlay(heat_cell(3, 6), (600, 450))
    assert find_centre(overlay) == pytest.approx([3.5 * 450 / 8, 6.5 * 600 / 8], abs=3)


def test_no_heat_is_fully_transparent() -> None:
    assert not np.asarray(draw_overlay(np.zeros((7, 7), np.float32), (64, 48)))[..., 3].any()


def test_heat_is_drawn_smoothly() -> None:
    opacity = np.asarray(draw_overlay(heat_cell(3, 3), (480, 480)))[..., 3].astype(int)
    row = opacity[210, :]
    assert len(set(row.tolist())) > 20
    assert np.abs(np.diff(row)).max() < 60


def measure_lightness(colours: np.ndarray) -> np.ndarray:
    linear = (colours.reshape(-1, 3) / 255) ** 2.2
    return linear @ [0.2126, 0.7152, 0.0722]


def test_the_scale_reads_by_lightness_alone() -> None:
    steps = measure_lightness(colour_heat(np.linspace(0, 1, 64)[None]))
    assert (np.diff(steps) > 0).all()
    assert steps[-1] - steps[0] > 0.7


@pytest.mark.parametrize(
    "deficiency",
    [
        # Lacking red, green, blue: Machado, Oliveira, Fernandes 2009, doi 10.1109/TVCG.2009.113, severity 1.
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    ],
)
def test_the_scale_keeps_its_order_for_colour_blind_readers(deficiency: list[list[float]]) -> None:
    colours = colour_heat(np.linspace(0, 1, 16)[None]).reshape(-1, 3)
    seen = np.clip((colours / 255) ** 2.2 @ np.array(deficiency).T, 0, 1)
    lightness = seen @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(lightness) > 0.005).all()


def test_a_blend_keeps_the_picture_where_nothing_is_hot() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    blended = np.asarray(blend_overlay(pixels, heat_cell(4, 4), seen=find_seen((120, 90))))
    assert blended.shape == pixels.shape
    assert (blended[:, :15] == pixels[:, :15]).all()
    assert (blended[50:55, 65:70] != pixels[50:55, 65:70]).any()


def test_strength_sets_how_much_of_the_picture_remains() -> None:
    black = np.zeros((64, 64, 3), np.uint8)
    hot = np.ones((4, 4), np.float32)
    assert np.asarray(blend_overlay(black, hot, strength=0)).max() == 0
    assert np.asarray(blend_overlay(black, hot, strength=0.5))[32, 32, 0] == pytest.approx(128, abs=1)


def test_png_keeps_transparency() -> None:
    overlay = draw_overlay(heat_cell(2, 2), (40, 30))
    with Image.open(io.BytesIO(encode_png(overlay))) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGBA", (40, 30))
        assert np.array_equal(np.asarray(image), np.asarray(overlay))

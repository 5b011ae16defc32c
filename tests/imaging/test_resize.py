import numpy as np
import pytest
from PIL import Image

from secondlook.imaging.resize import find_box, read_size, resize_picture


def draw_ramp(width: int, height: int) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width]
    channels = [255 * columns / (width - 1), 255 * rows / (height - 1), np.zeros((height, width))]
    return np.dstack(channels).round().astype(np.uint8)


@pytest.mark.parametrize(
    ("size", "size_px", "resize", "box"),
    [
        ((600, 450), 224, "central_crop", (75, 0, 525, 450)),
        ((450, 600), 224, "central_crop", (0, 75, 450, 525)),
        ((600, 450), (75, 100), "central_crop", (0, 0, 600, 450)),
        ((600, 600), (75, 100), "central_crop", (0, 75, 600, 525)),
        ((600, 450), 224, "stretch", (0, 0, 600, 450)),
    ],
)
def test_the_network_sees_the_largest_central_part_or_everything(size, size_px, resize, box) -> None:
    assert find_box(*size, size_px=size_px, resize=resize) == pytest.approx(box)


@pytest.mark.parametrize("size_px", [100, 150, 176, 192, 224, 299, (224, 299)])
def test_the_part_never_reaches_beyond_the_picture(size_px) -> None:
    for side in range(1, 2500):
        for width, height in ((side, side), (side, 2 * side + 1), (2 * side + 1, side)):
            left, top, right, bottom = find_box(width, height, size_px=size_px)
            assert 0 <= left < right <= width
            assert 0 <= top < bottom <= height


def test_a_picture_whose_crop_is_no_exact_number_is_resized() -> None:
    assert resize_picture(draw_ramp(225, 300), 224).shape == (224, 224, 3)


def test_a_crop_keeps_the_middle_and_a_stretch_the_edges() -> None:
    ramp = draw_ramp(400, 200)
    cropped, stretched = resize_picture(ramp, 50), resize_picture(ramp, 50, resize="stretch")
    assert cropped.shape == stretched.shape == (50, 50, 3)
    cropped, stretched = cropped.astype(int), stretched.astype(int)
    assert cropped[25, [0, -1], 0] == pytest.approx([64, 191], abs=3)
    assert stretched[25, [0, -1], 0] == pytest.approx([2, 253], abs=3)
    assert cropped[[0, -1], 25, 1] == pytest.approx([2, 253], abs=3)


def test_height_comes_before_width() -> None:
    assert resize_picture(draw_ramp(80, 60), (30, 40)).shape == (30, 40, 3)
    assert (read_size(7), read_size((3, 4))) == ((7, 7), (3, 4))


@pytest.mark.parametrize(("size", "least"), [((574, 500), 0), ((1001, 769), 0.01), ((576, 3001), 0.01)])
def test_blocks_of_a_large_picture_change_little_and_those_of_a_small_one_nothing(size, least) -> None:
    random = np.random.default_rng(0)
    coarse = Image.fromarray(random.integers(0, 255, (90, 120, 3), dtype=np.uint8))
    pixels = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC))
    box = find_box(*size, size_px=192)
    plain = np.asarray(Image.fromarray(pixels).resize((192, 192), Image.Resampling.BICUBIC, box=box))
    difference = np.abs(resize_picture(pixels, 192).astype(float) - plain).mean()
    assert least <= difference <= 2 * 255 * least / 2.55

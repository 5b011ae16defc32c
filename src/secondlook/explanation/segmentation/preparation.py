"""Make a picture ready for segmentation: small, without hairs, without the lamp's colour, without dark corners."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from secondlook.explanation.segmentation.regions import Mask, label_regions

Pixels = NDArray[np.uint8]

WORKING_PX = 128
HAIR_PX, HAIR_REACH_PX, HAIR_DEPTH = 200, 4, 30
MINKOWSKI_NORM = 6
CORNER_LEVEL = 45


def shrink_picture(pixels: Pixels, *, longer_side_px: int = WORKING_PX) -> Pixels:
    """Return the picture with its longer side at most so many pixels, antialiased.

    Args:
        pixels: uint8 H×W×3, RGB.
        longer_side_px: The longer side of the result.
    """
    image = Image.fromarray(pixels)
    scale = longer_side_px / max(image.size)
    if scale >= 1:
        return pixels
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC))


def enlarge_mask(mask: Mask, shape: tuple[int, int]) -> Mask:
    """Return a mask at another height and width, its border smooth.

    Args:
        mask: bool h×w.
        shape: Height and width of the result.
    """
    soft = Image.fromarray(mask.astype(np.uint8) * 255).resize((shape[1], shape[0]), Image.Resampling.BICUBIC)
    return np.asarray(soft) >= 128


def remove_hairs(pixels: Pixels) -> Pixels:
    """Replace thin dark lines by what lies on both sides of them.

    As DullRazor does (Lee, Ng, Gallagher, Coldman, McLean 1997, doi 10.1016/S0010-4825(97)00020-6): where a grey
    closing along a line of any of four directions is brighter than the picture, there is a hair.

    Args:
        pixels: uint8 H×W×3, RGB, at working size.
    """
    grey = pixels.astype(np.int16).sum(axis=2) // 3
    depth = np.max([_close_along(grey, step) for step in ((0, 1), (1, 0), (1, 1), (1, -1))], axis=0) - grey
    hairs = depth > HAIR_DEPTH
    if not hairs.any():
        return pixels
    hairs = _spread(hairs)
    clean = pixels.astype(np.float32)
    known = (~hairs).astype(np.float32)
    total, weight = _blur(clean * known[..., None]), _blur(known)
    filled = np.where((hairs & (weight > 0))[..., None], total / np.maximum(weight, 1e-6)[..., None], clean)
    return np.asarray(np.rint(filled), dtype=np.uint8)


def _close_along(grey: NDArray[np.int16], step: tuple[int, int]) -> NDArray[np.int16]:
    """Return the closing along a line: the least of the greatest values along it."""
    offsets = [(step[0] * count, step[1] * count) for count in range(-HAIR_REACH_PX // 2, HAIR_REACH_PX // 2 + 1)]
    return _combine(_combine(grey, offsets, np.maximum), offsets, np.minimum)


def _combine(values: NDArray[np.int16], offsets: list[tuple[int, int]], combine: np.ufunc) -> NDArray[np.int16]:
    height, width = values.shape
    edge = np.pad(values, HAIR_REACH_PX, mode="edge")
    result = values
    for down, across in offsets:
        top, left = HAIR_REACH_PX + down, HAIR_REACH_PX + across
        result = combine(result, edge[top : top + height, left : left + width])
    return result


def _spread(mask: Mask) -> Mask:
    """Return the mask with the four neighbours of its pixels."""
    wide = np.pad(mask, 1)
    return np.asarray(wide[1:-1, 1:-1] | wide[:-2, 1:-1] | wide[2:, 1:-1] | wide[1:-1, :-2] | wide[1:-1, 2:])


def _blur(values: NDArray[np.float32], reach: int = 4) -> NDArray[np.float32]:
    """Return sums over squares of side 2 × reach + 1."""
    for axis in (0, 1):
        padding = [(reach + 1, reach) if other == axis else (0, 0) for other in range(values.ndim)]
        sums = np.cumsum(np.pad(values, padding), axis=axis, dtype=np.float32)
        count = values.shape[axis]
        span = 2 * reach + 1
        values = np.take(sums, range(span, span + count), axis) - np.take(sums, range(count), axis)
    return values


def balance_colours(pixels: Pixels) -> Pixels:
    """Take the lamp's colour out: shades of grey (Finlayson, Trezzi 2004, doi 10.2352/CIC.2004.12.1.art00008).

    Args:
        pixels: uint8 H×W×3, RGB.
    """
    means = (pixels.astype(np.float32) ** MINKOWSKI_NORM).mean(axis=(0, 1)) ** (1 / MINKOWSKI_NORM)
    gain = means.mean() / np.maximum(means, 1.0)
    return np.asarray(np.rint(np.clip(pixels * gain, 0, 255)), dtype=np.uint8)


def find_dark_corners(pixels: Pixels) -> Mask:
    """Return where the black rim of a dermatoscope covers a corner.

    Args:
        pixels: uint8 H×W×3, RGB.
    """
    regions = label_regions(pixels.max(axis=2) < CORNER_LEVEL)
    corners = {int(regions[row, column]) for row in (0, -1) for column in (0, -1)} - {0}
    return np.isin(regions, list(corners))

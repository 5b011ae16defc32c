"""What registration looks at in a picture: fine structure, without light and without the rim of a dermatoscope."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from secondlook.explanation.change.placement import Similarity
from secondlook.explanation.segmentation.preparation import Pixels, find_dark_corners, shrink_picture
from secondlook.explanation.segmentation.regions import Mask

Floats = NDArray[np.floating]

SMOOTHING, COARSE, DETAIL = 1 / 160, 1 / 10, 1 / 40
RIM_SHARE = 1 / 40
LEAST_POWER = 1.0  # so that sensor noise on plain skin is not blown up


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """A picture's structure.

    Attributes:
        values: float32 h×w, about zero on average and of unit spread.
        known: bool h×w, what shows skin rather than the rim.
        reduction: How many pixels of the picture one of these stands for, along a side.
    """

    values: Floats
    known: Mask
    reduction: float


def prepare_structure(pixels: Pixels, *, longer_side_px: int, coarse: float = COARSE) -> Structure:
    """Return the structure of a picture.

    Args:
        pixels: uint8 H×W×3, RGB.
        longer_side_px: The longer side of the result.
        coarse: What is wider than this share of the longer side is left out.
    """
    small = shrink_picture(pixels, longer_side_px=longer_side_px)
    side = max(small.shape[:2])
    known = ~widen(find_dark_corners(small), round(RIM_SHARE * side))
    grey: Floats = small.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    band = np.where(known, _blur(grey, known, SMOOTHING * side) - _blur(grey, known, coarse * side), 0)
    spread = np.sqrt(np.maximum(_blur(band**2, known, coarse * side), LEAST_POWER))
    return Structure((band / spread).astype(np.float32), known, pixels.shape[1] / small.shape[1])


def sample_plane(plane: Floats, x: Floats, y: Floats) -> tuple[Floats, Mask]:
    """Return a plane's values between its pixels, and which places lie inside of it.

    Args:
        plane: float32 …×h×w, one plane or several of the same size.
        x: Places from left to right, in pixels; 0 is the left edge, 0.5 the middle of the first one.
        y: Places from top to bottom.
    """
    height, width = plane.shape[-2:]
    x, y = x - 0.5, y - 0.5
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    left = np.clip(x, 0, width - 1.001).astype(np.int32)
    top = np.clip(y, 0, height - 1.001).astype(np.int32)
    right_share, lower_share = np.clip(x - left, 0, 1), np.clip(y - top, 0, 1)
    flat, at = plane.reshape(*plane.shape[:-2], -1), top * width + left
    left_upper, upper = flat.take(at, -1), flat.take(at + 1, -1)
    left_lower, lower = flat.take(at + width, -1), flat.take(at + width + 1, -1)
    upper = left_upper + (upper - left_upper) * right_share
    lower = left_lower + (lower - left_lower) * right_share
    return (upper + (lower - upper) * lower_share).astype(np.float32), inside


def move_plane(plane: Floats, placement: Similarity, shape: tuple[int, ...]) -> tuple[Floats, Mask]:
    """Return a plane as it lies over a reference of this height and width, and where it has something to show.

    Args:
        plane: float32 h×w, of the other picture.
        placement: Where places of the reference lie in it.
        shape: Height and width of the reference.
    """
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32) + 0.5
    return sample_plane(plane, *placement.apply(columns, rows))


def _blur(values: Floats, known: Mask, radius_px: float) -> Floats:
    """Return a Gaussian mean over what is known."""
    weight = smooth_plane(known.astype(np.float32), radius_px)
    return smooth_plane(np.where(known, values, 0).astype(np.float32), radius_px) / np.maximum(weight, 1e-3)


def smooth_plane(values: Floats, radius_px: float) -> Floats:
    """Return a plane blurred by a Gaussian, by way of its spectrum; the edge is continued by its mirror image."""
    reach = int(3 * radius_px) + 1
    height, width = values.shape
    wide = np.pad(values, ((reach, reach), (reach, reach)), mode="symmetric")
    down = np.exp(-2 * (np.pi * np.fft.fftfreq(wide.shape[0]) * radius_px) ** 2)
    across = np.exp(-2 * (np.pi * np.fft.rfftfreq(wide.shape[1]) * radius_px) ** 2)
    soft = np.fft.irfft2(np.fft.rfft2(wide) * down[:, None] * across, s=wide.shape)
    return soft[reach : reach + height, reach : reach + width].astype(np.float32)


def widen(mask: Mask, reach_px: int) -> Mask:
    """Return the mask with everything that lies so near to it."""
    if not mask.any():
        return mask
    grown = Image.fromarray(mask.astype(np.uint8) * 255).filter(ImageFilter.MaxFilter(2 * reach_px + 1))
    return np.asarray(grown) > 0

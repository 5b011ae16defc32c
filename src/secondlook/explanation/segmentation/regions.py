"""Connected regions of a mask, and the one of them that is the lesion."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Mask = NDArray[np.bool_]

LEAST_SHARE, MOST_SHARE = 0.002, 0.98
CENTRE_SPREAD = 0.35


def label_regions(mask: Mask) -> NDArray[np.int32]:
    """Number the regions of a mask whose pixels touch by their sides.

    Args:
        mask: bool H×W.

    Returns:
        int32 H×W, 0 outside the mask, 1 and more inside; the numbers follow the rows.
    """
    height, width = mask.shape
    change = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(change == 1)
    _, ends = np.nonzero(change == -1)
    above, below = _pair_runs(rows, starts, ends, stride=width + 2)
    number = np.arange(len(rows))
    while True:
        least = number.copy()
        np.minimum.at(least, above, number[below])
        np.minimum.at(least, below, number[above])
        least = least[least]
        if np.array_equal(least, number):
            break
        number = least
    _, compact = np.unique(number, return_inverse=True)
    steps = np.zeros((height, width + 1), np.int32)
    np.add.at(steps, (rows, starts), compact + 1)
    np.add.at(steps, (rows, ends), -(compact + 1))
    return np.cumsum(steps, axis=1, dtype=np.int32)[:, :width]


def _pair_runs(
    rows: NDArray[np.intp], starts: NDArray[np.intp], ends: NDArray[np.intp], *, stride: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the numbers of all pairs of runs that touch, the upper one first."""
    first = np.searchsorted(rows * stride + ends, (rows + 1) * stride + starts, side="right")
    last = np.searchsorted(rows * stride + starts, (rows + 1) * stride + ends, side="left")
    counts = np.maximum(last - first, 0)
    above = np.repeat(np.arange(len(rows)), counts)
    offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return above, np.repeat(first, counts) + offset


def fill_holes(mask: Mask) -> Mask:
    """Return the mask with everything that it surrounds."""
    outside = label_regions(np.pad(~mask, 1, constant_values=True))
    return np.asarray(outside != outside[0, 0])[1:-1, 1:-1]


def smooth_mask(mask: Mask, radius_px: float) -> Mask:
    """Return the mask with corners and specks below the radius rounded off."""
    if radius_px <= 0:
        return mask
    soft = Image.fromarray(mask.astype(np.uint8) * 255).filter(ImageFilter.GaussianBlur(radius_px))
    return np.asarray(soft) >= 128


def weigh_centre(height: int, width: int) -> NDArray[np.float32]:
    """Return float32 H×W, 1 in the middle of a picture and falling off as a Gaussian."""
    down = (np.arange(height) + 0.5) / height - 0.5
    across = (np.arange(width) + 0.5) / width - 0.5
    distance = (down[:, None] ** 2 + across[None, :] ** 2) / CENTRE_SPREAD**2
    return np.exp(-distance / 2).astype(np.float32)


def choose_lesion(mask: Mask, *, radius_px: float = 2.0) -> Mask:
    """Return the one region that is largest and nearest to the middle, smoothed and without holes.

    Where nothing is left, or all but everything, no pixel is inside.

    Args:
        mask: bool H×W, everything that may be lesion.
        radius_px: How much the border is smoothed.
    """
    regions = label_regions(smooth_mask(mask, radius_px))
    weights = np.bincount(regions.ravel(), weights=weigh_centre(*mask.shape).ravel())
    if len(weights) < 2:
        return np.zeros_like(mask)
    lesion = fill_holes(regions == 1 + int(weights[1:].argmax()))
    share = float(lesion.mean())
    return lesion if LEAST_SHARE <= share <= MOST_SHARE else np.zeros_like(mask)

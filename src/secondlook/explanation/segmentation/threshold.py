"""Segmentation by thresholds: Otsu's, and a range of colours set by hand."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from secondlook.explanation.segmentation.preparation import (
    Pixels,
    enlarge_mask,
    find_dark_corners,
    shrink_picture,
)
from secondlook.explanation.segmentation.regions import Mask, choose_lesion


def segment_by_threshold(pixels: Pixels) -> Mask:
    """Take what is darker than Otsu's threshold for the lesion.

    Args:
        pixels: uint8 H×W×3, RGB.

    Returns:
        bool H×W.
    """
    small = shrink_picture(pixels)
    grey = np.asarray(np.rint(small @ np.array([0.299, 0.587, 0.114])), dtype=np.uint8)
    skin = ~find_dark_corners(small)
    if not skin.any():
        return np.zeros(pixels.shape[:2], dtype=bool)
    return enlarge_mask(choose_lesion((grey <= find_threshold(grey[skin])) & skin), pixels.shape[:2])


def find_threshold(levels: NDArray[np.uint8]) -> int:
    """Return the level that separates two groups best: the last one of the darker group.

    It maximises the variance between the groups (Otsu 1979, doi 10.1109/TSMC.1979.4310076).

    Args:
        levels: uint8 N.
    """
    shares = np.bincount(levels.ravel(), minlength=256) / levels.size
    below, moment = np.cumsum(shares), np.cumsum(shares * np.arange(256))
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (moment[-1] * below - moment) ** 2 / (below * (1 - below))
    return int(np.nan_to_num(between, posinf=0.0).argmax())


@dataclass(frozen=True, slots=True)
class ColourRange:
    """A range of colours set by hand; segments as every method does.

    Attributes:
        low: Least red, green and blue, 0…255.
        high: Greatest red, green and blue, 0…255.
    """

    low: tuple[int, int, int]
    high: tuple[int, int, int]

    def __call__(self, pixels: Pixels) -> Mask:
        """Take the region within the range for the lesion.

        Args:
            pixels: uint8 H×W×3, RGB.

        Returns:
            bool H×W.
        """
        small = shrink_picture(pixels)
        within = (small >= np.array(self.low)) & (small <= np.array(self.high))
        inside = np.asarray(within.all(axis=2))
        return enlarge_mask(choose_lesion(inside), pixels.shape[:2])

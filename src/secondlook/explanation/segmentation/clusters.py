"""Segmentation by k-means on colour."""

import numpy as np
from numpy.typing import NDArray

from secondlook.explanation.lab import convert_to_lab
from secondlook.explanation.segmentation.preparation import (
    Pixels,
    enlarge_mask,
    find_dark_corners,
    shrink_picture,
)
from secondlook.explanation.segmentation.regions import Mask, choose_lesion

Floats = NDArray[np.float32]

CLUSTERS = 2
ROUNDS = 30


def segment_by_clusters(pixels: Pixels) -> Mask:
    """Take the darker of two clusters of colours for the lesion.

    Args:
        pixels: uint8 H×W×3, RGB.

    Returns:
        bool H×W.
    """
    small = shrink_picture(pixels)
    skin = ~find_dark_corners(small)
    if not skin.any():
        return np.zeros(pixels.shape[:2], dtype=bool)
    colours = convert_to_lab(small)
    centres = find_clusters(colours[skin], clusters=CLUSTERS)
    nearest = _square_distances(colours.reshape(-1, 3), centres).argmin(axis=1).reshape(skin.shape)
    return enlarge_mask(choose_lesion((nearest == centres[:, 0].argmin()) & skin), pixels.shape[:2])


def find_clusters(points: Floats, *, clusters: int) -> Floats:
    """Return the centres that k-means finds, always the same for the same points.

    Lloyd 1982, doi 10.1109/TIT.1982.1056489, from centres at even ranks of the first coordinate.

    Args:
        points: float32 N×D.
        clusters: Number of centres K.

    Returns:
        float32 K×D.
    """
    ranks = ((np.arange(clusters) + 0.5) / clusters * len(points)).astype(int)
    centres = points[np.argsort(points[:, 0], kind="stable")[ranks]]
    for _ in range(ROUNDS):
        nearest = _square_distances(points, centres).argmin(axis=1)
        moved = np.stack(
            [points[nearest == key].mean(axis=0) if (nearest == key).any() else centres[key] for key in range(clusters)]
        )
        if np.allclose(moved, centres, atol=1e-3):
            break
        centres = moved
    return np.asarray(centres, dtype=np.float32)


def _square_distances(points: Floats, centres: Floats) -> Floats:
    return np.asarray(((points[:, None, :] - centres[None]) ** 2).sum(axis=2), dtype=np.float32)

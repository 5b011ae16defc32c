"""Heatmaps on the grid of the original picture: smooth, and aligned after crop and resize."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Box = tuple[float, float, float, float]
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


def smooth_heatmap(heatmap: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Return a heatmap with as many values as the part that it explains has pixels, without steps between cells.

    Args:
        heatmap: float32 h×w in 0…1, row 0 at the top.
        size: Width and height of the part in pixels.

    Returns:
        float32 H×W in 0…1.
    """
    heat = Image.fromarray(heatmap.astype(np.float32)).resize(size, Image.Resampling.BICUBIC)
    return np.clip(np.asarray(heat, dtype=np.float32), 0, 1)


def place_heatmap(heatmap: NDArray[np.float32], size: tuple[int, int], *, seen: Box = WHOLE) -> NDArray[np.float32]:
    """Return a heatmap over the whole original picture; nothing is hot where the network did not look.

    Args:
        heatmap: float32 h×w in 0…1 over the part that the network saw, row 0 at the top.
        size: Width and height of the original picture in pixels.
        seen: Left, top, right and lower edge of that part as shares of width and height.

    Returns:
        float32 H×W in 0…1.
    """
    left, top, width, height = find_part(size, seen)
    placed = np.zeros((size[1], size[0]), np.float32)
    placed[top : top + height, left : left + width] = smooth_heatmap(heatmap, (width, height))
    return placed


def find_part(size: tuple[int, int], seen: Box) -> tuple[int, int, int, int]:
    """Return left and upper edge, width and height in pixels of the part that the network saw, at least one each."""
    width, height = size
    left, top = round(seen[0] * width), round(seen[1] * height)
    return left, top, max(1, round(seen[2] * width) - left), max(1, round(seen[3] * height) - top)

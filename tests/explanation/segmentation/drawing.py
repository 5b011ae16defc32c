"""Drawn lesions whose outline is known."""

import numpy as np
from numpy.typing import NDArray

SKIN, MOLE = (222, 178, 160), (112, 72, 58)


def draw_ellipse(
    size: tuple[int, int] = (150, 200),
    *,
    centre: tuple[float, float] = (0.5, 0.5),
    radii_px: tuple[float, float] = (35.0, 50.0),
    seed: int = 0,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return a picture uint8 H×W×3 of one brown ellipse on skin with grain and a shade, and its mask bool H×W."""
    height, width = size
    down, across = np.mgrid[0:height, 0:width] + 0.5
    distance = np.hypot(
        (down - centre[0] * height) / radii_px[0],
        (across - centre[1] * width) / radii_px[1],
    )
    cover = np.clip((1 - distance) * min(radii_px) / 3 + 0.5, 0, 1)[..., None]
    ground = np.array(SKIN) * (0.96 + 0.08 * across / width)[..., None]
    grain = np.random.default_rng(seed).normal(0, 4, (height, width, 1))
    pixels = cover * np.array(MOLE) + (1 - cover) * ground + grain
    return np.clip(pixels, 0, 255).astype(np.uint8), distance <= 1


def measure_jaccard(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Return the Jaccard index, written apart from the measure of evaluation."""
    return float(np.count_nonzero(one & other) / np.count_nonzero(one | other))

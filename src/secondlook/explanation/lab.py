"""sRGB in the terms in which colours differ as eyes see it: CIE L*a*b*."""

import numpy as np
from numpy.typing import NDArray

# IEC 61966-2-1 to CIE XYZ, each row divided by the white of D65, so that white is 1, 1, 1.
_TO_XYZ = np.array([[0.433953, 0.376219, 0.189828], [0.212671, 0.715160, 0.072169], [0.017758, 0.109477, 0.872765]])
_LINEAR_BELOW, _CUBE_ABOVE = 0.04045, 0.008856


def convert_to_lab(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return L* (0…100), a* and b* of sRGB pixels (CIE 15:2018, doi 10.25039/TR.015.2018).

    Args:
        pixels: uint8 …×3, RGB.

    Returns:
        float32 …×3.
    """
    steps = np.arange(256) / 255
    linear = np.where(steps <= _LINEAR_BELOW, steps / 12.92, ((steps + 0.055) / 1.055) ** 2.4).astype(np.float32)
    shares = linear[pixels] @ _TO_XYZ.T.astype(np.float32)
    roots = np.where(shares > _CUBE_ABOVE, np.cbrt(shares), 7.787 * shares + 16 / 116)
    x, y, z = np.moveaxis(roots, -1, 0)
    return np.asarray(np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1), dtype=np.float32)

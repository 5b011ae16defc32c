"""The one way in which a picture becomes a network's input, in training, in evaluation and in serving."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def resize_square(pixels: NDArray[np.uint8], size_px: int) -> NDArray[np.uint8]:
    """Resize the central square of a picture.

    Args:
        pixels: uint8 H×W×3, RGB.
        size_px: Side of the result in pixels.

    Returns:
        uint8 size×size×3, RGB, antialiased (Pillow's bicubic filter, which widens with the reduction).
    """
    height, width = pixels.shape[:2]
    side = min(height, width)
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    image = Image.fromarray(pixels)
    return np.asarray(image.resize((size_px, size_px), Image.Resampling.BICUBIC, box=box))

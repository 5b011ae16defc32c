"""Drawn lesions that are moved, turned, enlarged, grown and recoloured by known amounts."""

import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from secondlook.explanation.change.placement import Similarity
from secondlook.explanation.segmentation.preparation import Pixels
from tests import drawing

SIZE = (480, 360)


def draw_changed(
    patch: pytest.MonkeyPatch, seed: int, label: str = "nv", *, growth: float = 1.0, darker: int = 0
) -> Pixels:
    """Draw a lesion on the very skin of ``draw_lesion``, its area ``growth`` times as large, its colours darker."""
    style = drawing.STYLES[label]
    changed = replace(
        style,
        radius=style.radius * math.sqrt(growth),
        softness=style.softness * math.sqrt(growth),
        rim=tuple(max(0, value - darker) for value in style.rim),
        centre=tuple(max(0, value - darker) for value in style.centre),
    )
    with patch.context() as inner:
        inner.setitem(drawing.STYLES, label, changed)
        return np.asarray(drawing.draw_lesion(seed, label, size=SIZE))


def move_picture(pixels: Pixels, placement: Similarity) -> Pixels:
    """Return the picture that shows at ``placement.apply(x, y)`` what this one shows at x, y."""
    back = placement.invert()
    numbers = (back.across, -back.down, back.shift_x, back.down, back.across, back.shift_y)
    moved = Image.fromarray(pixels).transform(
        (pixels.shape[1], pixels.shape[0]), Image.Transform.AFFINE, numbers, Image.Resampling.BICUBIC, fillcolor=SKIN
    )
    return np.asarray(moved)


def place(*, turn_degrees: float = 0.0, scale: float = 1.0, shift: tuple[float, float] = (0.0, 0.0)) -> Similarity:
    """Return a placement about the middle of the picture."""
    middle = (SIZE[0] / 2, SIZE[1] / 2)
    there = (middle[0] + shift[0], middle[1] + shift[1])
    return Similarity.about(middle, there, turn=math.radians(turn_degrees), scale=scale)


SKIN = (210, 165, 145)

"""The list of what is done to pictures, by kind of picture, each at five levels.

Hendrycks and Dietterich 2019, doi 10.48550/arXiv.1903.12261, set the pattern (kinds at five levels, and their mean);
for dermoscopy Maron et al. 2021, doi 10.1016/j.ejca.2020.11.034. Levels run from what a careful clinic sees every day
to what should be taken again.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from secondlook.conditions import Kind
from secondlook.evaluation.stress import artefacts, optics

Pixels = NDArray[np.uint8]
Change = Callable[[Pixels, float, np.random.Generator], Pixels]


@dataclass(frozen=True, slots=True)
class Corruption:
    """One thing that happens to pictures.

    Attributes:
        key: Short key, as evidence carries it.
        name: Name for a reader.
        amount: What the levels are, in words.
        levels: Five amounts, the mildest first.
        change: From pixels uint8 H×W×3 RGB, an amount and a generator to pixels.
    """

    key: str
    name: str
    amount: str
    levels: tuple[float, float, float, float, float]
    change: Change


LEVELS = 5
DEFOCUS = Corruption("defocus", "Defocus", "radius, % of the side", (0.4, 0.8, 1.3, 2.0, 3.0), optics.blur_defocus)
MOTION = Corruption("motion", "Motion", "length, % of the side", (1, 2, 3.5, 5.5, 8), optics.blur_motion)
JPEG = Corruption("jpeg", "JPEG", "quality", (60, 40, 25, 15, 8), optics.compress_jpeg)

CORRUPTIONS: dict[Kind, tuple[Corruption, ...]] = {
    "photograph": (
        DEFOCUS,
        MOTION,
        JPEG,
        Corruption("brightness", "Brightness", "stops, up or down", (0.25, 0.5, 0.8, 1.2, 1.7), optics.shift_exposure),
        Corruption("contrast", "Contrast", "% kept", (85, 70, 55, 40, 25), optics.lose_contrast),
        Corruption(
            "white_balance", "White balance", "mired, up or down", (15, 30, 50, 80, 120), optics.shift_white_balance
        ),
        Corruption("noise", "Noise", "electrons at white", (4000, 1500, 600, 250, 100), optics.add_noise),
        Corruption("hair", "Hair", "hairs", (3, 6, 12, 20, 32), artefacts.draw_hairs),
        Corruption("ruler", "Ruler", "reach, % of the side", (4, 8, 12, 17, 23), artefacts.draw_ruler),
        Corruption("ink", "Ink mark", "% of the picture", (1, 2, 4, 6, 9), artefacts.draw_ink),
        Corruption("bubbles", "Bubbles", "bubbles", (4, 8, 16, 30, 50), artefacts.draw_bubbles),
        Corruption("vignette", "Vignette", "stops in the corners", (0.5, 1.0, 1.7, 2.5, 3.5), optics.darken_corners),
    ),
    "radiograph": (
        DEFOCUS,
        MOTION,
        JPEG,
        Corruption("exposure", "Exposure", "photons per pixel", (8000, 3000, 1200, 500, 200), optics.lower_dose),
        Corruption("window", "Window", "% of the width", (90, 80, 70, 55, 40), optics.narrow_window),
        Corruption("rotation", "Rotation", "degrees, either way", (2, 4, 8, 13, 20), optics.turn_picture),
        Corruption("marker", "Marker", "height, % of the side", (5, 8, 12, 16, 20), artefacts.draw_marker),
    ),
}

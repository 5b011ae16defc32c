"""Area and colour of a lesion in one picture, and how they differ between two, with the error of that."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from secondlook.explanation.abcd import MEASURED_PX, find_ring
from secondlook.explanation.lab import convert_to_lab
from secondlook.explanation.segmentation import DEFAULT, find_method
from secondlook.explanation.segmentation.preparation import Pixels, find_dark_corners, shrink_picture
from secondlook.explanation.segmentation.regions import Mask

Colour = NDArray[np.floating]

LEAST_SKIN_PX = 200
STATED_PAIRS: Final = 3
# Measured on several pictures each of lesions that no training had seen: docs/timeline.md.
AREA_SPREAD: Final = 0.0515
COLOUR_SPREAD: Final = 2.22
# For 3, 4, 5 … degrees of freedom: quantile 0.975 of Student's t; root of thrice the quantile 0.95 of F with 3 above.
AREA_LIMITS: Final = (3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131)
COLOUR_LIMITS: Final = (5.275, 4.447, 4.028, 3.778, 3.611, 3.493, 3.404, 3.335, 3.281, 3.236, 3.199, 3.167, 3.140)


@dataclass(frozen=True, slots=True, eq=False)
class Appearance:
    """A lesion as one picture shows it.

    Attributes:
        pixels: uint8 h×w×3, RGB; the picture as it was measured, perhaps reduced.
        lesion: bool h×w.
        share: Area of the lesion as a share of the picture.
        cut: Whether the lesion touches the picture's edge or the rim of the dermatoscope, so that it may go on there.
        colour: Median L*, a* and b* of the lesion, less those of the skin around: the lamp's colour mostly falls out.
            Nothing where too little skin is in sight.
    """

    pixels: Pixels
    lesion: Mask
    share: float
    cut: bool
    colour: Colour | None


def measure_appearance(pixels: Pixels) -> Appearance | None:
    """Find the lesion in a picture and measure it; nothing where none is found.

    Args:
        pixels: uint8 H×W×3, RGB.
    """
    small = shrink_picture(pixels, longer_side_px=MEASURED_PX)
    lesion = find_method(DEFAULT).segment(small)
    if not lesion.any():
        return None
    rim = find_dark_corners(small)
    skin = find_ring(lesion) & ~rim
    colour = None
    if skin.sum() >= LEAST_SKIN_PX:
        inside, outside = (np.median(convert_to_lab(small[part]), axis=0) for part in (lesion, skin))
        colour = (inside - outside).astype(np.float32)
    edge = lesion[[0, -1]].any() or lesion[:, [0, -1]].any()
    return Appearance(small, lesion, float(lesion.mean()), bool(edge or touches(lesion, rim)), colour)


def touches(lesion: Mask, rim: Mask) -> bool:
    """Return whether the lesion reaches the rim."""
    wide = np.pad(rim, 1)
    near = wide[2:, 1:-1] | wide[:-2, 1:-1] | wide[1:-1, 2:] | wide[1:-1, :-2] | rim
    return bool((lesion & near).any())


@dataclass(frozen=True, slots=True)
class Noise:
    """How far two pictures of a lesion that has not changed differ, in nineteen of twenty pairs at most.

    Attributes:
        log_area: Difference of the natural logarithms of the areas.
        colour: Distance of the colours in CIE L*a*b* (ΔE*ab).
        pairs: How many pairs of the lesion's own pictures of one day went into it.
    """

    log_area: float
    colour: float
    pairs: int = 0


@dataclass(frozen=True, slots=True)
class AreaChange:
    """How much larger a lesion has become.

    Attributes:
        ratio: Later area over earlier area.
        low: Lower end of the 95 % interval.
        high: Upper end of it.
    """

    ratio: float
    low: float
    high: float

    @property
    def beyond_noise(self) -> bool:
        """Whether the interval leaves out that nothing changed."""
        return not self.low <= 1 <= self.high


@dataclass(frozen=True, slots=True)
class ColourChange:
    """How a lesion's colour has changed against the skin around.

    Attributes:
        distance: Distance of both colours in CIE L*a*b*.
        lighter: Difference of L*; below 0 the lesion has become darker.
        redder: Difference of a*; below 0 greener.
        yellower: Difference of b*; below 0 bluer.
        limit: What pictures of an unchanged lesion reach.
    """

    distance: float
    lighter: float
    redder: float
    yellower: float
    limit: float

    @property
    def beyond_noise(self) -> bool:
        """Whether it is more than pictures of an unchanged lesion give."""
        return self.distance > self.limit


@dataclass(frozen=True, slots=True)
class Change:
    """What differs between a lesion in two pictures, before anything is said of its error.

    Attributes:
        log_pixels: Natural logarithm of later over earlier area, in pixels as they were measured: not yet freed from
            the magnification.
        cut: Whether the lesion may go on outside one of the pictures.
        colour: Difference of L*, a* and b*; nothing where a picture shows too little skin around.
    """

    log_pixels: float
    cut: bool
    colour: tuple[float, float, float] | None


def measure_change(one: Appearance, other: Appearance) -> Change:
    """Return what differs between the earlier and the later picture."""
    colour = None
    if one.colour is not None and other.colour is not None:
        lighter, redder, yellower = (other.colour - one.colour).tolist()
        colour = (lighter, redder, yellower)
    return Change(math.log(other.lesion.sum() / one.lesion.sum()), one.cut or other.cut, colour)


def judge_area(change: Change, *, magnification: float, noise: Noise) -> AreaChange | None:
    """Return how much larger the lesion has become; nothing where it may go on outside a picture.

    Args:
        change: What differs.
        magnification: How much larger the later picture shows things, in pixels of both as they were measured.
        noise: How far pictures of an unchanged lesion differ.
    """
    if change.cut:
        return None
    log_ratio = change.log_pixels - 2 * math.log(magnification)
    low, ratio, high = (math.exp(log_ratio + part * noise.log_area) for part in (-1, 0, 1))
    return AreaChange(ratio, low, high)


def judge_colour(change: Change, *, noise: Noise) -> ColourChange | None:
    """Return how the lesion's colour has changed; nothing where a picture shows too little skin around it."""
    if change.colour is None:
        return None
    return ColourChange(math.hypot(*change.colour), *change.colour, noise.colour)


def pool_noise(log_ratios: Iterable[float] = (), distances: Iterable[float] = ()) -> Noise:
    """Return the noise of a lesion: what was measured on other lesions, joined with its own pairs of one day.

    The stated variance counts as three pairs, and the limit is the predictive one of a normal distribution whose
    variance has a scaled inverse chi-squared prior (Gelman et al. 2013, Bayesian Data Analysis, section 2.6): two or
    three own pictures alone would say too little, and might say that there is no error at all.

    Args:
        log_ratios: Logarithm of the ratio of areas, for each own pair.
        distances: Distance of the colours, for each own pair.
    """
    areas, colours = list(log_ratios), list(distances)
    return Noise(
        _pool(areas, AREA_SPREAD, AREA_LIMITS),
        # A distance has three parts: its square over three is the variance of one.
        _pool([value / math.sqrt(3) for value in colours], COLOUR_SPREAD, COLOUR_LIMITS),
        max(len(areas), len(colours)),
    )


def _pool(own: list[float], stated: float, limits: tuple[float, ...]) -> float:
    """Return the limit for nineteen of twenty pairs, from own differences and the stated spread."""
    count = STATED_PAIRS + len(own)
    spread = math.sqrt((STATED_PAIRS * stated**2 + sum(value**2 for value in own)) / count)
    return limits[min(len(own), len(limits) - 1)] * spread

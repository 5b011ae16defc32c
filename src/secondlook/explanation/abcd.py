"""Figures of a lesion's outline, after the A, B, C and D of dermoscopy.

The ABCD rule (Stolz et al. 1994, Eur J Dermatol 4:521–527; Nachbar et al. 1994, doi 10.1016/S0190-9622(94)70061-3)
has a trained eye score asymmetry, border, colours and structures. What is measured here are plain figures of the
outline and of the colours inside it; they are not those scores and say nothing about a disease.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from secondlook.explanation.contour import Line, find_diameter, measure_area, measure_length, trace_border
from secondlook.explanation.lab import convert_to_lab
from secondlook.explanation.segmentation import DEFAULT, Segment, find_method
from secondlook.explanation.segmentation.preparation import shrink_picture
from secondlook.imaging.read import Picture

MEASURED_PX = 256
ANGLES = 18
FOLDED_PX = 128
LEAST_SHARE = 0.05
RING_PX = 0.15
# The six colours that Nachbar et al. count; the values in sRGB are ours.
COLOURS: Final[Mapping[str, tuple[int, int, int]]] = {
    "white": (240, 236, 234),
    "red": (190, 75, 75),
    "light_brown": (165, 115, 80),
    "dark_brown": (95, 60, 45),
    "blue_grey": (110, 115, 135),
    "black": (38, 30, 30),
}
SKIN_HUE: Final = np.array([13.0, 16.0])  # a* and b*, about those of light and dark skin alike


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """What was measured of a lesion's outline.

    Attributes:
        border: float64 360×2, x and y of the closed border in pixels of the picture as measured, perhaps reduced.
        size: Width and height of that.
        area_share: Area inside the border, as a share of the picture.
        cut: Whether the lesion touches the picture's edge: it may go on outside, and the figures are of what is seen.
        asymmetry: Share of the area that has no mirror image across an axis through the centre, mean of two axes at
            right angles, which are turned so that it is least; 0 for what is symmetric about both.
        axis_degrees: Angle of the first axis against the horizontal, clockwise, 0…90.
        centre: x and y of the centre of the area.
        irregularity: Border length squared over 4π times the area; 1 for a circle, more for any other shape.
        colours: Share of the area of each of six colours; what looks like the skin around has none.
        diameter: The two points of the border that lie furthest apart, x and y each.
        diameter_px: Their distance in pixels of the original file.
        diameter_mm: The same in millimetres where the size of a pixel is known.
    """

    border: Line
    size: tuple[int, int]
    area_share: float
    cut: bool
    asymmetry: float
    axis_degrees: float
    centre: tuple[float, float]
    irregularity: float
    colours: Mapping[str, float]
    diameter: tuple[tuple[float, float], tuple[float, float]]
    diameter_px: float
    diameter_mm: float | None

    @property
    def present(self) -> tuple[str, ...]:
        """The colours that make up a twentieth of the area or more, the largest first."""
        found = [name for name, share in self.colours.items() if share >= LEAST_SHARE]
        return tuple(sorted(found, key=lambda name: -self.colours[name]))


def outline_picture(
    picture: Picture, *, segment: Segment | None = None, mm_per_px: float | None = None
) -> Outline | None:
    """Find the lesion in a photograph and measure its outline; nothing where none is found.

    Args:
        picture: The photograph.
        segment: How to find it; the default method where none is given.
        mm_per_px: Size of a pixel of the original file; where none is given, what a DICOM file states.
    """
    pixels = shrink_picture(picture.pixels, longer_side_px=MEASURED_PX)
    mask = (segment or find_method(DEFAULT).segment)(pixels)
    if not mask.any():
        return None
    if mm_per_px is None and picture.source.dicom and picture.source.dicom.spacing_mm:
        mm_per_px = math.prod(picture.source.dicom.spacing_mm) ** 0.5
    return measure_outline(pixels, mask, reduction=picture.source.width / pixels.shape[1], mm_per_px=mm_per_px)


def measure_outline(
    pixels: NDArray[np.uint8],
    mask: NDArray[np.bool_],
    *,
    reduction: float = 1.0,
    mm_per_px: float | None = None,
) -> Outline:
    """Measure the outline of a lesion.

    Irregularity is the compactness index (Golston, Stoecker, Moss, Dhillon 1992, doi 10.1016/0895-6111(92)90073-I).

    Args:
        pixels: uint8 H×W×3, RGB.
        mask: bool H×W, one region without holes, at least one pixel.
        reduction: How many pixels of the original file one of these stands for, along a side.
        mm_per_px: Size of a pixel of the original file.
    """
    border = trace_border(mask)
    area = max(measure_area(border), 1e-6)
    asymmetry, degrees = measure_asymmetry(mask)
    ends = find_diameter(border)
    diameter_px = float(np.hypot(*(ends[0] - ends[1]))) * reduction
    rows, columns = np.nonzero(mask)
    height, width = mask.shape
    return Outline(
        border=border,
        size=(width, height),
        area_share=float(mask.mean()),
        cut=bool(mask[[0, -1]].any() or mask[:, [0, -1]].any()),
        asymmetry=asymmetry,
        axis_degrees=degrees,
        centre=(float(columns.mean()) + 0.5, float(rows.mean()) + 0.5),
        irregularity=max(1.0, measure_length(border) ** 2 / (4 * np.pi * area)),
        colours=measure_colours(pixels, mask),
        diameter=((float(ends[0][0]), float(ends[0][1])), (float(ends[1][0]), float(ends[1][1]))),
        diameter_px=diameter_px,
        diameter_mm=None if mm_per_px is None else diameter_px * mm_per_px,
    )


def measure_asymmetry(mask: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the share without a mirror image, mean of two axes at right angles, and the first one's angle in degrees.

    The axes are turned so that the share is least, as Nachbar et al. 1994 have the eye do it
    (doi 10.1016/S0190-9622(94)70061-3).

    Args:
        mask: bool H×W with at least one pixel.
    """
    small = _cut_square(mask)
    rows, columns = np.nonzero(small)
    place = np.stack([columns - columns.mean(), rows - rows.mean()])
    middle = np.array([[columns.mean()], [rows.mean()]])
    shares = []
    for angle in np.arange(ANGLES) * np.pi / 2 / ANGLES:
        lost = []
        for axis in (angle, angle + np.pi / 2):
            cosine, sine = np.cos(2 * axis), np.sin(2 * axis)
            mirrored = np.array([[cosine, sine], [sine, -cosine]]) @ place + middle
            x, y = np.clip(np.rint(mirrored).astype(int), -1, small.shape[0])
            lost.append(1 - np.pad(small, 1)[y + 1, x + 1].mean())
        shares.append(float(np.mean(lost)))
    best = int(np.argmin(shares))
    return shares[best], best * 90 / ANGLES


def _cut_square(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the region alone, in a square of at most 128 pixels."""
    rows, columns = np.nonzero(mask)
    part = mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    side = max(part.shape)
    square = np.zeros((side, side), dtype=bool)
    square[: part.shape[0], : part.shape[1]] = part
    if side <= FOLDED_PX:
        return square
    image = Image.fromarray(square.astype(np.uint8) * 255).resize((FOLDED_PX, FOLDED_PX), Image.Resampling.BILINEAR)
    return np.asarray(image) >= 128


def measure_colours(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> dict[str, float]:
    """Return the share of the lesion of each of six colours; what is nearest to the skin around it counts as none.

    Each pixel takes the colour that is nearest in CIE L*a*b*, after a* and b* of the whole picture were shifted so that
    the skin around has the usual hue of skin: this takes out most of the lamp's colour. Camera and lamp still decide.

    Args:
        pixels: uint8 H×W×3, RGB.
        mask: bool H×W with at least one pixel.
    """
    centres = [convert_to_lab(np.array(value, np.uint8)) for value in COLOURS.values()]
    inside, skin = convert_to_lab(pixels[mask]), convert_to_lab(pixels[find_ring(mask)])
    if len(skin):
        usual = np.median(skin, axis=0)
        shift = np.array([0.0, *(SKIN_HUE - usual[1:])])
        inside = inside + shift
        centres.append(usual + shift)
    squares = np.stack([((inside - centre) ** 2).sum(axis=1) for centre in centres])
    shares = np.bincount(squares.argmin(axis=0), minlength=len(COLOURS)) / len(inside)
    return dict(zip(COLOURS, shares[: len(COLOURS)].tolist(), strict=True))


def find_ring(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the frame of a box around the region, a little larger than it: bool H×W, outside of the region."""
    rows, columns = np.nonzero(mask)
    ring = np.zeros_like(mask)
    inner, outer = (max(2, round(share * mask.sum() ** 0.5)) for share in (RING_PX / 2, 2 * RING_PX))
    for reach, value in ((outer, True), (inner, False)):
        top, left = max(0, rows.min() - reach), max(0, columns.min() - reach)
        ring[top : rows.max() + reach + 1, left : columns.max() + reach + 1] = value
    return ring & ~mask

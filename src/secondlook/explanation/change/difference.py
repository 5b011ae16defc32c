"""Where two pictures of a lesion that lie over each other differ in colour."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from secondlook.explanation.change.appearance import Appearance
from secondlook.explanation.change.placement import Similarity
from secondlook.explanation.change.structure import move_plane, smooth_plane
from secondlook.explanation.lab import convert_to_lab
from secondlook.explanation.overlay import colour_heat
from secondlook.explanation.segmentation.preparation import find_dark_corners

Floats = NDArray[np.floating]

SMOOTHING = 1 / 80
LEAST_SKIN = 0.02
SHOWN_TO = 40.0
# Of places of lesions that did not change 3 % lie above: docs/timeline.md.
LIMIT = 12.0


def map_difference(one: Appearance, other: Appearance, placement: Similarity) -> Floats:
    """Return how far each place differs between two pictures: float32 h×w, ΔE*ab, over the one picture.

    The other picture's colours are shifted so that the skin that both show has the same colour; both are smoothed over
    an eightieth of the longer side, about what a placement may be off. Where only one picture shows something it is
    not-a-number.

    Args:
        one: The picture that stays.
        other: The one that is laid over it.
        placement: Where places of the one lie in the other, in pixels of both as they were measured.
    """
    shape = one.lesion.shape
    reach = SMOOTHING * max(shape)
    planes = np.moveaxis(convert_to_lab(other.pixels), 2, 0)
    there = np.stack(
        [move_plane(smooth_plane(plane, reach * placement.scale), placement, shape)[0] for plane in planes]
    )
    here = np.stack([smooth_plane(plane, reach) for plane in np.moveaxis(convert_to_lab(one.pixels), 2, 0)])
    rim, inside = move_plane(find_dark_corners(other.pixels).astype(np.float32), placement, shape)
    shared = inside & (rim < 0.01) & ~find_dark_corners(one.pixels)
    lesion = one.lesion | (move_plane(other.lesion.astype(np.float32), placement, shape)[0] > 0.5)
    skin = shared & ~lesion
    basis = skin if skin.mean() >= LEAST_SKIN else shared
    if not basis.any():
        return np.full(shape, np.nan, np.float32)
    shift = np.median(here[:, basis] - there[:, basis], axis=1)
    distance = np.sqrt(((here - there - shift[:, None, None]) ** 2).sum(axis=0))
    return np.where(shared, distance, np.nan).astype(np.float32)


def draw_difference(distance: Floats) -> Image.Image:
    """Return a difference as a picture to lay over the earlier one, RGBA: clear where it is within the noise.

    Args:
        distance: float32 h×w, ΔE*ab.
    """
    known = np.nan_to_num(distance, nan=0.0)
    heat = np.clip((known - LIMIT) / (SHOWN_TO - LIMIT), 0, 1)
    opacity = np.where(known > LIMIT, np.rint(255 * (0.45 + 0.5 * heat)), 0).astype(np.uint8)
    return Image.fromarray(np.dstack([colour_heat(heat), opacity]))

"""Two kept pictures, compared; what is remembered of that are numbers alone, never a picture."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from secondlook.clinic.files.services import read_file
from secondlook.explanation.abcd import MEASURED_PX
from secondlook.explanation.change.appearance import Appearance, Change, measure_appearance, measure_change
from secondlook.explanation.change.confirmation import Registration, register_pictures
from secondlook.explanation.change.difference import draw_difference, map_difference
from secondlook.explanation.contour import Line, trace_border
from secondlook.explanation.overlay import encode_png
from secondlook.explanation.segmentation.preparation import Pixels, shrink_picture
from secondlook.imaging.read import read_picture

REMEMBERED = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """One picture as it was measured.

    Attributes:
        width: Its width in pixels as measured.
        border: The lesion's border in those pixels; nothing where none was found.
    """

    width: int
    border: Line | None


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """What two pictures of a lesion give.

    Attributes:
        sights: The earlier and the later one.
        registration: How the later one lies over the earlier one, in pixels of both as measured.
        change: What differs; nothing where no lesion was found in one of them.
    """

    sights: tuple[Sight, Sight]
    registration: Registration
    change: Change | None


@lru_cache(maxsize=REMEMBERED)
def compare_files(earlier: str, later: str) -> Pair:
    """Compare two kept pictures of a lesion, by the names of their files.

    Raises:
        FileLostError: A file is not there.
        BundleError: The outline network cannot be loaded.
    """
    (one, seen), (other, there) = _measure_file(earlier), _measure_file(later)
    masks = [
        np.zeros(pixels.shape[:2], dtype=bool) if found is None else found.lesion
        for pixels, found in ((one, seen), (other, there))
    ]
    return Pair(
        (_describe(one, seen), _describe(other, there)),
        register_pictures(one, other, lesions=(masks[0], masks[1])),
        measure_change(seen, there) if seen and there else None,
    )


def draw_pair(earlier: str, later: str) -> bytes | None:
    """Return where two kept pictures differ, as a PNG to lay over the earlier one; nothing where they do not match.

    Raises:
        FileLostError: A file is not there.
        BundleError: The outline network cannot be loaded.
    """
    pair = compare_files(earlier, later)
    (_, seen), (_, there) = _measure_file(earlier), _measure_file(later)
    if not pair.registration.trusted or seen is None or there is None:
        return None
    return encode_png(draw_difference(map_difference(seen, there, pair.registration.placement)))


def _measure_file(name: str) -> tuple[Pixels, Appearance | None]:
    picture = read_picture(read_file(name), target_px=MEASURED_PX)
    pixels = shrink_picture(picture.pixels, longer_side_px=MEASURED_PX)
    return pixels, measure_appearance(pixels)


def _describe(pixels: Pixels, found: Appearance | None) -> Sight:
    return Sight(pixels.shape[1], None if found is None else trace_border(found.lesion))

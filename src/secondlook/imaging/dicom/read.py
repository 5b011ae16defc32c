"""Read a DICOM file's picture into RGB: decoded, windowed, with square pixels, and without the rest of the file."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from secondlook.imaging.dicom.admission import GREY, Layout, admit
from secondlook.imaging.dicom.facts import DicomFacts
from secondlook.imaging.dicom.frame import decode_frame
from secondlook.imaging.dicom.presentation import show_grey, show_palette
from secondlook.imaging.dicom.structure import Structure, open_structure
from secondlook.imaging.limits import check_profile, check_size

# Spacings are rounded in files; less than this makes no difference to the eye.
_ASPECT_TOLERANCE: Final = 0.005
_STRIP_PIXELS: Final = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A DICOM file's picture.

    Attributes:
        image: It, as ``L`` or ``RGB``, with square pixels.
        profile: Its colour profile.
        facts: What may be kept of the rest.
    """

    image: Image.Image
    profile: bytes | None
    facts: DicomFacts


def read_dicom(data: bytes) -> Shown:
    """Read the picture of a DICOM file.

    Raises:
        InputError: It is of a kind that is not read, or too large.
        DamagedError: It is broken.
    """
    structure = open_structure(data)
    layout, facts = admit(structure)
    image = _show(structure, layout)
    profile = structure.values.get("ICCProfile") if image.mode == "RGB" else None
    width, height = _find_square_size(layout)
    if (width, height) != image.size:
        check_size("DICOM", width, height)
        image = image.resize((width, height), Image.Resampling.BICUBIC)
    return Shown(image, check_profile("DICOM", profile if isinstance(profile, bytes) else None), facts)


def _show(structure: Structure, layout: Layout) -> Image.Image:
    samples, photometric = decode_frame(structure, layout)
    if layout.photometric in GREY:
        return Image.fromarray(show_grey(samples, structure, layout))
    if photometric == "PALETTE COLOR":
        return Image.fromarray(show_palette(samples, structure, layout))
    colours: NDArray[np.uint8] = np.ascontiguousarray(samples, np.uint8)
    del samples  # here memory is at its peak
    if photometric != "RGB":
        colours = _convert_from_ybr(colours)
    return Image.fromarray(colours)


def _convert_from_ybr(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return uint8 H×W×3 RGB of luma and colour in full range (PS3.3, C.7.6.3.1.2), strip by strip."""
    rows = max(1, _STRIP_PIXELS // colours.shape[1])
    converted = np.empty_like(colours)
    for top in range(0, colours.shape[0], rows):
        strip = colours[top : top + rows]
        size = (strip.shape[1], strip.shape[0])
        converted[top : top + rows] = np.asarray(Image.frombytes("YCbCr", size, strip.tobytes()).convert("RGB"))
    return converted


def _find_square_size(layout: Layout) -> tuple[int, int]:
    """Return the width and height that make pixels square; no line or column is lost."""
    if abs(layout.aspect - 1) <= _ASPECT_TOLERANCE:
        return layout.columns, layout.rows
    if layout.aspect > 1:
        return layout.columns, round(layout.rows * layout.aspect)
    return round(layout.columns / layout.aspect), layout.rows

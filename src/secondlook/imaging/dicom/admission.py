"""Decide whether a DICOM file is one that Secondlook reads, and gather the figures that decoding needs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.uid import UID

from secondlook.errors import InputError
from secondlook.imaging import refusal
from secondlook.imaging.container import DamagedError
from secondlook.imaging.dicom.facts import BODY_PARTS, MODALITIES, VIEWS, DicomFacts
from secondlook.imaging.dicom.structure import Structure
from secondlook.imaging.limits import check_size

GREY: Final = ("MONOCHROME1", "MONOCHROME2")
COLOUR: Final = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "PALETTE COLOR")
MAX_ASPECT: Final = 10

_EXPECTED: Final = "one X-ray or photograph as DICOM (CR, DX, XC or OT)"
_EXPORT: Final = "Export the picture as JPEG or PNG from the program that shows it, and send that."
_OTHER_MODALITIES: Final[Mapping[str, str]] = {
    "CT": "a slice of a computed tomography",
    "MR": "a slice of a magnetic resonance tomography",
    "US": "an ultrasound picture",
    "SM": "a microscope slide",
    "GM": "a microscope picture",
    "NM": "a nuclear medicine picture",
    "PT": "a slice of a positron emission tomography",
    "MG": "a mammogram",
    "XA": "an angiogram",
    "RF": "a fluoroscopy",
    "ES": "an endoscopy",
    "OP": "a picture of the eye",
    "OPT": "a tomogram of the eye",
    "IO": "a dental X-ray",
    "PX": "a dental panorama",
    "ECG": "an electrocardiogram",
    "SR": "a report",
    "DOC": "a document",
    "PR": "a presentation state",
    "KO": "a list of key pictures",
    "SEG": "a segmentation",
}


@dataclass(frozen=True, slots=True)
class Layout:
    """How samples are stored, checked.

    Attributes:
        rows: Height in pixels.
        columns: Width in pixels.
        samples: Samples of a pixel: 1 or 3.
        photometric: Photometric interpretation.
        bits_allocated: Bits that a sample takes: 8 or 16.
        bits_stored: Bits of it that count.
        shift: Bits below those that count.
        signed: Whether samples are two's complement.
        planar: Whether colour planes follow one another.
        aspect: Height of a pixel divided by its width.
    """

    rows: int
    columns: int
    samples: int
    photometric: str
    bits_allocated: int
    bits_stored: int
    shift: int
    signed: bool
    planar: bool
    aspect: float


def admit(structure: Structure) -> tuple[Layout, DicomFacts]:
    """Return how the picture is stored and what may be kept of the rest.

    Raises:
        InputError: This is not a single X-ray or photograph that can be read.
        DamagedError: What the file says of its picture cannot be.
    """
    values = structure.values
    modality = _admit_content(structure)
    if structure.pixel_data is None or not len(structure.pixel_data):
        raise refuse("a file without pixel data", "Have it exported again, whole, and send that.")
    photometric = find_text(values, "PhotometricInterpretation")
    _admit_photometric(photometric, modality, find_whole(values, "SamplesPerPixel", 1))
    rows, columns = find_whole(values, "Rows", 0), find_whole(values, "Columns", 0)
    check_size("DICOM", columns, rows)
    layout = _measure(values, rows, columns, photometric)
    facts = DicomFacts(
        modality=modality,
        photometric=photometric,
        bits_stored=layout.bits_stored,
        transfer_syntax=UID(structure.syntax).name,
        spacing_mm=_find_spacing(values),
        body_part=_keep_term(find_text(values, "BodyPartExamined"), BODY_PARTS),
        view=_keep_term(find_text(values, "ViewPosition"), VIEWS),
    )
    return layout, facts


def refuse(found: str, advice: str = _EXPORT, **facts: object) -> InputError:
    """Return the refusal of a file that is whole, but no picture that Secondlook reads."""
    return refusal.refuse(_EXPECTED, found, advice, **facts)


def _admit_content(structure: Structure) -> str:
    """Return the modality of a single picture."""
    if structure.directory:
        raise refuse("a DICOMDIR, which lists other files", "Send one of the files that it lists.")
    modality = find_text(structure.values, "Modality")
    if modality not in MODALITIES:
        other = _OTHER_MODALITIES.get(modality)
        if other:
            raise refuse("{other} ({modality})", other=other, modality=modality)
        raise refuse("a file of another or no modality")
    frames = find_whole(structure.values, "NumberOfFrames", 1)
    if frames > 1:
        advice = "Export one of them as JPEG or PNG and send that."
        raise refuse("a series of {frames} pictures in one file", advice, frames=frames)
    return modality


def _admit_photometric(photometric: str, modality: str, samples: int) -> None:
    if photometric in GREY:
        fitting = samples == 1
    elif photometric in COLOUR and modality in ("CR", "DX"):
        raise refuse("an X-ray in colour")
    elif photometric in COLOUR:
        fitting = samples == (1 if photometric == "PALETTE COLOR" else 3)
    else:
        raise refuse("a picture whose colours are stored in a rare or unknown way")
    if not fitting:
        raise DamagedError(f"it claims {samples} samples a pixel, which does not fit its colours")


def _measure(values: Dataset, rows: int, columns: int, photometric: str) -> Layout:
    allocated = find_whole(values, "BitsAllocated", 8)
    stored = find_whole(values, "BitsStored", allocated)
    high = find_whole(values, "HighBit", stored - 1)
    samples = find_whole(values, "SamplesPerPixel", 1)
    if allocated not in (8, 16) or (samples == 3 and (allocated, stored) != (8, 8)):
        found = "a picture of {allocated} bits a sample, of which {stored} count"
        raise refuse(found, allocated=allocated, stored=stored)
    if not 1 < stored <= high + 1 <= allocated:
        raise DamagedError(f"it claims {stored} bits up to bit {high} of {allocated}")
    return Layout(
        rows=rows,
        columns=columns,
        samples=samples,
        photometric=photometric,
        bits_allocated=allocated,
        bits_stored=stored,
        shift=high + 1 - stored,
        signed=find_whole(values, "PixelRepresentation", 0) == 1,
        planar=samples == 3 and find_whole(values, "PlanarConfiguration", 0) == 1,
        aspect=_find_aspect(values),
    )


def _find_aspect(values: Dataset) -> float:
    """Return a pixel's height divided by its width; 1 where the file does not say."""
    for keyword in ("PixelAspectRatio", "PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"):
        pair = find_pair(values, keyword)
        if pair is not None:
            aspect = pair[0] / pair[1]
            if not 1 / MAX_ASPECT <= aspect <= MAX_ASPECT:
                raise DamagedError(f"it claims pixels more than {MAX_ASPECT} times as long as wide")
            return aspect
    return 1.0


def _find_spacing(values: Dataset) -> tuple[float, float] | None:
    return find_pair(values, "PixelSpacing") or find_pair(values, "ImagerPixelSpacing")


def _keep_term(text: str, terms: frozenset[str]) -> str | None:
    return text if text in terms else None


def find_text(values: Dataset, keyword: str) -> str:
    """Return a text, the first of several; empty where there is none."""
    value = values.get(keyword)
    if isinstance(value, MultiValue):
        value = value[0] if value else None
    return value.strip(" \0") if isinstance(value, str) else ""


def find_numbers(values: Dataset, keyword: str) -> list[float]:
    """Return the finite numbers of an attribute; an empty list where there are none."""
    try:
        value = values.get(keyword)
        several = list(value) if isinstance(value, MultiValue | list) else [value]
        numbers = [float(one) for one in several if one is not None]
    except (TypeError, ValueError, OverflowError):
        return []
    return numbers if all(math.isfinite(number) for number in numbers) else []


def find_whole(values: Dataset, keyword: str, missing: int) -> int:
    """Return a whole number, the first of several."""
    numbers = find_numbers(values, keyword)
    return int(numbers[0]) if numbers else missing


def find_pair(values: Dataset, keyword: str) -> tuple[float, float] | None:
    """Return two positive numbers, or nothing."""
    numbers = find_numbers(values, keyword)
    return (numbers[0], numbers[1]) if len(numbers) == 2 and min(numbers) > 0 else None

"""Take from a DICOM file what showing its picture needs, before any library sees the file.

A file is walked once, by the lengths that it states (PS3.5, section 7): elements that are not wanted, every identifier
among them, are stepped over and never copied. Sequences are walked without recursion and to a limited depth; elements
are counted; a deflated file is inflated to a limit. pydicom then reads the values of what is left.
"""

import contextlib
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import pydicom.config
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from secondlook.imaging.container import DamagedError
from secondlook.imaging.limits import MAX_PIXELS

# pydicom would warn, process-wide and with the value in words, of text that breaks its type's rules.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE

MAX_DEPTH: Final = 32
MAX_ELEMENTS: Final = 100_000
MAX_INFLATED_BYTES: Final = 2 * MAX_PIXELS + 10_000_000
MAX_VALUE_BYTES: Final = 4_000_001

DEFLATED: Final = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
IMPLICIT: Final = "1.2.840.10008.1.2"
EXPLICIT: Final = "1.2.840.10008.1.2.1"

_PREAMBLE_BYTES: Final = 128
_UNDEFINED: Final = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_PIXEL_DATA: Final = 0x7FE00010
_MODALITY_LUT, _VOI_LUT = 0x00283000, 0x00283010
_DIRECTORY: Final = 0x00041220
_LONG_VRS: Final = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
# Nothing here names a person, a place, a time or a study: PS3.15, table E.1-1, lists none of these attributes.
_WANTED: Final = frozenset(
    (
        *(0x00080060, 0x00180015, 0x00185101),  # modality, body part, view
        *(0x00181164, 0x00182010, 0x00280030, 0x00280034),  # spacings of pixels, their aspect ratio
        *(0x00280002, 0x00280004, 0x00280006, 0x00280008, 0x00280010, 0x00280011),  # samples, photometric, size
        *(0x00280100, 0x00280101, 0x00280102, 0x00280103, 0x00280120, 0x00280121),  # bits, padding
        *(0x00281050, 0x00281051, 0x00281052, 0x00281053, 0x00281056),  # window, rescale
        *(0x00281101, 0x00281102, 0x00281103, 0x00281201, 0x00281202, 0x00281203),  # palette
        0x00282000,  # colour profile
    )
)
_WANTED_OF_LUT: Final = frozenset((0x00283002, 0x00283006))


class _BrokenPartError(DamagedError):
    """A part states what cannot be."""


class Coding(NamedTuple):
    """How elements are written: with or without their type, and in which byte order."""

    implicit: bool
    little: bool


class Element(NamedTuple):
    """Where an element lies; ``end`` is nothing where the element does not state its length."""

    tag: int
    vr: bytes
    start: int
    value: int
    end: int | None


@dataclass(frozen=True, slots=True)
class Structure:
    """What a DICOM file holds of a picture.

    Attributes:
        syntax: UID of the transfer syntax.
        coding: How the data set is written.
        values: The wanted attributes, no sequence among them.
        modality_lut: The first modality lookup table.
        voi_lut: The first lookup table of values of interest.
        pixel_data: The pixel data as stored; of encapsulated ones all fragments together. Nothing where missing.
        pixel_vr: Type that the pixel data are written as; empty where types are not written.
        directory: Whether the file is a DICOMDIR.
    """

    syntax: str
    coding: Coding
    values: Dataset
    modality_lut: Dataset | None
    voi_lut: Dataset | None
    pixel_data: memoryview | None
    pixel_vr: bytes
    directory: bool


def open_structure(data: bytes) -> Structure:
    """Open a DICOM file, with or without preamble and meta header.

    Raises:
        DamagedError: The structure is broken, or made to cost.
    """
    start = _PREAMBLE_BYTES + 4 if data[_PREAMBLE_BYTES : _PREAMBLE_BYTES + 4] == b"DICM" else 0
    syntax, start = _read_meta(data, start)
    if syntax == DEFLATED:
        data, start = _inflate(memoryview(data)[start:]), 0
    coding = _find_coding(data[start : start + 6], syntax)
    if not syntax:
        syntax = IMPLICIT if coding.implicit else EXPLICIT if coding.little else BIG_ENDIAN
    walk = _Walk(memoryview(data), coding.little)
    kept = _Kept()
    for element in walk.iterate(start, len(data), implicit=coding.implicit):
        if element.tag == _PIXEL_DATA:
            kept.pixel_data, kept.pixel_vr = walk.take_pixel_data(element), element.vr
            break
        if element.tag == _DIRECTORY:
            kept.directory = True
            break
        _keep(kept, walk, element, coding)
    return Structure(
        syntax,
        coding,
        _read_values(b"".join(kept.parts), coding),
        kept.luts.get(_MODALITY_LUT),
        kept.luts.get(_VOI_LUT),
        kept.pixel_data,
        kept.pixel_vr,
        kept.directory,
    )


@dataclass(slots=True)
class _Kept:
    """What was found on the way."""

    parts: list[bytes] = field(default_factory=list)
    luts: dict[int, Dataset] = field(default_factory=dict)
    pixel_data: memoryview | None = None
    pixel_vr: bytes = b""
    directory: bool = False


def _keep(kept: _Kept, walk: "_Walk", element: Element, coding: Coding) -> None:
    """Keep an element if it is wanted."""
    if element.tag in _WANTED and element.end is not None:
        kept.parts.append(walk.copy(element))
    elif element.tag in (_MODALITY_LUT, _VOI_LUT) and element.tag not in kept.luts:
        found = walk.copy_first_item(element, _WANTED_OF_LUT, implicit=coding.implicit)
        if found:
            kept.luts[element.tag] = _read_values(found, coding)


def _read_values(part: bytes, coding: Coding) -> Dataset:
    """Return the values of elements that were found whole."""
    return read_dataset(io.BytesIO(part), coding.implicit, coding.little)


def _read_meta(data: bytes, start: int) -> tuple[str, int]:
    """Return the transfer syntax, empty where there is none, and where the data set begins."""
    walk = _Walk(memoryview(data), little=True)
    syntax, position = "", start
    while data[position : position + 2] == b"\x02\0":
        element = walk.read_head(position, implicit=False)
        if element.end is None:
            raise DamagedError("its header is broken")
        if element.tag == 0x00020010:
            syntax = data[element.value : element.end].rstrip(b" \0").decode("ascii", "replace")
        position = element.end
    return syntax, position


def _find_coding(head: bytes, syntax: str) -> Coding:
    """Return how the data set is written; what its first element shows is stronger than what the header says."""
    typed = head[4:6].isalpha() and head[4:6].isupper()
    little = syntax != BIG_ENDIAN if syntax else head[:1] != b"\0"
    return Coding(implicit=not typed, little=little)


def _inflate(packed: memoryview) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = inflater.decompress(packed, MAX_INFLATED_BYTES + 1)
    except zlib.error as error:
        raise DamagedError("it cannot be unpacked") from error
    if len(data) > MAX_INFLATED_BYTES:
        raise DamagedError(f"it unpacks to more than {MAX_INFLATED_BYTES // 1_000_000} MB")
    if not inflater.eof:
        raise DamagedError("it ends too early")
    return data


class _Walk:
    """Steps through elements by the lengths that they state, and counts them."""

    def __init__(self, data: memoryview, little: bool) -> None:
        self._data = data
        self._order: str = "little" if little else "big"
        self._left = MAX_ELEMENTS

    def iterate(self, start: int, end: int, *, implicit: bool) -> Iterator[Element]:
        """Yield the elements of one level, up to the end of the item or of the data."""
        position = start
        while position + 8 <= end:
            element = self.read_head(position, implicit=implicit)
            if element.tag >> 16 == 0xFFFE:
                return
            yield element
            if element.tag == _PIXEL_DATA:
                return
            position = self._find_end(element, implicit=implicit)

    def read_head(self, position: int, *, implicit: bool) -> Element:
        """Return the element that begins here."""
        self._left -= 1
        if self._left < 0:
            raise DamagedError(f"it has more than {MAX_ELEMENTS} parts")
        tag = self._number(position, 2) << 16 | self._number(position + 2, 2)
        vr = b"" if implicit or tag >> 16 == 0xFFFE else bytes(self._data[position + 4 : position + 6])
        if not vr:
            value, length = position + 8, self._number(position + 4, 4)
        elif vr in _LONG_VRS:
            value, length = position + 12, self._number(position + 8, 4)
        else:
            value, length = position + 8, self._number(position + 6, 2)
        if vr and not (vr.isalpha() and vr.isupper()):
            raise _BrokenPartError("its header is broken")
        if length == _UNDEFINED:
            return Element(tag, vr, position, value, None)
        if value + length > len(self._data):
            raise _BrokenPartError("it ends too early")
        return Element(tag, vr, position, value, value + length)

    def copy(self, element: Element) -> bytes:
        """Return an element as it is written."""
        if element.end is None or element.end - element.value > MAX_VALUE_BYTES:
            raise DamagedError("one of its parts is too large")
        return bytes(self._data[element.start : element.end])

    def copy_first_item(self, sequence: Element, wanted: frozenset[int], *, implicit: bool) -> bytes:
        """Return the wanted elements of a sequence's first item as they are written."""
        if sequence.end == sequence.value:
            return b""
        item = self.read_head(sequence.value, implicit=implicit)
        if item.tag != _ITEM:
            return b""
        end = len(self._data) if item.end is None else item.end
        inside = self.iterate(item.value, end, implicit=implicit or sequence.vr == b"UN")
        return b"".join(self.copy(element) for element in inside if element.tag in wanted and element.end is not None)

    def take_pixel_data(self, element: Element) -> memoryview:
        """Return the pixel data, of encapsulated ones all fragments together."""
        if element.end is not None:
            return self._data[element.value : element.end]
        offsets = self.read_head(element.value, implicit=True)
        parts: list[memoryview] = []
        position = offsets.end
        while position is not None:
            fragment = self.read_head(position, implicit=True)
            if fragment.tag == _SEQUENCE_END:
                return memoryview(parts[0] if len(parts) == 1 else b"".join(parts))
            if fragment.tag != _ITEM or fragment.end is None:
                break
            parts.append(self._data[fragment.value : fragment.end])
            position = fragment.end
        raise DamagedError("its pixel data are broken")

    def _find_end(self, element: Element, *, implicit: bool) -> int:
        """Return where an element ends; one that holds items is walked through, as deep as is allowed."""
        if element.end is None:
            return self._descend(element, implicit=implicit)
        if self._holds_items(element):
            # A broken part within does no harm, since the length leads past it.
            with contextlib.suppress(_BrokenPartError):
                self._descend(element, implicit=implicit)
        return element.end

    def _descend(self, sequence: Element, *, implicit: bool) -> int:
        """Walk through a sequence without recursion, and return where it ends."""
        # What lies in an element of unknown type is written without types (PS3.5, section 6.2.2, note 4).
        levels = [(implicit or sequence.vr == b"UN", len(self._data) if sequence.end is None else sequence.end)]
        position = sequence.value
        while levels:
            untyped, end = levels[-1]
            if position >= end:
                levels.pop()
                continue
            element = self.read_head(position, implicit=untyped)
            if element.tag in (_ITEM_END, _SEQUENCE_END):
                levels.pop()
                position = element.value
            elif element.tag == _ITEM or element.end is None or self._holds_items(element):
                levels.append((untyped or element.vr == b"UN", end if element.end is None else element.end))
                position = element.value
            else:
                position = element.end
            if len(levels) > MAX_DEPTH:
                raise DamagedError(f"its parts are nested more than {MAX_DEPTH} deep")
        return position

    def _holds_items(self, element: Element) -> bool:
        if element.vr not in (b"", b"SQ", b"UN") or element.tag == _ITEM or element.end is None:
            return False
        return element.end - element.value >= 8 and self._number(element.value, 2) << 16 == 0xFFFE0000

    def _number(self, position: int, size: int) -> int:
        part = self._data[position : position + size]
        if len(part) < size:
            raise _BrokenPartError("it ends too early")
        return int.from_bytes(part, self._order)  # type: ignore[arg-type]

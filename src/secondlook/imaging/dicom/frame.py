"""Decode the one frame of a DICOM file into stored samples, whatever the transfer syntax, within bounds."""

import io
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from openjpeg.utils import decode_pixel_data as decode_openjpeg
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from rle.utils import decode_pixel_data as decode_runs

from secondlook.imaging.container import DamagedError, open_jpeg
from secondlook.imaging.dicom.admission import Layout, refuse
from secondlook.imaging.dicom.lossless import decode_lossless
from secondlook.imaging.dicom.structure import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT, Structure
from secondlook.imaging.limits import check_memory

Samples = NDArray[np.uint8] | NDArray[np.uint16]

# Measured: the planes of 32 bits and the samples, per pixel, for one and for three samples.
_JPEG2000_BYTES: Final = {1: 6, 3: 16}
_MAX_LAYERS, _MAX_LEVELS, _MAX_TILES = 128, 32, 10_000
_STRIP_PIXELS: Final = 1 << 20
_OTHER_SYNTAXES: Final = {
    "1.2.840.10008.1.2.4.51": "JPEG of 12 bits",
    "1.2.840.10008.1.2.4.80": "JPEG-LS",
    "1.2.840.10008.1.2.4.81": "JPEG-LS",
    "1.2.840.10008.1.2.4.201": "high-throughput JPEG 2000",
    "1.2.840.10008.1.2.4.202": "high-throughput JPEG 2000",
    "1.2.840.10008.1.2.4.203": "high-throughput JPEG 2000",
}


def decode_frame(structure: Structure, layout: Layout) -> tuple[Samples, str]:
    """Decode the frame.

    Returns:
        Samples, uint8 or uint16 H×W, or uint8 H×W×3, and the photometric interpretation that they are left in:
        JPEG and JPEG 2000 undo their own colour transform.

    Raises:
        InputError: The transfer syntax is one that is not read, or decoding takes too much memory.
        DamagedError: The pixel data are broken or too short.
    """
    decode = _DECODERS.get(structure.syntax)
    if decode is None:
        compression = _OTHER_SYNTAXES.get(structure.syntax, "a film or in a rare way")
        raise refuse("one compressed as {compression}", compression=compression)
    if structure.pixel_data is None:
        raise DamagedError("it has no pixel data")
    return decode(structure, layout, structure.pixel_data)


def _decode_native(structure: Structure, layout: Layout, data: memoryview) -> tuple[Samples, str]:
    size = layout.bits_allocated // 8
    pixels = layout.rows * layout.columns
    halved = layout.photometric == "YBR_FULL_422"
    if halved and layout.columns % 2:
        raise DamagedError("its colours are halved, but its width is odd")
    needed = pixels * (2 if halved else layout.samples) * size
    if len(data) < needed:
        raise DamagedError(f"its pixel data are cut short: {len(data)} of {needed} bytes are there")
    order = "<" if structure.coding.little else ">"
    if size == 1 and not structure.coding.little and structure.pixel_vr == b"OW":
        # Bytes that were written as words are swapped in pairs (PS3.5, annex A.3).
        samples: Samples = np.frombuffer(data[: needed + needed % 2], "u2").byteswap().view("u1")[:needed]
    else:
        samples = np.frombuffer(data[:needed], f"{order}u{size}")
    if halved:
        return _widen(samples.reshape(layout.rows, layout.columns // 2, 4)), "YBR_FULL"
    return _arrange(samples, layout), layout.photometric


def _widen(pairs: Samples) -> NDArray[np.uint8]:
    """Return uint8 H×W×3 of pairs of pixels (luma, luma, blue, red) that share their colour."""
    rows, half = pairs.shape[:2]
    pixels = np.empty((rows, half, 2, 3), np.uint8)
    pixels[..., 0] = pairs[..., :2]
    pixels[..., 1] = pairs[..., 2:3]
    pixels[..., 2] = pairs[..., 3:4]
    return pixels.reshape(rows, 2 * half, 3)


def _arrange(samples: Samples, layout: Layout) -> Samples:
    if layout.samples == 1:
        return samples.reshape(layout.rows, layout.columns)
    if layout.planar:
        return samples.reshape(3, layout.rows, layout.columns).transpose(1, 2, 0)
    return samples.reshape(layout.rows, layout.columns, 3)


def _decode_rle(_structure: Structure, layout: Layout, data: memoryview) -> tuple[Samples, str]:
    # The decoder unpacks each segment to the frame's size and no further.
    decoded = decode_runs(
        bytes(data), version=2, rows=layout.rows, columns=layout.columns, bits_allocated=layout.bits_allocated
    )
    samples: Samples = np.frombuffer(decoded, f"<u{layout.bits_allocated // 8}")
    if samples.size != layout.rows * layout.columns * layout.samples:
        raise DamagedError("its pixel data are cut short")
    planes = samples.reshape(layout.samples, layout.rows, layout.columns)
    return (planes[0] if layout.samples == 1 else planes.transpose(1, 2, 0)), layout.photometric


def _decode_jpeg(_structure: Structure, layout: Layout, data: memoryview) -> tuple[Samples, str]:
    contents = open_jpeg(bytes(data))
    _check_claim(layout, contents.width, contents.height)
    check_memory(
        "DICOM", contents.width, contents.height, contents.decoder_bytes + 4 * contents.width * contents.height
    )
    with JpegImageFile(io.BytesIO(contents.data)) as image:
        if len(image.getbands()) != layout.samples:
            raise DamagedError("the JPEG in it has other colours than the file says")
        # Without a marker that says so, three components count as luma and colour, also those stored as RGB.
        if layout.photometric == "RGB" and not {"adobe_transform", "jfif"} & image.info.keys():
            image.draft("YCbCr", image.size)
        return _copy_strips(image), "RGB" if layout.samples == 3 else layout.photometric


def _copy_strips(image: Image.Image) -> NDArray[np.uint8]:
    """Return a picture's samples, uint8 H×W or H×W×3; at once Pillow would hold them twice more."""
    width, height = image.size
    bands = len(image.getbands())
    samples = np.empty((height, width, bands) if bands > 1 else (height, width), np.uint8)
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        samples[top : top + rows] = np.asarray(image.crop((0, top, width, min(top + rows, height))))
    return samples


def _decode_lossless(_structure: Structure, layout: Layout, data: memoryview) -> tuple[Samples, str]:
    decoded = decode_lossless(bytes(data), layout.rows, layout.columns, layout.samples)
    if layout.samples == 1:
        return decoded[..., 0], layout.photometric
    return decoded.astype(np.uint8), layout.photometric


def _decode_jpeg2000(_structure: Structure, layout: Layout, data: memoryview) -> tuple[Samples, str]:
    codestream = bytes(data)
    precision = _check_codestream(codestream, layout)
    check_memory("DICOM", layout.columns, layout.rows, layout.rows * layout.columns * _JPEG2000_BYTES[layout.samples])
    decoded = decode_openjpeg(codestream, version=2)
    samples: Samples = np.frombuffer(decoded, "u1" if precision <= 8 else "<u2")
    undone = layout.photometric in ("YBR_ICT", "YBR_RCT")
    return _arrange(samples, layout), "RGB" if undone else layout.photometric


def _check_claim(layout: Layout, width: int, height: int) -> None:
    if (width, height) != (layout.columns, layout.rows):
        raise DamagedError("the picture in it is of another size than the file says")


def _check_codestream(data: bytes, layout: Layout) -> int:
    """Return the bits of a sample of a JPEG 2000 whose headers hold what is expected (ISO/IEC 15444-1, annex A)."""
    precision = 0
    for marker, start in _iterate_codestream(data):
        if marker == 0x51:
            precision = _check_tiles(data, start, layout)
        elif marker in (0x52, 0x53):
            # COD has its progression and layers before the levels; COC has its component.
            at = start + (5 if marker == 0x52 else 2)
            layers = int.from_bytes(data[start + 2 : start + 4]) if marker == 0x52 else 1
            levels, wide, high = data[at], data[at + 1], data[at + 2]
            precincts = data[at + 5 : at + 6 + levels] if data[start] & 1 else b""
            # Precincts narrower than 32 pixels, above the smallest level, take far more memory than the picture.
            small = any(size & 15 < 5 or size >> 4 < 5 for size in precincts[1:])
            if layers > _MAX_LAYERS or levels > _MAX_LEVELS or wide < 2 or high < 2 or small:
                raise DamagedError("the JPEG 2000 in it asks for far more work than its size")
    return precision


def _check_tiles(data: bytes, start: int, layout: Layout) -> int:
    right, bottom, left, top, tile_width, tile_height = (
        int.from_bytes(data[at : at + 4]) for at in range(start + 2, start + 26, 4)
    )
    _check_claim(layout, right - left, bottom - top)
    components = int.from_bytes(data[start + 34 : start + 36])
    parts = [data[start + 36 + 3 * index : start + 39 + 3 * index] for index in range(min(components, 4))]
    if components != layout.samples or any(part[1:] != b"\1\1" for part in parts) or len({*parts}) != 1:
        raise DamagedError("the JPEG 2000 in it has other colours than the file says")
    if (parts[0][0] & 0x7F) > 15:
        raise DamagedError("the JPEG 2000 in it has more than 16 bits a sample")
    if not tile_width or not tile_height or -(-right // tile_width) * -(-bottom // tile_height) > _MAX_TILES:
        raise DamagedError("the JPEG 2000 in it is cut into too many tiles")
    return (parts[0][0] & 0x7F) + 1


def _iterate_codestream(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield each marker of the main and the tile-part headers, and where its content begins."""
    if not data.startswith(b"\xff\x4f\xff\x51"):
        raise DamagedError("what should be JPEG 2000 in it is not")
    position, part_end = 2, 0
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xD9:
            return
        if marker == 0x93:
            position = part_end
            continue
        yield marker, position + 4
        if marker == 0x90:
            length = int.from_bytes(data[position + 6 : position + 10])
            part_end = position + length if length >= 14 else len(data)
        position += 2 + int.from_bytes(data[position + 2 : position + 4])


_Decoder = Callable[[Structure, Layout, memoryview], tuple[Samples, str]]
_DECODERS: Final[dict[str, _Decoder]] = {
    IMPLICIT: _decode_native,
    EXPLICIT: _decode_native,
    BIG_ENDIAN: _decode_native,
    DEFLATED: _decode_native,
    "1.2.840.10008.1.2.4.50": _decode_jpeg,
    "1.2.840.10008.1.2.4.57": _decode_lossless,
    "1.2.840.10008.1.2.4.70": _decode_lossless,
    "1.2.840.10008.1.2.4.90": _decode_jpeg2000,
    "1.2.840.10008.1.2.4.91": _decode_jpeg2000,
    "1.2.840.10008.1.2.5": _decode_rle,
}

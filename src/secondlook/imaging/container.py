"""Open a picture file before anything is decoded: what it claims, which way up it is, and what its decoder needs.

Each function looks at one format's structure, refuses what is damaged, and hands on only what decoding needs: no text,
no place, no second frame. So limits hold before Pillow sees the file, and metadata cannot survive it.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from secondlook.imaging import directory
from secondlook.imaging.signature import Format

MAX_GIF_HEAD_BYTES: Final = 1_000_000
MAX_JPEG_SCANS: Final = 64
MAX_JPEG_SEGMENTS: Final = 10_000
# Pillow unpacks runs of pixels in Python, about a microsecond for two bytes.
MAX_PACKED_BMP_BYTES: Final = 1_000_000
MAX_PNG_CHUNKS: Final = 100_000
MAX_PNG_PROFILE_BYTES: Final = 1024 * 1024
# None, fax, LZW, JPEG, deflate, packed bits. Others (LZMA, Zstandard) let a file choose how much memory they take.
_TIFF_COMPRESSIONS: Final = (1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946)


@dataclass(frozen=True, slots=True)
class Contents:
    """What a picture file holds.

    Attributes:
        data: The file for Pillow, without what decoding does not need.
        width: Width in pixels, as stored.
        height: Height in pixels, as stored.
        orientation: EXIF orientation, 1 to 8.
        decoder_bytes: Memory that decoding takes at full size besides the decoded picture itself.
    """

    data: bytes
    width: int
    height: int
    orientation: int = 1
    decoder_bytes: int = 0


class DamagedError(ValueError):
    """A file's structure is broken; the text says where, in a few words."""


def open_jpeg(data: bytes) -> Contents:
    """Open a JPEG file.

    Raises:
        DamagedError: The structure is broken, or holds more scans than any camera writes.
    """
    kept: list[bytes | memoryview] = [data[:2]]
    exif = b""
    frame: tuple[int, bytes] | None = None
    for marker, start, end in _iterate_segments(data):
        body = data[start + 4 : end]
        if marker in range(0xC0, 0xD0) and marker not in (0xC4, 0xC8, 0xCC):
            frame = (marker, body)
        if marker == 0xDA:
            if frame is None:
                raise DamagedError("a scan comes before the picture's size")
            width, height, coefficient_bytes = _measure_frame(frame[1])
            many_scans = frame[0] in (0xC2, 0xC6, 0xCA, 0xCE) or data[start + 4] < frame[1][5]
            if many_scans:
                _check_scans(data, start)
            kept.append(memoryview(data)[start:])  # copied once, when joined
            orientation = directory.find_orientation(exif)
            return Contents(b"".join(kept), width, height, orientation, coefficient_bytes if many_scans else 0)
        if marker == 0xE1 and not exif and body.startswith(b"Exif\0\0"):
            exif = body
        profile = marker == 0xE2 and body.startswith(b"ICC_PROFILE\0")
        if profile or marker not in (*range(0xE1, 0xEE), 0xEF, 0xFE):
            kept.append(data[start:end])
    raise DamagedError("it ends before the picture begins")


def _iterate_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, start and end of each segment up to and with the first scan's header."""
    position = 2
    marker = 0
    for _ in range(MAX_JPEG_SEGMENTS):
        if marker == 0xDA:
            return
        position = data.find(b"\xff", position)
        if position < 0 or position + 4 > len(data):
            return
        marker = data[position + 1]
        if marker in (0x00, 0x01, 0xFF) or 0xD0 <= marker <= 0xD8:
            position += 1 if marker == 0xFF else 2
            continue
        end = position + 2 + int.from_bytes(data[position + 2 : position + 4])
        if marker == 0xD9 or end > len(data) or end < position + 4:
            return
        yield marker, position, end
        position = end


def _measure_frame(frame: bytes) -> tuple[int, int, int]:
    """Return width, height and the bytes of all coefficients of a JPEG frame header."""
    height, width, components = struct.unpack_from(">HHB", frame, 1)
    factors = [divmod(frame[7 + 3 * index], 16) for index in range(components)]
    if not factors or any(not 1 <= factor <= 4 for pair in factors for factor in pair):
        raise DamagedError("its colour components are not those of a JPEG")
    across, down = (max(pair[axis] for pair in factors) for axis in (0, 1))
    shares = sum(x * y for x, y in factors) / (across * down)
    return width, height, int(2 * width * height * shares)


def _check_scans(data: bytes, position: int) -> None:
    """Refuse a JPEG of very many scans: each is a pass over the whole picture, and costs an attacker a few bytes."""
    scans = segments = 0
    marker_pattern = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
    while found := marker_pattern.search(data, position):
        marker = data[found.start() + 1]
        if marker == 0xD9:
            return
        scans += marker == 0xDA
        segments += 1
        if scans > MAX_JPEG_SCANS or segments > MAX_JPEG_SEGMENTS:
            raise DamagedError(f"it has more than {MAX_JPEG_SCANS} scans, which no camera writes")
        position = found.end() + int.from_bytes(data[found.end() : found.end() + 2])


def open_png(data: bytes) -> Contents:
    """Open a PNG file.

    Raises:
        DamagedError: The structure is broken, a checksum is wrong, or the colour profile unpacks beyond its limit.
    """
    kept = [data[:8]]
    orientation = 1
    position, name = 8, b""
    for _ in range(MAX_PNG_CHUNKS):
        if name == b"IEND":
            width, height = struct.unpack_from(">II", data, 16)
            return Contents(b"".join(kept), width, height, orientation)
        length, name = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            raise DamagedError("it ends too early")
        body = memoryview(data)[position + 8 : end - 4]
        if position == 8 and name != b"IHDR":
            raise DamagedError("its header is missing")
        if name in (b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"IDAT", b"IEND"):
            if zlib.crc32(body, zlib.crc32(name)) != int.from_bytes(data[end - 4 : end]):
                raise DamagedError("its data were altered: a checksum is wrong")
            kept.append(data[position:end])
        if name == b"iCCP":
            _check_packed_profile(bytes(body))
        if name == b"eXIf":
            orientation = directory.find_orientation(bytes(body))
        position = end
    raise DamagedError(f"it has more than {MAX_PNG_CHUNKS} parts")


def _check_packed_profile(body: bytes) -> None:
    """Refuse a PNG colour profile that unpacks beyond its limit."""
    packed = body[body.find(b"\0") + 2 :]
    try:
        unpacked = zlib.decompressobj().decompress(packed, MAX_PNG_PROFILE_BYTES + 1)
    except zlib.error as error:
        raise DamagedError("its colour profile cannot be unpacked") from error
    if len(unpacked) > MAX_PNG_PROFILE_BYTES:
        raise DamagedError(f"its colour profile unpacks to more than {MAX_PNG_PROFILE_BYTES // 1024} kB")


def open_webp(data: bytes) -> Contents:
    """Open a WebP file.

    Raises:
        DamagedError: The structure is broken.
    """
    if len(data) + 1 < 8 + int.from_bytes(data[4:8], "little"):
        raise DamagedError("it ends too early")
    name, body = data[12:16], data[20:30]
    if name == b"VP8X":
        width, height = (int.from_bytes(body[at : at + 3], "little") + 1 for at in (4, 7))
    elif name == b"VP8L" and body[:1] == b"\x2f":
        bits = int.from_bytes(body[1:5], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif name == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = (int.from_bytes(body[at : at + 2], "little") & 0x3FFF for at in (6, 8))
    else:
        raise DamagedError("its header is broken")
    # The decoder keeps two canvases of 4 bytes a pixel and hands out a third.
    return Contents(data, width, height, _find_webp_orientation(data), 12 * width * height)


def _find_webp_orientation(data: bytes) -> int:
    position = 12
    while position + 8 <= len(data):
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        if data[position : position + 4] == b"EXIF":
            return directory.find_orientation(data[position + 8 : position + 8 + length])
        position += 8 + length + length % 2
    return 1


def open_gif(data: bytes) -> Contents:
    """Open a GIF file: the larger of its canvas and its first frame's reach, since decoders make room for both.

    Raises:
        DamagedError: There is no frame within the first megabyte.
    """
    head = data[:MAX_GIF_HEAD_BYTES]
    width, height, flags = struct.unpack_from("<HHB", head, 6)
    position = 13 + _find_palette_bytes(flags)
    try:
        while head[position] == 0x21:
            position += 2
            while block_bytes := head[position]:
                position += 1 + block_bytes
            position += 1
        if head[position] != 0x2C:
            raise DamagedError("it holds no frame")
    except IndexError as error:
        raise DamagedError("its first frame is missing") from error
    left, top, across, down = struct.unpack_from("<HHHH", head, position + 1)
    return Contents(data, max(width, left + across), max(height, top + down))


def _find_palette_bytes(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def open_bmp(data: bytes) -> Contents:
    """Open a BMP file.

    Raises:
        DamagedError: It is packed as runs, and too large to be unpacked in reasonable time.
    """
    if len(data) > MAX_PACKED_BMP_BYTES and int.from_bytes(data[30:34], "little") in (1, 2):
        raise DamagedError(f"its runs of pixels take more than {MAX_PACKED_BMP_BYTES // 1_000_000} MB")
    old = int.from_bytes(data[14:18], "little") == 12
    width, height = struct.unpack_from("<HH" if old else "<ii", data, 18)
    return Contents(data, abs(width), abs(height))


def open_tiff(data: bytes) -> Contents:
    """Open the first picture of a TIFF file.

    Raises:
        DamagedError: The directory is broken or lacks the size.
    """
    tags = directory.read_directory(data)
    width, height = tags.find_number(directory.WIDTH), tags.find_number(directory.HEIGHT)
    compression = tags.find_number(directory.COMPRESSION, 1)
    if compression not in _TIFF_COMPRESSIONS:
        raise DamagedError("its compression is a rare one")
    pixel_bytes = max(tags.find_number(directory.SAMPLES, 1), 3) * max(1, tags.find_number(directory.BITS, 8) // 8)
    across = tags.find_number(directory.TILE_WIDTH, width)
    down = tags.find_number(directory.TILE_HEIGHT) or min(tags.find_number(directory.ROWS_PER_STRIP, height), height)
    offsets = tags.entries.get(directory.TILE_OFFSETS) or tags.entries.get(directory.STRIP_OFFSETS)
    if offsets is None or not across or not down or offsets.count < -(-width // across) * -(-height // down):
        raise DamagedError("it lacks a part of the picture")
    # libtiff unpacks one strip or tile at a time, and the file chooses its size; JPEG also keeps its coefficients.
    decoder_bytes = across * down * {1: 0, 6: 10, 7: 10}.get(compression, pixel_bytes)
    orientation = tags.find_number(directory.ORIENTATION, 1)
    kept = directory.keep_decoding_tags(data, tags)
    return Contents(kept, width, height, orientation if 1 <= orientation <= 8 else 1, decoder_bytes)


OPENERS: Final[dict[Format, Callable[[bytes], Contents]]] = {
    "JPEG": open_jpeg,
    "PNG": open_png,
    "WebP": open_webp,
    "GIF": open_gif,
    "BMP": open_bmp,
    "TIFF": open_tiff,
}

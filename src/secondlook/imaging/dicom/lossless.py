"""Decode lossless JPEG (ITU-T T.81 | ISO/IEC 10918-1, annex H): the form of it that DICOM files hold.

Of the decoders for Python one is under the GPL, and the others (GDCM, imagecodecs) take 42 and 79 MB. This one is
memory-safe, which matters for files from anywhere. Codes depend on one another, since each one's length says where the
next begins; so the next place is worked out for all bits at once, and only the hops are made one by one.

Only the first predictor, the pixel to the left, is read: no other is in use in DICOM (its transfer syntax 1.2.4.70
allows no other).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from secondlook.imaging.container import DamagedError

_CHUNK_BYTES: Final = 1 << 15
_MAX_MARKERS: Final = 1000
_INVALID: Final = 255
# A code of up to 16 bits, up to 16 bits after it, and up to 7 before it lie within five bytes.
_REACH_BYTES: Final = 5


@dataclass(slots=True)
class _Scan:
    """What the markers before the samples say."""

    precision: int = 0
    rows: int = 0
    columns: int = 0
    components: tuple[int, ...] = ()
    tables: dict[int, tuple[NDArray[np.uint8], NDArray[np.uint8]]] = field(default_factory=dict)
    order: tuple[int, ...] = ()
    point_transform: int = 0
    interval: int = 0
    start: int = 0


def decode_lossless(data: bytes, rows: int, columns: int, samples: int) -> NDArray[np.uint16]:
    """Decode a lossless JPEG of the size that is expected of it.

    Returns:
        uint16 rows×columns×samples.

    Raises:
        DamagedError: It is broken, of another size, or of another kind of JPEG.
    """
    scan = _read_markers(data)
    if (scan.rows, scan.columns, len(scan.order)) != (rows, columns, samples):
        raise DamagedError("the JPEG in it is of another size than the file says")
    step = scan.interval or rows * columns
    if step % columns:
        raise DamagedError("the JPEG in it restarts within a row")
    pixels = np.zeros((rows, columns, samples), np.uint16)
    end = data.find(b"\xff\xd9", scan.start)
    body = data[scan.start : end if end >= 0 else len(data)]
    parts = re.split(rb"\xff[\xd0-\xd7]", body) if scan.interval else [body]
    for top, part in zip(range(0, rows, step // columns), parts, strict=False):
        strip = pixels[top : top + step // columns]
        _read_differences(part.replace(b"\xff\0", b"\xff"), scan, strip.reshape(-1))
        _add_up(strip, 1 << (scan.precision - scan.point_transform - 1))
    if len(parts) < -(-rows * columns // step):
        raise DamagedError("the JPEG in it ends too early")
    pixels <<= np.uint16(scan.point_transform)
    return pixels


def _add_up(strip: NDArray[np.uint16], first: int) -> None:
    """Turn differences into values, in place: the first column from above, all others from the left, modulo 65536."""
    strip[0, 0] += np.uint16(first)
    np.cumsum(strip[:, 0], axis=0, dtype=np.uint16, out=strip[:, 0])
    np.cumsum(strip, axis=1, dtype=np.uint16, out=strip)


def _read_markers(data: bytes) -> _Scan:
    scan = _Scan()
    for marker, start, end in _iterate_markers(data):
        body = data[start:end]
        if marker == 0xC3:
            scan.precision, scan.rows, scan.columns = body[0], *(int.from_bytes(body[at : at + 2]) for at in (1, 3))
            scan.components = tuple(body[6 : 6 + 3 * body[5] : 3])
            if any(factor != 0x11 for factor in body[7 : 6 + 3 * body[5] : 3]) or not 2 <= scan.precision <= 16:
                raise DamagedError("the JPEG in it is of a rare kind")
        elif marker in range(0xC0, 0xD0) and marker not in (0xC4, 0xC8, 0xCC):
            raise DamagedError("the JPEG in it is not lossless")
        elif marker == 0xC4:
            scan.tables.update(_read_tables(body))
        elif marker == 0xDD:
            scan.interval = int.from_bytes(body[:2])
        elif marker == 0xDA:
            _read_scan_head(scan, body)
            scan.start = end
            return scan
    raise DamagedError("the JPEG in it lacks its samples")


def _iterate_markers(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the marker, and where its content begins and ends, of each segment."""
    position = 2
    for _ in range(_MAX_MARKERS):
        if data[position : position + 1] != b"\xff" or position + 4 > len(data):
            return
        end = position + 2 + int.from_bytes(data[position + 2 : position + 4])
        if data[position + 1] == 0xFF:
            position += 1
            continue
        yield data[position + 1], position + 4, end
        position = end


def _read_scan_head(scan: _Scan, body: bytes) -> None:
    count = body[0]
    chosen = tuple(body[1 : 1 + 2 * count : 2])
    scan.order = tuple(selector >> 4 for selector in body[2 : 2 + 2 * count : 2])
    predictor, scan.point_transform = body[1 + 2 * count], body[3 + 2 * count] & 15
    if chosen != scan.components or not chosen or any(table not in scan.tables for table in scan.order):
        raise DamagedError("the JPEG in it is of a rare kind")
    if predictor != 1 or scan.point_transform >= scan.precision:
        raise DamagedError("the JPEG in it predicts its pixels in a rare way")


def _read_tables(body: bytes) -> Iterator[tuple[int, tuple[NDArray[np.uint8], NDArray[np.uint8]]]]:
    """Yield each Huffman table: for every 16 bits, how long the code at their beginning is, and what it stands for."""
    position = 0
    while position < len(body):
        counts = body[position + 1 : position + 17]
        symbols = body[position + 17 : position + 17 + sum(counts)]
        lengths = np.repeat(np.arange(1, 17, dtype=np.uint8), np.frombuffer(counts, np.uint8))
        spans = np.int64(1) << (16 - lengths.astype(np.int64))
        if len(counts) < 16 or len(symbols) < sum(counts) or spans.sum() > 1 << 16 or any(s > 16 for s in symbols):
            raise DamagedError("the JPEG in it has a broken code table")
        rest = (1 << 16) - int(spans.sum())
        yield (
            body[position] & 15,
            (
                np.append(np.repeat(lengths, spans), np.ones(rest, np.uint8)),
                np.append(np.repeat(np.frombuffer(symbols, np.uint8), spans), np.full(rest, _INVALID, np.uint8)),
            ),
        )
        position += 17 + sum(counts)


def _read_differences(data: bytes, scan: _Scan, differences: NDArray[np.uint16]) -> None:
    """Decode as many differences as there is room for, in place.

    Args:
        data: The coded samples, without stuffed bytes.
        scan: The tables, and which of them each component uses.
        differences: uint16, flat, components of a pixel side by side.
    """
    end_bit = 8 * len(data)
    # Beyond the end there are ones, as encoders pad.
    source = np.frombuffer(data + b"\xff" * (_CHUNK_BYTES + _REACH_BYTES), np.uint8)
    done, bit = 0, 0
    while done < differences.size:
        if bit >= end_bit:
            raise DamagedError("the JPEG in it ends too early")
        first = bit // 8
        window = source[first : first + _CHUNK_BYTES + _REACH_BYTES]
        hops = [_find_hops(window, *scan.tables[table]) for table in scan.order]
        places = _hop(hops, bit - 8 * first, min(8 * _CHUNK_BYTES, end_bit - 8 * first), done, differences.size - done)
        for index, table in enumerate(scan.order):
            offset = (index - done) % len(scan.order)
            chosen = np.array(places[:-1][offset :: len(scan.order)], np.int64)
            found = _decode_places(window, chosen, *scan.tables[table])
            differences[done + offset : done + len(places) - 1 : len(scan.order)] = found
        done += len(places) - 1
        bit = 8 * first + places[-1]
    if bit > end_bit:
        raise DamagedError("the JPEG in it ends too early")


def _find_hops(window: NDArray[np.uint8], lengths: NDArray[np.uint8], symbols: NDArray[np.uint8]) -> list[int]:
    """Return for every bit of a window where the next code begins if one begins here."""
    high, middle, low = (window[at : at - _REACH_BYTES].astype(np.int32) for at in range(3))
    codes = ((high << 16 | middle << 8 | low)[:, None] >> np.arange(8, 0, -1, dtype=np.int32) & 0xFFFF).reshape(-1)
    # A difference of 32768 has no further bits, nor has what is no code.
    steps = lengths + np.where(symbols < 16, symbols, 0)
    following: list[int] = (steps[codes] + np.arange(codes.size)).tolist()
    return following


def _hop(hops: list[list[int]], place: int, end: int, done: int, wanted: int) -> list[int]:
    """Return the places of codes from here to the end, and the place after the last of them."""
    places = [place]
    append = places.append
    if len(hops) == 1:
        following = hops[0]
        while place < end:
            place = following[place]
            append(place)
    else:
        for following in islice(cycle(hops), done % len(hops), None):
            if place >= end:
                break
            place = following[place]
            append(place)
    return places[: wanted + 1]


def _decode_places(
    window: NDArray[np.uint8], places: NDArray[np.int64], lengths: NDArray[np.uint8], symbols: NDArray[np.uint8]
) -> NDArray[np.uint16]:
    """Return the differences whose codes begin at these bits (T.81, table H.2 and F.2.2.1)."""
    byte = places >> 3
    wide = np.zeros(places.size, np.uint64)
    for offset in range(_REACH_BYTES):
        wide = wide << np.uint64(8) | window[byte + offset]
    ahead = (wide << (places & 7).astype(np.uint64)) & np.uint64(0xFFFFFFFFFF)
    codes = (ahead >> np.uint64(24)).astype(np.int64)
    size = symbols[codes].astype(np.int64)
    if (size == _INVALID).any():
        raise DamagedError("the JPEG in it has a code that stands for nothing")
    shift = np.maximum(40 - lengths[codes].astype(np.int64) - size, 0).astype(np.uint64)
    extra = (ahead >> shift).astype(np.int64) & ((1 << size) - 1)
    difference = np.where(extra < (1 << size) >> 1, extra - (1 << size) + 1, extra)
    return np.where(size == 16, 32768, difference).astype(np.uint16)

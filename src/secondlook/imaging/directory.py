"""TIFF directories: the list of tags in a TIFF file, and in the EXIF block of every other format.

Pillow reports a damaged directory through Python's warnings, whose filters are global to a process: they cannot be
silenced for one thread only. So the few facts that reading needs are taken from the directory here, and Pillow gets a
directory that holds nothing else.
"""

import struct
from dataclasses import dataclass
from typing import Final

ORIENTATION: Final = 274
WIDTH: Final = 256
HEIGHT: Final = 257
BITS: Final = 258
COMPRESSION: Final = 259
STRIP_OFFSETS: Final = 273
SAMPLES: Final = 277
ROWS_PER_STRIP: Final = 278
TILE_WIDTH: Final = 322
TILE_HEIGHT: Final = 323
TILE_OFFSETS: Final = 324

# Bytes of a value by its type's number; the types 14 and 15 do not exist.
_TYPE_BYTES: Final = dict(
    zip((*range(1, 14), 16, 17, 18), (1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 8, 8, 8), strict=True)
)
_WHOLE_NUMBERS: Final = {1: "B", 3: "H", 4: "I", 16: "Q"}
_SINGLE: Final = {
    *(WIDTH, HEIGHT, COMPRESSION, SAMPLES, ROWS_PER_STRIP, TILE_WIDTH, TILE_HEIGHT),
    *(262, 266, 284, 292, 293, 317),
}
# What decoding needs: layout, compression, colour map, extra samples, JPEG tables, chroma sampling, ICC profile.
_DECODING: Final = {
    *_SINGLE,
    *(BITS, STRIP_OFFSETS, 279, 320, TILE_OFFSETS, 325, 338, 339, 347),
    *(*range(512, 522), 529, 530, 532, 34675),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """Byte order and field widths: classic TIFF, or BigTIFF with its 64-bit offsets."""

    order: str
    big: bool

    @property
    def entry(self) -> struct.Struct:
        """One entry: tag, type, count, and the value or its offset."""
        return struct.Struct(self.order + ("HHQ8s" if self.big else "HHI4s"))

    @property
    def offset(self) -> struct.Struct:
        """An offset in the file."""
        return struct.Struct(self.order + ("Q" if self.big else "I"))

    @property
    def count(self) -> struct.Struct:
        """The number of entries."""
        return struct.Struct(self.order + ("Q" if self.big else "H"))


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a directory, as stored."""

    kind: int
    count: int
    value: bytes
    stored: bytes


@dataclass(frozen=True, slots=True)
class Directory:
    """The first directory of a TIFF structure."""

    layout: Layout
    entries: dict[int, Entry]

    def find_number(self, tag: int, default: int = 0) -> int:
        """Return the first whole number stored under the tag, or the default."""
        entry = self.entries.get(tag)
        if entry is None or entry.kind not in _WHOLE_NUMBERS or not entry.count:
            return default
        return int(struct.unpack_from(self.layout.order + _WHOLE_NUMBERS[entry.kind], entry.value)[0])


def read_directory(data: bytes) -> Directory:
    """Read the first directory of a TIFF file or EXIF block.

    Raises:
        ValueError: The directory is damaged: it, or a value in it, lies outside the data.
        struct.error: The data end within the directory.
    """
    layout = Layout("<" if data[:2] == b"II" else ">", big=b"+" in data[2:4])
    start = int(layout.offset.unpack_from(data, 8 if layout.big else 4)[0])
    count = int(layout.count.unpack_from(data, start)[0])
    if count > 4096:
        raise ValueError(f"a directory of {count} entries")
    position = start + layout.count.size
    entries: dict[int, Entry] = {}
    for index in range(count):
        tag, kind, number, value = layout.entry.unpack_from(data, position + index * layout.entry.size)
        size = number * _TYPE_BYTES.get(kind, 0)
        if size > layout.offset.size:
            offset = int(layout.offset.unpack(value)[0])
            value = data[offset : offset + size] if tag in _DECODING and offset + size <= len(data) else b""
            size = size if tag in _DECODING else 0
        stored_at = position + index * layout.entry.size
        if tag in _DECODING and len(value) < size:
            raise ValueError(f"the value of tag {tag} lies outside the file")
        entries.setdefault(tag, Entry(kind, number, value[:size], data[stored_at : stored_at + layout.entry.size]))
    return Directory(layout, entries)


def find_orientation(exif: bytes) -> int:
    """Return the EXIF orientation, 1 to 8; 1 (upright) where the block is absent, damaged or silent."""
    block = exif.removeprefix(b"Exif\0\0")
    if block[:2] not in (b"II", b"MM"):
        return 1
    try:
        orientation = read_directory(block).find_number(ORIENTATION, 1)
    except (ValueError, OverflowError, struct.error):
        return 1
    return orientation if 1 <= orientation <= 8 else 1


def keep_decoding_tags(data: bytes, directory: Directory) -> bytes:
    """Return the TIFF file with one new directory that holds only what decoding needs.

    Raises:
        ValueError: A tag that must hold one value holds several.
    """
    layout = directory.layout
    kept = {tag: entry for tag, entry in directory.entries.items() if tag in _DECODING and entry.kind in _TYPE_BYTES}
    for tag in _SINGLE & kept.keys():
        if kept[tag].count != 1:
            raise ValueError(f"tag {tag} holds {kept[tag].count} values instead of one")
    # Directories start at even offsets.
    padding = b"\0" * (len(data) % 2)
    start = layout.offset.pack(len(data) + len(padding))
    pointer = 8 if layout.big else 4
    table = b"".join(kept[tag].stored for tag in sorted(kept))
    end = layout.offset.pack(0)
    return b"".join(
        (
            data[:pointer],
            start,
            memoryview(data)[pointer + len(start) :],
            padding,
            layout.count.pack(len(kept)),
            table,
            end,
        )
    )

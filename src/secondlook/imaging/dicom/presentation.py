"""Turn stored samples into grey levels as a radiologist expects them: bone white, lung dark.

Samples have at most 16 bits, so every step is worked out once for each possible sample, and the picture is looked up:
modality lookup table or rescale, then the file's table or window of values of interest, then white for black where the
file asks for it (PS3.3, C.11.1, C.11.2 and C.7.6.3.1.2; PS3.4, N.2).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from secondlook.imaging.container import DamagedError
from secondlook.imaging.dicom.admission import Layout, find_numbers, find_text, find_whole
from secondlook.imaging.dicom.frame import Samples
from secondlook.imaging.dicom.structure import Structure

# Without a window in the file these shares of the pixels become black and white: markers and bare film lie beyond.
DARKEST_PERCENT: Final = 0.5
BRIGHTEST_PERCENT: Final = 99.5

_STRIP_PIXELS: Final = 1 << 20
_Values = NDArray[np.float64]


def show_grey(samples: Samples, structure: Structure, layout: Layout) -> NDArray[np.uint8]:
    """Return the grey levels of stored samples.

    Args:
        samples: uint8 or uint16 H×W.
        structure: The file's attributes and lookup tables.
        layout: How samples are stored.

    Returns:
        uint8 H×W, 0 black, 255 white.

    Raises:
        DamagedError: A lookup table is broken.
    """
    indices = np.arange(1 << layout.bits_stored)
    stored = np.where(layout.signed & (indices >= indices.size // 2), indices - indices.size, indices)
    values = _apply_modality(stored.astype(np.float64), structure)
    padding = _find_padding(structure.values, layout)
    shares = _apply_interest(values, samples, structure, layout, ~padding)
    if layout.photometric == "MONOCHROME1":
        shares = 1 - shares
    levels = np.rint(255 * shares).astype(np.uint8)
    # What only fills the frame is to be shown black, inverted or not.
    levels[padding] = 0
    return look_up(samples, levels, layout)


def look_up(samples: Samples, table: NDArray[np.uint8], layout: Layout) -> NDArray[np.uint8]:
    """Return each sample's entry of a table of 2 to the power of the stored bits, strip by strip."""
    rows, columns = samples.shape[:2]
    shown = np.empty((rows, columns, *table.shape[1:]), np.uint8)
    for strip in _cut(samples):
        shown[strip] = table[_index(samples[strip], layout)]
    return shown


def show_palette(samples: Samples, structure: Structure, layout: Layout) -> NDArray[np.uint8]:
    """Return uint8 H×W×3 RGB of samples that point into a palette.

    Raises:
        DamagedError: The palette is missing or broken.
    """
    indices = np.arange(1 << layout.bits_stored, dtype=np.float64)
    table = np.empty((indices.size, 3), np.uint8)
    for column, colour in enumerate(("Red", "Green", "Blue")):
        entries, first, bits = _read_table(
            structure,
            structure.values,
            (f"{colour}PaletteColorLookupTableDescriptor", f"{colour}PaletteColorLookupTableData"),
        )
        table[:, column] = np.rint(255 * _through_table(indices, entries, first) / ((1 << bits) - 1))
    return look_up(samples, table, layout)


def _cut(samples: Samples) -> list[slice]:
    rows = max(1, _STRIP_PIXELS // samples.shape[1])
    return [slice(top, top + rows) for top in range(0, samples.shape[0], rows)]


def _index(strip: Samples, layout: Layout) -> NDArray[np.integer]:
    """Return the bits of samples that count; others may hold overlays."""
    return (strip >> layout.shift) & ((1 << layout.bits_stored) - 1)


def _apply_modality(stored: _Values, structure: Structure) -> _Values:
    if structure.modality_lut is not None:
        entries, first, _ = _read_table(structure, structure.modality_lut, ("LUTDescriptor", "LUTData"))
        return _through_table(stored, entries, first)
    slope, intercept = (find_numbers(structure.values, name) for name in ("RescaleSlope", "RescaleIntercept"))
    if slope and intercept and slope[0]:
        return stored * slope[0] + intercept[0]
    return stored


def _find_padding(values: Dataset, layout: Layout) -> NDArray[np.bool_]:
    """Return which stored samples only fill the frame (PS3.3, C.7.5.1.1.2)."""
    found = np.zeros(1 << layout.bits_stored, np.bool_)
    limits = find_numbers(values, "PixelPaddingValue") + find_numbers(values, "PixelPaddingRangeLimit")
    if limits:
        low, high = int(min(limits[:2])), int(max(limits[:2]))
        found[np.arange(low, min(high, low + found.size - 1) + 1) % found.size] = True
    return found


def _apply_interest(
    values: _Values, samples: Samples, structure: Structure, layout: Layout, meant: NDArray[np.bool_]
) -> _Values:
    """Return each possible sample's share of full brightness, 0..1."""
    if structure.voi_lut is not None:
        entries, first, bits = _read_table(structure, structure.voi_lut, ("LUTDescriptor", "LUTData"))
        return _through_table(np.rint(values), entries, first) / ((1 << bits) - 1)
    window = _find_window(structure.values)
    if window is not None:
        return _apply_window(values, *window)
    if layout.bits_stored <= 8:
        low, high = values.min(), values.max()
    else:
        low, high = _find_range(values, samples, layout, meant)
    return np.clip((values - low) / (high - low), 0, 1) if high > low else np.zeros_like(values)


def _find_window(values: Dataset) -> tuple[str, float, float] | None:
    """Return function, centre and width of the file's first window; nothing where there is none that can be."""
    centres, widths = find_numbers(values, "WindowCenter"), find_numbers(values, "WindowWidth")
    function = find_text(values, "VOILUTFunction") or "LINEAR"
    if not centres or not widths or widths[0] < (1 if function == "LINEAR" else np.finfo(float).tiny):
        return None
    return function, centres[0], widths[0]


def _apply_window(values: _Values, function: str, centre: float, width: float) -> _Values:
    """Apply a window (PS3.3, C.11.2.1.2 and C.11.2.1.3)."""
    if function == "SIGMOID":
        return 1 / (1 + np.exp(np.clip(-4 * (values - centre) / width, -500, 500)))
    if function == "LINEAR_EXACT":
        return np.clip((values - centre) / width + 0.5, 0, 1)
    return np.clip((values - (centre - 0.5)) / max(width - 1, np.finfo(float).tiny) + 0.5, 0, 1)


def _find_range(
    values: _Values, samples: Samples, layout: Layout, meant: NDArray[np.bool_]
) -> tuple[np.float64, np.float64]:
    """Return the values between which nearly all pixels lie that show something."""
    counts = np.zeros(values.size, np.int64)
    for strip in _cut(samples):
        counts += np.bincount(_index(samples[strip], layout).reshape(-1), minlength=values.size)
    counts[~meant] = 0
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(counts[order])
    places = np.searchsorted(reached, reached[-1] * np.array([DARKEST_PERCENT, BRIGHTEST_PERCENT]) / 100)
    low, high = values[order][np.minimum(places, values.size - 1)]
    return low, high


def _read_table(structure: Structure, holder: Dataset, names: tuple[str, str]) -> tuple[_Values, int, int]:
    """Return the entries of a lookup table, the value that the first is for, and how many bits they have.

    Some files claim 16 bits for entries of fewer; bits are those of the greatest entry, but not less than 8.
    """
    descriptor = find_numbers(holder, names[0])
    if len(descriptor) != 3:
        raise DamagedError("one of its lookup tables is broken")
    count, first, bits = (int(number) for number in descriptor)
    count = count % 65536 or 65536
    # Signed and unsigned numbers are written alike, and not every file names the right one of them.
    first = first - 65536 if first >= 32768 and find_whole(structure.values, "PixelRepresentation", 0) else first
    raw = holder.get(names[1])
    if isinstance(raw, bytes):
        small = len(raw) < 2 * count
        entries = np.frombuffer(raw, "u1" if small else "<u2" if structure.coding.little else ">u2").astype(np.float64)
    else:
        entries = np.array(find_numbers(holder, names[1])) % 65536
    if entries.size < count or not 8 <= bits <= 16:
        raise DamagedError("one of its lookup tables is broken")
    entries = entries[:count]
    return entries, first, max(8, min(bits, int(entries.max()).bit_length()))


def _through_table(values: _Values, entries: _Values, first: int) -> _Values:
    """Look values up; those beyond the table's ends get its first or last entry."""
    return np.asarray(entries[np.clip(np.rint(values) - first, 0, entries.size - 1).astype(np.int64)])

"""What a picture gives away besides what it shows: its size, its sharpness, its border, and how its file was saved."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from secondlook.data.fingerprint import THREADS, Track, track_silently
from secondlook.data.manifest import Manifest
from secondlook.errors import DatasetError, InputError
from secondlook.imaging.read import Source, read_picture

DETAIL_PX = 256
BORDER_SHARE = 0.04
CORNER_SHARE = 0.08
DARK = 25
LIGHT = 245
GREY_TOLERANCE = 3
# The sum of the luminance table that JPEG suggests (ITU-T T.81, 1992, table K.1), which quality 50 stands for.
STANDARD_TABLE = 3688

Fact = float | str | None


@dataclass(frozen=True, slots=True)
class Family:
    """Facts of one kind.

    Attributes:
        key: Short key.
        title: What it is, for a reader.
        detail: What belongs to it, for a reader.
        facts: Its columns in the table of :func:`read_facts`.
        from_the_lesion: Whether the disease itself may change these facts. The size of a file's frame tells of its
            origin alone; the colour of the skin at the border may be that of a disease.
    """

    key: str
    title: str
    detail: str
    facts: tuple[str, ...]
    from_the_lesion: bool


FAMILIES = (
    Family("size", "Size of the picture", "width, height and their ratio", ("width", "height", "aspect"), False),
    Family(
        "saving",
        "How the file was saved",
        "format, JPEG quality, grey or colour, colour profile",
        (
            "format",
            "mode",
            "grey",
            "luma_table",
            "chroma_table",
            "sampling",
            "progressive",
            "dots_per_inch",
            "profile",
            "exif",
            "turned",
        ),
        False,
    ),
    Family("bytes", "Size of the file", "bytes for each pixel", ("bytes_per_pixel",), True),
    Family("resolution", "Sharpness", "how much fine detail there is", ("fine_detail", "middle_detail"), True),
    Family(
        "border",
        "Border",
        "colour and brightness of the rim and the corners",
        (
            *(f"{place}_{colour}" for place in ("border", "corner") for colour in ("red", "green", "blue")),
            "border_spread",
            "border_dark",
            "border_light",
        ),
        True,
    ),
)


def read_facts(manifest: Manifest, *, track: Track = track_silently) -> pd.DataFrame:
    """Read every picture and return the facts of ``FAMILIES``, one row per picture, in the order of the manifest.

    Numbers are float; ``format``, ``mode`` and ``sampling`` are text. What a file does not say is missing.

    Raises:
        DatasetError: Pictures cannot be read; all of them are listed.
    """

    def attempt(path: Path) -> dict[str, Fact] | InputError:
        try:
            return describe_picture(path)
        except InputError as error:
            return error

    with ThreadPoolExecutor(THREADS) as pool:
        found = list(track(pool.map(attempt, manifest.paths()), "Reading pictures", len(manifest)))
    faults = [
        f"row {row + 2}: {manifest.frame['image'].iloc[row]}: {item}"
        for row, item in enumerate(found)
        if isinstance(item, InputError)
    ]
    if faults:
        raise DatasetError("Expected pictures that can be read.", faults)
    columns = [fact for family in FAMILIES for fact in family.facts]
    facts = pd.DataFrame([item for item in found if isinstance(item, dict)], columns=columns)
    text = ["format", "mode", "sampling"]
    return facts.astype(dict.fromkeys(facts.columns.difference(text), float)).astype(dict.fromkeys(text, object))


def describe_picture(path: Path) -> dict[str, Fact]:
    """Return all facts of one picture.

    Raises:
        InputError: It cannot be read.
    """
    picture = read_picture(path, target_px=DETAIL_PX)
    source = picture.source
    pixels = source.width * source.height
    return {
        "width": source.width,
        "height": source.height,
        "aspect": source.width / source.height,
        "bytes_per_pixel": path.stat().st_size / pixels,
        "grey": float(is_grey(picture.pixels)),
        **describe_header(path, source),
        **describe_detail(picture.pixels),
        **describe_border(picture.pixels),
    }


def describe_header(path: Path, source: Source) -> dict[str, Fact]:
    """Return how a file was saved, from its first bytes; nothing is decoded.

    ``luma_table`` and ``chroma_table`` are the sums of the JPEG quantisation tables: the greater, the coarser.
    """
    facts: dict[str, Fact] = {"format": source.format, "turned": float(source.orientation_applied)}
    try:
        with Image.open(path) as image:
            facts["mode"] = image.mode
            facts["profile"] = float("icc_profile" in image.info)
            facts["exif"] = float("exif" in image.info)
            facts["dots_per_inch"] = _find_density(image.info.get("dpi"))
            facts["progressive"] = float(bool(image.info.get("progressive")))
            tables = [float(sum(table)) for table in getattr(image, "quantization", {}).values()]
            layers: Sequence[tuple[int, int, int, int]] = getattr(image, "layer", ())
    except (OSError, ValueError):  # a format that only our own reader opens
        return facts
    if tables:
        facts["luma_table"], facts["chroma_table"] = tables[0], tables[-1] if len(tables) > 1 else None
        facts["sampling"] = " ".join(f"{across}x{down}" for _, across, down, _ in layers)
    return facts


def _find_density(density: object) -> float | None:
    first = density[0] if isinstance(density, tuple) and density else None
    return float(first) if isinstance(first, (int, float)) and np.isfinite(float(first)) else None


def estimate_quality(luma_table: "pd.Series[float]") -> "pd.Series[float]":
    """Return the JPEG quality, about 1 … 100, that most programs would call these sums of luminance tables.

    The scale is that of the Independent JPEG Group's library: the suggested table, times 50/quality below 50 and
    2 − quality/50 above.
    """
    scale = luma_table / STANDARD_TABLE
    return (100 - 50 * scale).where(scale <= 1, 50 / scale).clip(1, 100).round()


def is_grey(pixels: NDArray[np.uint8]) -> bool:
    """Tell whether a picture (uint8 H×W×3 RGB) shows no colour."""
    wide = pixels.astype(np.int16)
    return bool((np.ptp(wide, axis=2) <= GREY_TOLERANCE).all())


def describe_detail(pixels: NDArray[np.uint8]) -> dict[str, Fact]:
    """Return how much finer detail weighs against the next coarser one, in steps of a factor of two (log2).

    Detail is what averaging 2×2 pixels removes, after the picture was brought to a shorter side of at most 256
    pixels. A picture that was enlarged, blurred or saved coarsely lacks the finest detail.

    Args:
        pixels: uint8 H×W×3 RGB.
    """
    image = Image.fromarray(pixels).convert("L")
    scale = DETAIL_PX / min(image.size)
    if scale < 1:
        width, height = (max(1, round(side * scale)) for side in image.size)
        image = image.resize((width, height), Image.Resampling.BOX)
    light = np.asarray(image, dtype=np.float32)
    energies = []
    for _ in range(3):
        light = light[: light.shape[0] // 2 * 2, : light.shape[1] // 2 * 2]
        if not light.size:
            return {"fine_detail": None, "middle_detail": None}
        coarse = light.reshape(light.shape[0] // 2, 2, -1, 2).mean(axis=(1, 3))
        energies.append(float(np.square(light - coarse.repeat(2, axis=0).repeat(2, axis=1)).mean()) + 1 / 12)
        light = coarse
    fine, middle, large = np.log2(energies)
    return {"fine_detail": float(fine - middle), "middle_detail": float(middle - large)}


def describe_border(pixels: NDArray[np.uint8]) -> dict[str, Fact]:
    """Return the mean colour (0 … 255) of a picture's rim and of its corners, and how the rim's brightness varies.

    Args:
        pixels: uint8 H×W×3 RGB.
    """
    height, width = pixels.shape[:2]
    rim = max(1, round(BORDER_SHARE * min(height, width)))
    square = max(1, round(CORNER_SHARE * min(height, width)))
    inside = np.zeros((height, width), dtype=bool)
    inside[rim : height - rim, rim : width - rim] = True
    border = pixels[~inside].astype(np.float32)
    corners = np.concatenate([pixels[rows, columns].reshape(-1, 3) for rows, columns in _list_corners(square)])
    brightness = border.mean(axis=1)
    return {
        **_name_colours("border", border.mean(axis=0)),
        **_name_colours("corner", corners.mean(axis=0)),
        "border_spread": float(brightness.std()),
        "border_dark": float((brightness < DARK).mean()),
        "border_light": float((brightness > LIGHT).mean()),
    }


def _list_corners(square: int) -> list[tuple[slice, slice]]:
    ends = (slice(None, square), slice(-square, None))
    return [(rows, columns) for rows in ends for columns in ends]


def _name_colours(place: str, colour: NDArray[np.floating]) -> dict[str, Fact]:
    return {f"{place}_{name}": float(value) for name, value in zip(("red", "green", "blue"), colour, strict=True)}

"""Turn decoded pictures of any mode into RGB as sRGB shows it, a strip at a time so that memory stays small."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageCms

# Pillow's modes for 16-bit, 32-bit and floating-point grey.
DEEP_MODES: Final = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")
_STRIP_PIXELS: Final = 1 << 20
_PROFILE_SPACES: Final = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}


@dataclass(frozen=True, slots=True)
class Colours:
    """How a picture's stored values are to be read.

    Attributes:
        profile: The embedded ICC profile, or nothing.
        inverted: Whether ink values (CMYK) are stored upside down.
    """

    profile: bytes | None = None
    inverted: bool = False


def convert_to_srgb(image: Image.Image, colours: Colours, *, factor: int = 1) -> tuple[NDArray[np.uint8], bool]:
    """Convert a decoded picture to RGB, averaging blocks of ``factor`` × ``factor`` pixels into one.

    Alpha is laid on white; deep grey is stretched from its least to its greatest finite value over 0..255.

    Returns:
        uint8 H×W×3 RGB, and whether the embedded profile was applied.
    """
    transform: ImageCms.ImageCmsTransform | None = None
    flatten = _choose_flattening(image, colours)
    if image.mode not in DEEP_MODES:
        transform = _build_transform(flatten(image.crop((0, 0, 1, 1))).mode, colours.profile)
    width, height = image.size
    rows = max(1, _STRIP_PIXELS // (width * factor)) * factor
    pixels = np.empty((-(-height // factor), -(-width // factor), 3), np.uint8)
    for top in range(0, height, rows):
        strip = flatten(image.crop((0, top, width, min(top + rows, height))))
        if factor > 1:
            strip = strip.reduce(factor)
        shown = _bring(strip, "RGB") if transform is None else transform.apply(strip)
        pixels[top // factor : top // factor + strip.height] = np.asarray(shown)
    return pixels, transform is not None


def _choose_flattening(image: Image.Image, colours: Colours) -> Callable[[Image.Image], Image.Image]:
    """Return the step that brings a strip of this picture to L, RGB or CMYK."""
    if image.mode in DEEP_MODES:
        low, high = _find_range(image)
        return lambda strip: _stretch(strip, low, high)
    if image.mode == "CMYK":
        return ImageChops.invert if colours.inverted else lambda strip: strip
    if image.mode in ("La", "LA", "RGBa", "RGBA", "PA") or "transparency" in image.info:
        return _lay_on_white
    mode = "L" if image.mode in ("1", "L") else "RGB"
    return lambda strip: _bring(strip, mode)


def _bring(strip: Image.Image, mode: str) -> Image.Image:
    """Return the strip in a mode; Pillow would copy one that has it already."""
    return strip if strip.mode == mode else strip.convert(mode)


def _lay_on_white(strip: Image.Image) -> Image.Image:
    if strip.mode == "La":
        strip = strip.convert("LA")
    strip = strip.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", strip.size, (255, 255, 255, 255)), strip).convert("RGB")


def _find_range(image: Image.Image) -> tuple[float, float]:
    """Return the least and the greatest finite value of a deep grey picture; 0 and 0 where there is none."""
    width, height = image.size
    rows = max(1, _STRIP_PIXELS // width)
    low, high = np.inf, -np.inf
    for top in range(0, height, rows):
        values = np.asarray(image.crop((0, top, width, min(top + rows, height))))
        finite = values[np.isfinite(values)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    return (low, high) if low <= high else (0.0, 0.0)


def _stretch(strip: Image.Image, low: float, high: float) -> Image.Image:
    """Return a deep grey strip as L: ``low`` becomes 0, ``high`` 255; not-a-number becomes 0."""
    values = np.nan_to_num(np.asarray(strip).astype(np.float64), nan=low, posinf=high, neginf=low)
    span = high - low
    scaled = (values - low) * (255.0 / span) if span > 0 else np.zeros_like(values)
    return Image.fromarray(np.rint(scaled).astype(np.uint8))


def _build_transform(mode: str, profile: bytes | None) -> ImageCms.ImageCmsTransform | None:
    """Return the transform from the profile to sRGB; none where the profile is absent, broken or of another space."""
    if not profile:
        return None
    try:
        embedded = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if _PROFILE_SPACES.get(embedded.profile.xcolor_space) != mode:
            return None
        return ImageCms.buildTransform(embedded, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None

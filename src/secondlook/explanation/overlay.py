"""Draw a heatmap over the picture that it explains, aligned to the part that the network saw."""

import io
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from secondlook.explanation.heatmap import WHOLE, Box, find_part, smooth_heatmap

# Lightness rises steadily from dark blue to yellow, which readers with any colour vision deficiency can follow.
SCALE_RGB = ((20, 30, 99), (91, 69, 145), (171, 105, 132), (235, 164, 81), (255, 243, 80))
PALETTE: Final[NDArray[np.uint8]] = np.rint(
    [
        [np.interp(level, np.linspace(0, 1, len(SCALE_RGB)), channel) for channel in zip(*SCALE_RGB, strict=True)]
        for level in np.linspace(0, 1, 1024)
    ]
).astype(np.uint8)
SHOWN_FROM = 0.25


def draw_overlay(heatmap: NDArray[np.float32], size: tuple[int, int], *, seen: Box = WHOLE) -> Image.Image:
    """Return a heatmap as a picture of ``size`` (width, height) to lay over the original, RGBA.

    Colour and opacity rise with the heat; outside the part that the network saw, and where the heat is below a quarter,
    it is fully transparent.

    Args:
        heatmap: float32 h×w in 0…1 over the part that the network saw, row 0 at the top.
        size: Width and height of the original picture in pixels.
        seen: Left, top, right and lower edge of that part as shares of width and height.
    """
    left, top, *part = find_part(size, seen)
    values = smooth_heatmap(heatmap, (part[0], part[1]))
    opacity = np.clip((values - SHOWN_FROM) / (1 - SHOWN_FROM), 0, 1) ** 0.5
    coloured = np.dstack([colour_heat(values), np.rint(opacity * 255).astype(np.uint8)])
    canvas = Image.new("RGBA", size, (0, 0, 0, 0))
    canvas.paste(Image.fromarray(coloured), (left, top))
    return canvas


def blend_overlay(
    pixels: NDArray[np.uint8],
    heatmap: NDArray[np.float32],
    *,
    seen: Box = WHOLE,
    strength: float = 0.6,
) -> Image.Image:
    """Return the picture with its heatmap laid over it, RGB, at the picture's size.

    Args:
        pixels: uint8 H×W×3, RGB.
        heatmap: float32 h×w in 0…1 over the part that the network saw, row 0 at the top.
        seen: Edges of that part, as in :func:`draw_overlay`.
        strength: Opacity of the hottest place, 0…1.
    """
    picture = Image.fromarray(pixels)
    overlay = draw_overlay(heatmap, picture.size, seen=seen)
    overlay.putalpha(overlay.getchannel("A").point([round(strength * value) for value in range(256)]))
    return Image.alpha_composite(picture.convert("RGBA"), overlay).convert("RGB")


def encode_png(image: Image.Image) -> bytes:
    """Return the picture as PNG, without metadata."""
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=3)  # half the time of Pillow's 6, for a twentieth more bytes
    return stream.getvalue()


def colour_heat(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return uint8 H×W×3 RGB for H×W values in 0…1, dark blue for none to yellow for the most."""
    return np.asarray(PALETTE[np.rint(values * (len(PALETTE) - 1)).astype(np.intp)])

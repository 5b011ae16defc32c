"""Draw an outline and its figures over the picture."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from secondlook.explanation.abcd import COLOURS, Outline

LONGEST_PX, SHORTEST_PX = 1024, 640
BORDER, AXES, DIAMETER = "#ffffff", "#35e0d0", "#ffd84d"
HALO, PAPER, INK = "#101418", "#ffffff", "#17252a"
NAMES: Final = {key: key.replace("_", " ").replace("blue grey", "blue-grey") for key in COLOURS}


def sketch_outline(pixels: NDArray[np.uint8], outline: Outline) -> Image.Image:
    """Return the picture with border, axes and diameter drawn over it, and the four figures below, RGB.

    Args:
        pixels: uint8 H×W×3, RGB, the picture, at any size.
        outline: What was measured.
    """
    image = Image.fromarray(pixels)
    scale = min(max(1.0, SHORTEST_PX / max(image.size)), LONGEST_PX / max(image.size))
    image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)
    factor = image.width / outline.size[0]
    draw = ImageDraw.Draw(image)
    thin = max(3, round(max(image.size) / 300))
    for ends in _find_axes(outline):
        _draw_line(draw, ends * factor, AXES, thin)
    _draw_line(draw, np.array(outline.diameter) * factor, DIAMETER, thin)
    _draw_line(draw, np.vstack([outline.border, outline.border[:1]]) * factor, BORDER, thin)
    return _add_caption(image, outline)


def _find_axes(outline: Outline) -> list[NDArray[np.float64]]:
    """Return the ends of both axes of symmetry, a little longer than the lesion."""
    centre, axes = np.array(outline.centre), []
    for degrees in (outline.axis_degrees, outline.axis_degrees + 90):
        direction = np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))])
        along = (outline.border - centre) @ direction
        axes.append(np.stack([centre + 1.1 * along.min() * direction, centre + 1.1 * along.max() * direction]))
    return axes


def _draw_line(draw: ImageDraw.ImageDraw, line: NDArray[np.float64], colour: str, width: int) -> None:
    points = [(float(x), float(y)) for x, y in line]
    draw.line(points, fill=HALO, width=width + 2, joint="curve")
    draw.line(points, fill=colour, width=width, joint="curve")


def _add_caption(image: Image.Image, outline: Outline) -> Image.Image:
    """Return the picture above a strip with the figures and samples of the colours."""
    size = max(13, image.width // 46)
    font = ImageFont.load_default(size)
    line = round(1.7 * size)
    sheet = Image.new("RGB", (image.width, image.height + 5 * line), PAPER)
    sheet.paste(image, (0, 0))
    draw = ImageDraw.Draw(sheet)
    texts = (
        (f"Asymmetry {outline.asymmetry:.2f}: share without a mirror image across the axes", AXES),
        (f"Border {outline.irregularity:.2f}: irregularity, 1 for a circle", BORDER),
        (f"Colours {len(outline.present)}: {_list_colours(outline)}", None),
        (f"Diameter {write_diameter(outline)}", DIAMETER),
    )
    for number, (text, colour) in enumerate(texts):
        top = image.height + line // 2 + number * line
        if colour:
            _draw_line(draw, np.array([[size, top + 0.6 * size], [2.4 * size, top + 0.6 * size]]), colour, 3)
        draw.text((3 * size, top), text, fill=INK, font=font)
    return sheet


def _list_colours(outline: Outline) -> str:
    return ", ".join(f"{NAMES[name]} {outline.colours[name]:.0%}" for name in outline.present) or "none but the skin's"


def write_diameter(outline: Outline) -> str:
    """Return the diameter in pixels, and in millimetres where they are known."""
    known = "" if outline.diameter_mm is None else f", {outline.diameter_mm:.1f} mm"
    return f"{outline.diameter_px:.0f} px{known}"

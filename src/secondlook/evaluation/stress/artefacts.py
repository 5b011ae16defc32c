"""What lies on skin, glass or film: hairs, a ruler, ink, bubbles, a lead marker.

As in :mod:`secondlook.evaluation.stress.optics`; lengths are shares of the picture's shorter side. A stronger level
draws all that a weaker one draws, and more.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]

FINER = 4  # shapes are drawn this many times larger, so that their edges are smooth
HAIR_STEPS = 40
DARK_HAIR, PALE_HAIR = (45, 32, 28), (200, 185, 165)
INK_RGB = (70, 40, 130)  # gentian violet
RULER_RGB = (25, 25, 30)
INK_OPACITY, RULER_OPACITY, BUBBLE_OPACITY, LEAD_OPACITY = 0.8, 0.85, 0.7, 0.95


def draw_hairs(pixels: Pixels, count: float, generator: np.random.Generator) -> Pixels:
    """Lay this many hairs across the picture, curved, one colour for all, 0.4 to 1 % wide."""
    canvas, draw, side = _open_canvas(pixels)
    colour = PALE_HAIR if generator.random() < 0.15 else DARK_HAIR
    size = np.array(canvas.size)
    for _ in range(int(count)):
        start, bend, end = generator.uniform(-0.1, 1.1, (3, 2)) * size
        width = max(1, round(generator.uniform(0.004, 0.010) * side))
        along = np.linspace(0, 1, HAIR_STEPS)[:, None]
        curve = (1 - along) ** 2 * start + 2 * along * (1 - along) * bend + along**2 * end
        draw.line([(x, y) for x, y in curve], fill=255, width=width, joint="curve")
    return _paint(pixels, canvas, colour, opacity=0.9)


def draw_ruler(pixels: Pixels, depth_percent: float, generator: np.random.Generator) -> Pixels:
    """Lay a ruler's scale along one side, reaching this far into the picture; each fifth tick is longer."""
    canvas, draw, side = _open_canvas(pixels)
    edge = int(generator.integers(4))
    spacing = generator.uniform(0.03, 0.07) * side
    depth = depth_percent / 100 * side
    length = canvas.size[edge % 2]
    for number in range(int(length / spacing) + 1):
        at, reach = number * spacing, depth * (1.0 if number % 5 == 0 else 0.6)
        far = canvas.size[1 - edge % 2]
        ends = (far - reach, far) if edge >= 2 else (0.0, reach)
        line = [(at, end) if edge % 2 == 0 else (end, at) for end in ends]
        draw.line(line, fill=255, width=max(1, round(0.006 * side)))
    return _paint(pixels, canvas, RULER_RGB, opacity=RULER_OPACITY)


def draw_ink(pixels: Pixels, area_percent: float, generator: np.random.Generator) -> Pixels:
    """Mark the skin around the lesion with a surgical pen, in strokes that cover this share of the picture or more."""
    canvas, draw, side = _open_canvas(pixels)
    centre = np.array(canvas.size) / 2
    while np.asarray(canvas).mean() < 2.55 * area_percent:
        radius, turn, sweep = generator.uniform(0.33, 0.46) * side, generator.uniform(0, 360), generator.uniform(12, 40)
        box = [*(centre - radius), *(centre + radius)]
        draw.arc(box, turn, turn + sweep, fill=255, width=max(1, round(generator.uniform(0.015, 0.03) * side)))
    return _paint(pixels, canvas, INK_RGB, opacity=INK_OPACITY)


def draw_bubbles(pixels: Pixels, count: float, generator: np.random.Generator) -> Pixels:
    """Leave this many bubbles in the gel under the glass, 2 to 8 % wide: a bright rim, and a point of glare."""
    canvas, draw, side = _open_canvas(pixels)
    for _ in range(int(count)):
        x, y = generator.uniform(0, 1, 2) * np.array(canvas.size)
        radius = generator.uniform(0.01, 0.04) * side
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], outline=190, width=max(1, round(radius / 5)))
        glare, spot = radius / 4, radius * 0.45
        draw.ellipse([x - spot - glare, y - spot - glare, x - spot + glare, y - spot + glare], fill=255)
    return _paint(pixels, canvas, (255, 255, 255), opacity=BUBBLE_OPACITY)


def draw_marker(pixels: Pixels, height_percent: float, generator: np.random.Generator) -> Pixels:
    """Lay a lead letter, L or R, this high, into an upper corner of the X-ray."""
    canvas, draw, side = _open_canvas(pixels)
    letter, right = str(generator.choice(["L", "R"])), bool(generator.integers(2))
    margin = 0.03 * side
    place = (canvas.size[0] - margin, margin) if right else (margin, margin)
    font = ImageFont.load_default(size=height_percent / 100 * side * 1.4)  # letters fill 0.7 of a font's size
    draw.text(place, letter, fill=255, font=font, anchor="rt" if right else "lt", stroke_width=side * 0.004)
    return _paint(pixels, canvas, (255, 255, 255), opacity=LEAD_OPACITY)


def _open_canvas(pixels: Pixels) -> tuple[Image.Image, ImageDraw.ImageDraw, int]:
    """Return an empty canvas, a pen, and the shorter side of the canvas."""
    height, width = (side * FINER for side in pixels.shape[:2])
    canvas = Image.new("L", (width, height))
    return canvas, ImageDraw.Draw(canvas), min(height, width)


def _paint(pixels: Pixels, canvas: Image.Image, colour: tuple[int, int, int], *, opacity: float) -> Pixels:
    """Return the picture with a colour laid over it where the canvas is white."""
    cover = np.asarray(canvas.reduce(FINER), dtype=np.float64)[..., None] / 255 * opacity
    return np.asarray(np.rint(pixels * (1 - cover) + np.array(colour) * cover), dtype=np.uint8)

"""Seeded drawn lesions for demonstrations and tests: nothing binary is kept, and no real patient is needed.

They look a little like dermoscopy (skin, hairs, a blob whose colour, border and texture depend on the label), enough
for a small network to tell the labels apart; they are no model of disease.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter


@dataclass(frozen=True)
class Style:
    """How a label is drawn: colours in RGB, radius as a share of the shorter side, waves of the border, mottling."""

    rim: tuple[int, int, int]
    centre: tuple[int, int, int]
    radius: float
    border: float
    softness: float
    mottle: float


STYLES = {
    "akiec": Style((205, 120, 105), (190, 95, 85), 0.30, 0.16, 0.16, 26.0),
    "bcc": Style((215, 150, 150), (120, 125, 160), 0.27, 0.10, 0.10, 16.0),
    "bkl": Style((165, 125, 80), (145, 105, 65), 0.33, 0.06, 0.03, 22.0),
    "df": Style((190, 135, 110), (240, 220, 210), 0.22, 0.03, 0.18, 6.0),
    "mel": Style((110, 65, 45), (40, 30, 45), 0.34, 0.28, 0.05, 34.0),
    "nv": Style((150, 95, 65), (110, 65, 45), 0.24, 0.03, 0.07, 8.0),
    "vasc": Style((190, 40, 55), (130, 15, 40), 0.24, 0.12, 0.03, 12.0),
}


def draw_lesion(
    seed: int, label: str = "nv", *, size: tuple[int, int] = (600, 450), growth: float = 1.0
) -> Image.Image:
    """Draw a lesion on skin: an RGB picture of ``size`` (width, height), the same for the same arguments.

    Args:
        seed: Which lesion.
        label: What it is to look like, a key of ``STYLES``.
        size: Width and height.
        growth: How many times as wide the same lesion is, on the same skin.
    """
    style = STYLES[label]
    rng = np.random.default_rng([seed, list(STYLES).index(label)])
    width, height = size
    # Large pictures are drawn small and enlarged; grain is added at full size, so they do not look blurred.
    scale = min(1.0, 900 / max(width, height))
    small = (max(8, round(width * scale)), max(8, round(height * scale)))
    pixels = _draw_skin(rng, small)
    _blend_lesion(rng, pixels, style, growth)
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    if image.size != size:
        image = image.resize(size, Image.Resampling.BICUBIC)
    _draw_hairs(rng, image)
    return _add_grain(rng, image, 4.0)


def _draw_skin(rng: np.random.Generator, size: tuple[int, int]) -> NDArray[np.float32]:
    """Return float32 H×W×3 skin, with uneven light."""
    tone = np.array([226, 178, 158]) * rng.uniform(0.82, 1.05) + rng.normal(0, 5, 3)
    cloud = draw_cloud(rng, size, cells=4)
    return (tone + 14 * cloud[..., None]).astype(np.float32)


def draw_cloud(rng: np.random.Generator, size: tuple[int, int], *, cells: int) -> NDArray[np.float32]:
    """Return float32 H×W smooth noise of about unit spread, with ``cells`` cells across."""
    coarse = Image.fromarray(rng.normal(0, 1, (cells + 2, cells + 2)).astype(np.float32))
    return np.asarray(coarse.resize(size, Image.Resampling.BICUBIC))


def _blend_lesion(rng: np.random.Generator, pixels: NDArray[np.float32], style: Style, growth: float) -> None:
    """Blend the lesion into float32 H×W×3 pixels, in place."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    centre_x, centre_y = np.array([width, height]) / 2 + rng.normal(0, 0.04 * side, 2)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    across, down = (columns - centre_x) / side, (rows - centre_y) / side
    angle = np.arctan2(down, across)
    radius = np.full_like(angle, growth * style.radius * rng.uniform(0.85, 1.15))
    for wave in range(2, 9):
        radius *= 1 + style.border * rng.normal(0, 1) / wave**0.5 * np.cos(wave * angle + rng.uniform(0, 2 * np.pi))
    depth = (radius - np.hypot(across, down)) / max(style.softness, 0.01)
    cover = 1 / (1 + np.exp(np.clip(-4 * depth, -60, 60)))
    inner = np.clip(1 - np.hypot(across, down) / np.maximum(radius, 1e-3), 0, 1)
    rim, middle = np.array(style.rim), np.array(style.centre)
    colour = rim + (middle - rim) * inner[..., None] ** 0.7
    colour = colour + style.mottle * draw_cloud(rng, (width, height), cells=14)[..., None]
    pixels += cover[..., None] * (colour - pixels)


def _draw_hairs(rng: np.random.Generator, image: Image.Image) -> None:
    """Draw a few dark curved hairs, in place."""
    draw = ImageDraw.Draw(image)
    width, height = image.size
    for _ in range(rng.integers(2, 8)):
        start, bend, end = rng.uniform(-0.1, 1.1, (3, 2)) * (width, height)
        steps = np.linspace(0, 1, 24)[:, None]
        curve = (1 - steps) ** 2 * start + 2 * steps * (1 - steps) * bend + steps**2 * end
        draw.line([tuple(point) for point in curve], fill=(70, 48, 40), width=max(1, min(image.size) // 220))


def _add_grain(rng: np.random.Generator, image: Image.Image, spread: float) -> Image.Image:
    """Return the picture with the fine grain of skin and sensor."""
    width, height = image.size
    tile = rng.normal(0, spread, (min(height, 512), min(width, 512), 1)).astype(np.float32)
    grain = np.tile(tile, (-(-height // 512), -(-width // 512), 1))[:height, :width]
    pixels = np.asarray(image.filter(ImageFilter.UnsharpMask(2, 60)), dtype=np.float32) + grain
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))

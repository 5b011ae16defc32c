"""Drawn pictures that no model is for: printed pages and noise, the same for the same seed.

Documents and empty noise reach every upload form, and no data set of them need be kept: a seed is enough.
"""

import string
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]

SIDES_PX = (200, 480)
LETTERS = np.array(list(string.ascii_lowercase + string.ascii_uppercase + string.digits + " " * 12))


def draw_page(seed: int) -> Pixels:
    """Draw a printed page: lines of random letters on paper of some tint, in one or two columns.

    Returns:
        uint8 H×W×3, RGB.
    """
    random = np.random.default_rng([seed, 1])
    height, width = (int(side) for side in random.integers(*SIDES_PX, size=2, endpoint=True))
    paper = tuple(int(level) for level in 255 - random.integers(0, 40) - random.integers(0, 12, 3))
    ink = tuple(int(level) for level in random.integers(0, 90, 3))
    image = Image.new("RGB", (width, height), paper)
    pencil = ImageDraw.Draw(image)
    size = int(random.integers(9, 22))
    font = ImageFont.load_default(size)
    margin, columns = int(random.integers(6, 30)), int(random.integers(1, 3))
    span = (width - margin) // columns
    for left in range(margin, width - size, span):
        for top in range(margin, height - margin, round(size * random.uniform(1.2, 1.9))):
            words = "".join(random.choice(LETTERS, 80))
            while words and pencil.textlength(words, font) > span - margin:
                words = words[: len(words) * 3 // 4]
            pencil.text((left, top), words, fill=ink, font=font)
    return np.asarray(image)


def draw_noise(seed: int) -> Pixels:
    """Draw noise, fine or cloudy, grey or in colour, around a random tone.

    Returns:
        uint8 H×W×3, RGB.
    """
    random = np.random.default_rng([seed, 2])
    height, width = (int(side) for side in random.integers(*SIDES_PX, size=2, endpoint=True))
    coarseness = int(random.choice([1, 4, 16, 64]))
    channels = int(random.choice([1, 3]))
    cells = random.normal(0, random.uniform(15, 70), (height // coarseness + 2, width // coarseness + 2, channels))
    levels = np.clip(cells + random.uniform(70, 185, channels), 0, 255).astype(np.uint8)
    small = Image.fromarray(np.repeat(levels, 3 // channels, axis=2))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


DRAWN: Mapping[str, Callable[[int], Pixels]] = {"pages": draw_page, "noise": draw_noise}

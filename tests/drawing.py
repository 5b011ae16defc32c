"""Seeded pictures for tests, drawn or made of letters and noise, and the files that hold them."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from secondlook.imaging.drawing import STYLES, draw_cloud, draw_lesion

__all__ = [
    "ORIENTATION_TAG",
    "PHONE_SIZE",
    "STYLES",
    "draw_cloud",
    "draw_lesion",
    "draw_noise",
    "draw_phone_photo",
    "draw_text_page",
    "encode",
    "encode_turned",
    "save_lesion",
]

ORIENTATION_TAG = 0x0112
PHONE_SIZE = (4032, 3024)


def draw_phone_photo(seed: int, label: str = "nv") -> Image.Image:
    """Draw a lesion at the 12 megapixels of a phone's camera."""
    return draw_lesion(seed, label, size=PHONE_SIZE)


def draw_text_page(seed: int, *, size: tuple[int, int] = (600, 450)) -> Image.Image:
    """Draw a printed page: a picture that shows no skin."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", size, (250, 249, 245))
    draw = ImageDraw.Draw(image)
    letters = np.array(list("abcdefghilmnoprstuvz    "))
    for top in range(15, size[1] - 15, 16):
        draw.text((20, top), "".join(rng.choice(letters, size[0] // 7)), fill=(25, 25, 30))
    return image


def draw_noise(seed: int, *, size: tuple[int, int] = (600, 450)) -> Image.Image:
    """Draw uniform colour noise: a picture that shows nothing."""
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


def encode(image: Image.Image, file_format: str = "JPEG", **options: Any) -> bytes:
    """Return the picture as the bytes of a file; options go to Pillow's ``save``."""
    stream = io.BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


def encode_turned(image: Image.Image, orientation: int, **options: Any) -> bytes:
    """Return a JPEG that stores the picture as it is and an EXIF tag that asks viewers to turn it."""
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    return encode(image, "JPEG", exif=exif, **options)


def save_lesion(folder: Path, seed: int, label: str = "nv", *, size: tuple[int, int] = (600, 450)) -> Path:
    """Save a drawn lesion as a JPEG in the folder and return its path."""
    path = folder / f"{label}-{seed:04d}.jpg"
    draw_lesion(seed, label, size=size).save(path, quality=92)
    return path

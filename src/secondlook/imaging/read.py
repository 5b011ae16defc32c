"""Read a picture from a path, bytes or a stream (provisional; the imaging room's owner replaces this)."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture: ``pixels`` uint8 H×W×3 RGB."""

    pixels: NDArray[np.uint8]


def read_picture(source: str | Path | bytes | BinaryIO, *, target_px: int | None = None) -> Picture:
    """Read a picture."""
    data = source if isinstance(source, bytes) else (Path(source).read_bytes() if isinstance(source, str | Path) else source.read())
    with Image.open(io.BytesIO(data)) as image:
        return Picture(np.asarray(image.convert("RGB")))

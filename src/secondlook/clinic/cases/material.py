"""What is kept of a picture's file: the very pixels that the model is given, and a JPEG for people."""

import hashlib
import io
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.core.files.base import File
from numpy.typing import NDArray
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from secondlook.clinic.look.predictors import find_auto
from secondlook.clinic.look.services import TURNS, choose_predictor, read_upload
from secondlook.conditions import Task, find_task
from secondlook.imaging.quality import Quality, assess_quality
from secondlook.imaging.read import Picture, Source, read_bytes, read_picture

SHOWN_QUALITY = 92
SMALL_PX = 320
WEBP_LONGEST_PX = 16383  # the format holds no longer side


@dataclass(frozen=True, slots=True)
class Material:
    """What a file becomes.

    Attributes:
        seen: The pixels that the model is given, without loss: WebP.
        shown: JPEG of the whole picture in full size, without any metadata.
        original: The file as it came.
        source: What it was.
    """

    seen: bytes
    shown: bytes
    original: bytes
    source: Source

    @property
    def sha256(self) -> str:
        """Hash of the file as it came."""
        return hashlib.sha256(self.original).hexdigest()

    @property
    def mm_per_px(self) -> float | None:
        """Size of a pixel, where a DICOM file states it."""
        spacing = self.source.dicom.spacing_mm if self.source.dicom else None
        return math.prod(spacing) ** 0.5 if spacing else None


def read_material(upload: "bytes | File[Any]", *, task: str | None) -> Material:
    """Read a file that is sent for a task, or for what the picture itself says.

    Raises:
        InputError: It is no picture that can be read, or the task is not on offer.
        BundleError: The bundles could not be loaded.
    """
    predictor = choose_predictor(task)
    with TURNS:
        data = read_bytes(upload)  # type: ignore[arg-type]  # Django's files are binary streams
        picture = read_upload(data, predictor)
        whole = picture if picture.is_whole else read_picture(data)
        return Material(encode_seen(picture.pixels), encode_shown(whole.pixels), data, picture.source)


@dataclass(frozen=True, slots=True)
class Checked:
    """How good a picture is, what it seems to show, and a small JPEG; no task where it resembles none on offer."""

    quality: Quality
    task: Task | None
    preview: bytes


def check_upload(upload: "bytes | File[Any]", *, task: str | None, shorter_side_px: int | None = None) -> Checked:
    """Judge a picture before it is sent, from the file or from a smaller copy.

    Args:
        upload: Either.
        task: What it shows; with ``auto`` the picture itself says it.
        shorter_side_px: The shorter side of the file itself, where this is a copy.

    Raises:
        InputError: It is no picture that can be read, or the task is not on offer.
        BundleError: The bundles could not be loaded.
    """
    predictor = choose_predictor(task)
    with TURNS:
        data = read_bytes(upload)  # type: ignore[arg-type]  # Django's files are binary streams
        if predictor is not None:
            picture, known, nearest = read_upload(data, predictor), predictor.task.key, predictor.task.key
        else:
            picture, route = find_auto().lead(data)
            known, nearest = route.task or "", route.nearest
    side = shorter_side_px or picture.source.shorter_side_px
    quality = assess_quality(picture.pixels, kind=find_task(nearest).kind, shorter_side_px=side)
    return Checked(quality, find_task(known) if known else None, shrink_shown(encode_shown(picture.pixels)))


def encode_seen(pixels: NDArray[np.uint8]) -> bytes:
    """Return pixels, uint8 H×W×3 RGB, without loss."""
    stream, image = io.BytesIO(), Image.fromarray(pixels)
    if max(image.size) > WEBP_LONGEST_PX:
        image.save(stream, "PNG", compress_level=1)
    else:
        # A third smaller than PNG, and twice as fast; more effort saves next to nothing.
        image.save(stream, "WEBP", lossless=True, quality=0, method=0)
    return stream.getvalue()


def decode_seen(content: bytes, *, width: int, height: int) -> Picture:
    """Return the picture as it was read from a file of this width and height."""
    with Image.open(io.BytesIO(content), formats=("WEBP", "PNG")) as image:
        return Picture(np.asarray(image), Source("WebP", width, height))


def encode_shown(pixels: NDArray[np.uint8]) -> bytes:
    """Return pixels, uint8 H×W×3 RGB, as a JPEG that looks the same."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=SHOWN_QUALITY, subsampling=0)
    return stream.getvalue()


def shrink_shown(jpeg: bytes) -> bytes:
    """Return a small copy of a JPEG, for lists."""
    stream = io.BytesIO()
    with JpegImageFile(io.BytesIO(jpeg)) as image:
        image.draft("RGB", (SMALL_PX, SMALL_PX))
        image.thumbnail((SMALL_PX, SMALL_PX))
        image.save(stream, "JPEG", quality=85)
    return stream.getvalue()

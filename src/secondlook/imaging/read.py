"""Read a picture from a path, bytes or a stream into RGB as sRGB shows it, upright and without metadata."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from secondlook.errors import InputError
from secondlook.imaging.colour import Colours, convert_to_srgb
from secondlook.imaging.container import OPENERS, Contents, DamagedError
from secondlook.imaging.dicom.facts import DicomFacts
from secondlook.imaging.limits import (
    MAX_DECODING_BYTES,
    MAX_FILE_BYTES,
    check_memory,
    check_profile,
    check_size,
    refuse_damaged,
)
from secondlook.imaging.refusal import refuse
from secondlook.imaging.signature import Format, find_format

Bytes = bytes | bytearray | memoryview

# The plug-ins are called directly: Image.open warns, process-wide, about what is refused or left out here anyway.
_DECODERS: Final[dict[Format, Callable[[BinaryIO], Image.Image]]] = {
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "WebP": WebPImageFile,
    "GIF": GifImageFile,
    "BMP": BmpImageFile,
    "TIFF": TiffImageFile,
}
_SMALL_MODES: Final = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16N": 2, "I;16L": 2}
# EXIF orientation → whether to swap rows and columns, then to flip top and bottom, then left and right.
_TURNS: Final = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


@dataclass(frozen=True, slots=True)
class Source:
    """What a picture was before it was read.

    Attributes:
        format: Its format, found from its content.
        width: Width in pixels of the whole picture, upright.
        height: Height in pixels of the whole picture, upright.
        orientation_applied: Whether the file asked for the picture to be turned or mirrored, and it was.
        profile_applied: Whether an embedded colour profile was applied.
        dicom: Facts of the technique from a DICOM file; none of the patient.
    """

    format: Format
    width: int
    height: int
    orientation_applied: bool = False
    profile_applied: bool = False
    dicom: DicomFacts | None = None

    @property
    def shorter_side_px(self) -> int:
        """The shorter side of the whole picture in pixels."""
        return min(self.width, self.height)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture that was read.

    Attributes:
        pixels: uint8 H×W×3, RGB (sRGB), upright; perhaps reduced, see ``read_picture``.
        source: What the picture was before.
    """

    pixels: NDArray[np.uint8]
    source: Source

    @property
    def is_whole(self) -> bool:
        """Whether it was not reduced."""
        return self.pixels.shape[:2] == (self.source.height, self.source.width)


def read_picture(source: str | Path | Bytes | BinaryIO, *, target_px: int | None = None) -> Picture:
    """Read a picture.

    EXIF orientation and the embedded colour profile are applied; alpha is laid on white; deep grey is stretched over
    its real range; of several frames the first is read.

    Args:
        source: A path, the file's bytes, or a binary stream, of which at most the limit and one byte are read.
        target_px: The shorter side that the caller needs. A picture of four times that or more comes out reduced, with
            a shorter side of at least twice the target. Without it a picture comes out whole, unless it would not fit
            into memory (a progressive JPEG near the limit comes out at half scale or less).

    Raises:
        InputError: This is not a picture that can be read; the text says what was expected, what came, what to do.
    """
    if target_px is not None and target_px < 1:
        raise InputError(f"Expected a target of at least 1 pixel, got {target_px}.")
    # WeasyPrint, once imported, lets Pillow take files that are cut short in the whole process.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    data = read_bytes(source)
    kind = find_format(data)
    if kind == "HEIC":
        return _read_heic(data, target_px)
    if kind == "DICOM":
        return _read_dicom(data, target_px)
    try:
        contents = OPENERS[kind](data)
        del data
        check_size(kind, contents.width, contents.height)
        with _DECODERS[kind](io.BytesIO(contents.data)) as image:
            return _decode(image, kind, contents, target_px)
    except InputError:
        raise
    except DamagedError as error:
        raise refuse_damaged(kind, f": {error}") from error
    except Exception as error:
        # Decoders that are fed damaged bytes raise whatever they stumble over, from KeyError to SyntaxError.
        raise refuse_damaged(kind) from error


def read_bytes(source: str | Path | Bytes | BinaryIO) -> bytes:
    """Return the bytes of a picture's file, of which at most one more than the limit is read.

    Raises:
        InputError: The source is none of these, cannot be read, or holds more than the limit.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
    elif isinstance(source, str | Path):
        path = Path(source)
        try:
            with path.open("rb") as stream:
                data = stream.read(MAX_FILE_BYTES + 1)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not a path"
            raise InputError(
                f"Expected a picture file, got {path.name!r}: {reason}. Check the name and the right to read it."
            ) from error
    else:
        data = _read_stream(source)
    if len(data) > MAX_FILE_BYTES:
        raise refuse(
            "a file of at most {limit} MB",
            "a larger one",
            "Save the picture as JPEG, or smaller, and send that.",
            limit=MAX_FILE_BYTES // 1_000_000,
        )
    return data


def _read_stream(stream: BinaryIO) -> bytes:
    """Return the stream's bytes; a stream may hand out less than it is asked for."""
    if not hasattr(stream, "read"):
        raise InputError(
            f"Expected the path of a picture, the bytes of its file, or the open file; got {type(stream).__name__}. "
            "Save pixels (an array, a Pillow image) as PNG and give that; give several pictures as a list."
        )
    parts: list[bytes] = []
    left = MAX_FILE_BYTES + 1
    try:
        while left and (part := stream.read(left)):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
    except (OSError, ValueError, TypeError) as error:
        raise InputError("Expected a readable binary stream; it could not be read. Open it again and retry.") from error


def _decode(image: Image.Image, kind: Format, contents: Contents, target_px: int | None) -> Picture:
    """Return the picture of an opened, not yet decoded image."""
    check_size(kind, *image.size)
    profile = check_profile(kind, image.info.get("icc_profile"))
    # Only Adobe's programs store ink values upside down, and they say so; Pillow takes it for granted.
    inverted = kind == "JPEG" and "adobe" not in image.info
    _fit_memory(image, kind, contents, _find_factor(image.size, target_px))
    image.load()
    factor = _find_factor(image.size, target_px)
    pixels, profiled = convert_to_srgb(image, Colours(profile, inverted), factor=factor)
    image.close()
    return _finish(pixels, kind, contents, profiled)


def _finish(pixels: NDArray[np.uint8], kind: Format, contents: Contents, profiled: bool) -> Picture:
    """Return the picture upright."""
    swap, flip_rows, flip_columns = _TURNS[contents.orientation]
    if contents.orientation != 1:
        turned = pixels.swapaxes(0, 1) if swap else pixels
        turned = turned[::-1] if flip_rows else turned
        pixels = np.ascontiguousarray(turned[:, ::-1] if flip_columns else turned)
    width, height = (contents.height, contents.width) if swap else (contents.width, contents.height)
    return Picture(pixels, Source(kind, width, height, contents.orientation != 1, profiled))


def _find_factor(size: tuple[int, int], target_px: int | None) -> int:
    """Return by what whole number both sides may be divided so that twice the target remains."""
    return max(1, min(size) // (2 * target_px)) if target_px else 1


def _fit_memory(image: Image.Image, kind: Format, contents: Contents, factor: int) -> None:
    """Have a JPEG decoded at a scale that is small enough to be fast and to fit into memory.

    Raises:
        InputError: The picture does not fit.
    """
    width, height = image.size
    pixel_bytes = _SMALL_MODES.get(image.mode, 4)
    scales = (1, 2, 4, 8) if isinstance(image, JpegImageFile) else (1,)
    wanted = max(scale for scale in scales if scale <= factor)
    needed = 0
    for scale in scales[scales.index(wanted) :]:
        needed = contents.decoder_bytes + width * height * pixel_bytes // scale**2
        if needed <= MAX_DECODING_BYTES:
            if scale > 1:
                image.draft(None, (width // scale, height // scale))
            return
    check_memory(kind, width, height, needed)


def _read_heic(data: bytes, target_px: int | None) -> Picture:
    """Read a HEIC picture with the optional library."""
    try:
        import pillow_heif
    except ImportError as error:
        raise refuse(
            "a JPEG, PNG, WebP, TIFF, BMP or GIF picture",
            "a HEIC one, which needs an extra library here",
            "Save the picture as JPEG; or have it installed: pip install 'secondlook[heic]'.",
        ) from error
    try:
        # libheif turns the picture itself; by the format's rules its EXIF orientation is not to be applied again.
        heif = pillow_heif.open_heif(data, convert_hdr_to_8bit=True)
        width, height = heif.size
        contents = Contents(b"", width, height)
        check_size("HEIC", width, height)
        # Measured: its planes, their conversion and the picture together; beyond 8 bits the planes are twice as wide.
        check_memory("HEIC", width, height, width * height * (14 if heif.info["bit_depth"] > 8 else 8))
        profile = check_profile("HEIC", heif.info.get("icc_profile"))
        image = Image.frombytes(heif.mode, (width, height), heif.data, "raw", heif.mode, heif.stride)
        del heif
        pixels, profiled = convert_to_srgb(image, Colours(profile), factor=_find_factor(image.size, target_px))
        return _finish(pixels, "HEIC", contents, profiled)
    except InputError:
        raise
    except Exception as error:
        raise refuse_damaged("HEIC") from error


def _read_dicom(data: bytes, target_px: int | None) -> Picture:
    """Read a DICOM picture; the libraries for it are imported when the first one comes."""
    from secondlook.imaging.dicom.read import read_dicom

    try:
        shown = read_dicom(data)
        colours, factor = Colours(shown.profile), _find_factor(shown.image.size, target_px)
        pixels, profiled = convert_to_srgb(shown.image, colours, factor=factor)
        width, height = shown.image.size
        return Picture(pixels, Source("DICOM", width, height, profile_applied=profiled, dicom=shown.facts))
    except InputError:
        raise
    except DamagedError as error:
        raise refuse_damaged("DICOM", f": {error}") from error
    except Exception as error:
        raise refuse_damaged("DICOM") from error

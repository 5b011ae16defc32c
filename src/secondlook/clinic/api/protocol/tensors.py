"""Tensors on the wire: as JSON, or behind it as bytes (the protocol's binary tensor data extension)."""

import base64
import binascii
import io
import math
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from secondlook.clinic.api.protocol.messages import InputTensor, OutputTensor
from secondlook.data.wording import count
from secondlook.errors import InputError

MOST_PICTURES = 16
SIZE = "binary_data_size"
LENGTH = struct.Struct("<I")
DTYPES: dict[str, np.dtype[Any]] = {"FP32": np.dtype("<f4"), "FP64": np.dtype("<f8")}
Values = NDArray[Any] | Sequence[str]


def read_pictures(tensor: InputTensor, behind: bytes) -> list[bytes]:
    """Return the pictures of an input as files; pixels become files without loss, so that all are read alike.

    Raises:
        InputError: The tensor is not what the model takes.
    """
    if not tensor.shape or not 0 < tensor.shape[0] <= MOST_PICTURES:
        raise InputError(
            f"Expected a shape that starts with 1 to {MOST_PICTURES} pictures, got {tensor.shape}. Send them in parts."
        )
    if tensor.name == "image" and tensor.datatype == "UINT8":
        return [encode_pixels(pixels) for pixels in read_pixels(tensor, behind)]
    if tensor.name == "file" and tensor.datatype == "BYTES" and len(tensor.shape) == 1:
        return read_files(tensor, behind)
    raise InputError(
        "Expected the input `image` of UINT8 and shape N×H×W×3, or `file` of BYTES and shape N; got "
        f"{tensor.name[:40]!r} of {tensor.datatype[:10]!r} and shape {tensor.shape}."
    )


def read_pixels(tensor: InputTensor, behind: bytes) -> NDArray[np.uint8]:
    """Return pixels, uint8 N×H×W×3 RGB.

    Raises:
        InputError: There are not as many values as the shape says, or they are no bytes.
    """
    if len(tensor.shape) != 4 or tensor.shape[3] != 3 or min(tensor.shape) < 1:
        raise InputError(f"Expected pixels of the shape N×H×W×3, RGB; got {tensor.shape}.")
    if tensor.data is None:
        values = np.frombuffer(take_behind(tensor, behind), np.uint8)
    else:
        try:
            given = np.asarray(tensor.data)
        except ValueError as error:
            raise InputError("Expected rows of one length in `data`; got others.") from error
        if given.dtype.kind != "i" or given.min(initial=0) < 0 or given.max(initial=0) > 255:
            raise InputError("Expected whole numbers from 0 to 255 in `data`; got others.")
        values = given.astype(np.uint8)
    if values.size != math.prod(tensor.shape):
        raise InputError(f"Expected {math.prod(tensor.shape)} values for the shape {tensor.shape}, got {values.size}.")
    return values.reshape(tensor.shape)


def encode_pixels(pixels: NDArray[np.uint8]) -> bytes:
    """Return pixels, uint8 H×W×3 RGB, as a file that holds just these."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "BMP")
    return stream.getvalue()


def read_files(tensor: InputTensor, behind: bytes) -> list[bytes]:
    """Return files: from JSON in base64, from behind it each after its length.

    Raises:
        InputError: There are not as many as the shape says, or one is not in base64.
    """
    files = split_files(take_behind(tensor, behind)) if tensor.data is None else list(map(decode_file, tensor.data))
    if len(files) != tensor.shape[0]:
        raise InputError(
            f"Expected {count(tensor.shape[0], 'file', 'files')} for the shape {tensor.shape}, got {len(files)}."
        )
    return files


def decode_file(text: Any) -> bytes:
    """Return a file that came as JSON.

    Raises:
        InputError: It is not in base64.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise InputError("Expected each file in `data` as a text in base64; got something else.") from error


def split_files(content: bytes) -> list[bytes]:
    """Return files that each follow their length.

    Raises:
        InputError: The content ends before a file does.
    """
    files, place = [], 0
    while place < len(content):
        start = place + LENGTH.size
        if start > len(content):
            break
        place = start + LENGTH.unpack_from(content, start - LENGTH.size)[0]
        files.append(content[start:place])
    if place != len(content):
        raise InputError("Expected each file after its length in four bytes; the data end elsewhere.")
    return files


def take_behind(tensor: InputTensor, behind: bytes) -> bytes:
    """Return the bytes behind the JSON that belong to the only input.

    Raises:
        InputError: There are not as many as it says.
    """
    size = tensor.parameters.get(SIZE)
    if not isinstance(size, int) or size != len(behind):
        raise InputError(f"Expected `data`, or `{SIZE}` bytes behind the JSON; got {len(behind)} and {size!r}.")
    return behind


def write_tensor(name: str, datatype: Any, values: Values, *, binary: bool) -> tuple[OutputTensor, bytes]:
    """Return an output and what lies behind the JSON of it."""
    if isinstance(values, np.ndarray):
        shape, data = list(values.shape), values.ravel().tolist()
        behind = values.astype(DTYPES[datatype]).tobytes() if binary else b""
    else:
        shape, data = [len(values)], list(values)
        words = [value.encode() for value in values] if binary else []
        behind = b"".join(LENGTH.pack(len(word)) + word for word in words)
    if not binary:
        return OutputTensor(name=name, datatype=datatype, shape=shape, data=data), b""
    return OutputTensor(name=name, datatype=datatype, shape=shape, parameters={SIZE: len(behind)}), behind

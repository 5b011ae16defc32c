"""``reference.npz``: the stored input and its logits, and the embeddings of the calibration pictures."""

import io
import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook.errors import BundleError
from secondlook.imaging.resize import read_size
from secondlook.inference.schema import BundleFacts

MAX_ARRAY_BYTES = 2**30


@dataclass(frozen=True, slots=True)
class Reference:
    """``reference.npz``.

    Attributes:
        probe_image: uint8 S×S×3, RGB.
        probe_logits: float32 K, what the graph gives for it.
        embedding: float16 M×D, of the calibration pictures.
        label: int64 M, their classes in the order of the task's labels.
    """

    probe_image: NDArray[np.uint8]
    probe_logits: NDArray[np.float32]
    embedding: NDArray[np.float16]
    label: NDArray[np.int64]


def read_reference(data: bytes, facts: BundleFacts) -> Reference:
    """Read ``reference.npz``; nothing in it is ever unpickled.

    Args:
        data: The file.
        facts: The bundle that it belongs to.

    Raises:
        BundleError: It is damaged, too large, or holds other arrays than the bundle needs.
    """
    expected = ("probe_image", "probe_logits", "embedding", "label")
    reference = Reference(**read_arrays(data, expected, file="reference.npz"))
    _check_reference(reference, facts)
    return reference


def read_arrays(data: bytes, expected: tuple[str, ...], *, file: str) -> dict[str, NDArray[Any]]:
    """Read exactly these arrays from an npz file; nothing in it is ever unpickled.

    Args:
        data: The file.
        expected: The arrays' names.
        file: The file's name, for the sentence of a refusal.

    Raises:
        BundleError: The file is damaged, too large, or holds other arrays.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_ARRAY_BYTES:
                raise BundleError(f"Expected at most 1 GiB of arrays in {file}. Calibrate on fewer pictures.")
            found = sorted(name.removesuffix(".npy") for name in archive.namelist())
            if found != sorted(expected):
                raise BundleError(
                    f"Expected the arrays {', '.join(expected)} in {file}, got {', '.join(found)}. "
                    "Calibrate the bundle again."
                )
            return {name: _read_array(archive, name) for name in expected}
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, KeyError, NotImplementedError, RuntimeError) as error:
        raise BundleError(
            f"Expected plain arrays in {file}; it is damaged or holds pickled objects, which are never read. "
            "Fetch the bundle again."
        ) from error


def _read_array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    # np.load hands out the bytes of a member that is no array; this refuses them.
    with archive.open(f"{name}.npy") as member:
        array: NDArray[Any] = np.lib.format.read_array(member, allow_pickle=False)
        return array


def _check_reference(reference: Reference, facts: BundleFacts) -> None:
    size, count = read_size(facts.input_size_px), len(reference.label) if reference.label.ndim == 1 else -1
    wanted: dict[str, tuple[str, tuple[int, ...], NDArray[Any]]] = {
        "probe_image": ("uint8", (*size, 3), reference.probe_image),
        "probe_logits": ("float32", (len(facts.labels),), reference.probe_logits),
        "label": ("int64", (count,), reference.label),
        "embedding": ("float16", (count, *reference.embedding.shape[1:2]), reference.embedding),
    }
    for name, (dtype, shape, array) in wanted.items():
        if str(array.dtype) != dtype or array.shape != shape or not np.isfinite(array).all():
            raise BundleError(
                f"Expected finite {dtype} of shape {shape} as {name} in reference.npz, got {array.dtype} of shape "
                f"{array.shape}. Calibrate the bundle again."
            )
    if count < 1 or reference.label.min() < 0 or reference.label.max() >= len(facts.labels):
        raise BundleError("Expected at least one reference picture of known label in reference.npz. Calibrate again.")

"""Pictures decoded once into a memory-mapped uint8 array, and batches drawn from it."""

import fcntl
import hashlib
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from secondlook.data.manifest import Manifest
from secondlook.errors import DatasetError, InputError, RecipeError
from secondlook.imaging.resize import Resize, read_size
from secondlook.inference.predictor import read_input

CACHE_VERSION = 1


@dataclass(frozen=True)
class Pictures:
    """One split of a manifest.

    Attributes:
        images: uint8 N×H×W×3, RGB, of the whole manifest; may be memory-mapped.
        rows: int64 M, the split's rows in ``images``.
        labels: int64 M, class numbers of those rows.
    """

    images: NDArray[np.uint8]
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.rows)

    def batch(self, positions: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Return images uint8 B×H×W×3 and labels int64 B at these positions."""
        chosen = self.images[self.rows[positions]]
        return torch.from_numpy(np.ascontiguousarray(chosen)), torch.from_numpy(self.labels[positions])


def find_cache_folder() -> Path:
    """Return the folder for decoded pictures: SECONDLOOK_CACHE, else the user's cache folder."""
    chosen = os.environ.get("SECONDLOOK_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "secondlook"


def cache_pictures(
    manifest: Manifest,
    *,
    size_px: int | tuple[int, int],
    resize: Resize = "central_crop",
    folder: Path | None = None,
    advance: Callable[[int, int], None] = lambda _done, _total: None,
) -> NDArray[np.uint8]:
    """Decode the pictures of a manifest once and return them, memory-mapped.

    Args:
        manifest: The pictures, in the order of the result.
        size_px: Side of the square that is kept, or its height and width, in pixels.
        resize: What becomes of other proportions.
        folder: Where the array is kept; see :func:`find_cache_folder`.
        advance: Called with the number of pictures done and in all.

    Returns:
        uint8 N×H×W×3, RGB, read-only.

    Raises:
        DatasetError: Pictures are missing or cannot be read; all of them are listed.
        RecipeError: The cache folder cannot be written, for example because the disk is full.
    """
    paths = manifest.paths()
    file = (folder or find_cache_folder()) / f"{name_cache(paths, size_px, resize)}.npy"
    try:
        if not file.is_file():
            images = decode_pictures(paths, size_px=size_px, resize=resize, advance=advance)
            write_array(file, images, dtype=np.dtype(np.uint8), shape=(len(paths), *read_size(size_px), 3))
        pictures: NDArray[np.uint8] = np.load(file, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise RecipeError(
            f"Expected to keep decoded pictures in the cache folder ({error.strerror}); they need "
            f"{len(paths) * math.prod(read_size(size_px)) * 3 / 1e6:.0f} MB. Free some space, or name another folder "
            "in SECONDLOOK_CACHE."
        ) from error
    return pictures


def name_cache(paths: Sequence[Path], size_px: int | tuple[int, int], resize: Resize) -> str:
    """Return a name that changes when a picture, the order, the size or the way of decoding changes.

    Raises:
        DatasetError: Pictures are missing; all of them are listed.
    """
    digest = hashlib.sha256(f"{CACHE_VERSION} {read_size(size_px)} {resize}".encode())
    missing = []
    for path in paths:
        try:
            facts = path.stat()
        except OSError as error:
            missing.append(f"{path.name}: {error.strerror}")
            continue
        digest.update(f"{path}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode())
    if missing:
        raise DatasetError("Expected every picture of the manifest to be there.", missing)
    return digest.hexdigest()[:32]


def write_array(
    file: Path, blocks: Iterable[NDArray[np.generic]], *, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> None:
    """Write blocks of rows into a new array file that appears under its name only when complete.

    One process writes at a time, so that what it finds half-written was left by one that died.

    Args:
        file: In NumPy's format; one that is there stays as it is.
        blocks: Asked for only when the file is written.
        dtype: Of the array.
        shape: Of the array; the blocks fill it row by row.

    Raises:
        OSError: The file cannot be written; a memory-mapped file would crash the process on a full disk instead.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with (file.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for leftover in file.parent.glob("*.tmp"):
            leftover.unlink()
        if file.is_file():
            return
        temporary = file.with_name(f"{file.name}.tmp")
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        try:
            with temporary.open("wb") as stream:
                np.lib.format.write_array_header_1_0(stream, header)
                for block in blocks:
                    stream.write(block.tobytes())
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)


def decode_pictures(
    paths: Sequence[Path], *, size_px: int | tuple[int, int], resize: Resize, advance: Callable[[int, int], None]
) -> Iterator[NDArray[np.uint8]]:
    """Yield pictures, uint8 H×W×3, RGB.

    Raises:
        DatasetError: Pictures cannot be read; all of them are listed, at the end.
    """
    faults = []
    for index, path in enumerate(paths):
        try:
            _, image = read_input(path, size_px, resize=resize)
        except InputError as error:
            faults.append(f"{path.name}: {error}")
        else:
            yield image
        advance(index + 1, len(paths))
    if faults:
        raise DatasetError("Expected every picture of the manifest to be readable.", faults)


def measure_colours(pictures: Pictures) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation of red, green and blue in 0..1 over all pixels of a split."""
    total, squares = np.zeros(3), np.zeros(3)
    for row in pictures.rows:
        pixels = pictures.images[row].reshape(-1, 3) / 255
        total += pixels.mean(axis=0)
        squares += (pixels**2).mean(axis=0)
    mean = total / len(pictures)
    deviation = np.sqrt(np.maximum(squares / len(pictures) - mean**2, 1e-12))
    return tuple(mean.tolist()), tuple(deviation.tolist())


def draw_order(labels: NDArray[np.int64], *, balance: str, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the order of one epoch's pictures; it depends on seed and epoch alone.

    Args:
        labels: int64 N, class numbers of the training pictures.
        balance: ``sampler`` draws classes equally often (with replacement); ``generate`` repeats every class's
            pictures until all classes are as many as the largest; anything else shuffles.
        seed: The run's seed.
        epoch: Number of the epoch, from 0.

    Returns:
        int64 M as :func:`count_epoch_pictures` says, row numbers.
    """
    generator = np.random.default_rng([seed, epoch])
    counts = np.bincount(labels)
    if balance == "sampler":
        chances = 1.0 / counts[labels]
        return generator.choice(len(labels), size=len(labels), p=chances / chances.sum())
    if balance != "generate":
        return generator.permutation(len(labels))
    classes = (np.flatnonzero(labels == label) for label in np.unique(labels))
    repeats = [repeat_rows(rows, int(counts.max()), generator) for rows in classes]
    return generator.permutation(np.concatenate(repeats))


def repeat_rows(rows: NDArray[np.int64], count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Return int64 ``count``: every row equally often, and a drawn part of them once more for the remainder."""
    whole, rest = divmod(count, len(rows))
    return np.concatenate([np.tile(rows, whole), generator.choice(rows, size=rest, replace=False)])


def count_epoch_pictures(labels: NDArray[np.int64], *, balance: str) -> int:
    """Return how many pictures one epoch goes through."""
    if balance != "generate":
        return len(labels)
    return len(np.unique(labels)) * int(np.bincount(labels).max())

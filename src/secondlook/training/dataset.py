"""Pictures decoded once into a memory-mapped uint8 array, and batches drawn from it."""

import fcntl
import hashlib
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

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
            write_cache(paths, size_px=size_px, resize=resize, file=file, advance=advance)
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


def write_cache(
    paths: Sequence[Path],
    *,
    size_px: int | tuple[int, int],
    resize: Resize,
    file: Path,
    advance: Callable[[int, int], None],
) -> None:
    """Decode pictures into a new array file that appears under its name only when complete.

    One process writes at a time, so that what it finds half-written was left by one that died.

    Raises:
        DatasetError: Pictures cannot be read; all of them are listed.
        OSError: The file cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with (file.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for leftover in file.parent.glob("*.tmp"):
            leftover.unlink()
        if file.is_file():
            return
        temporary = file.with_name(f"{file.name}.tmp")
        try:
            with temporary.open("wb") as stream:
                write_pictures(paths, size_px=size_px, resize=resize, stream=stream, advance=advance)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)


def write_pictures(
    paths: Sequence[Path],
    *,
    size_px: int | tuple[int, int],
    resize: Resize,
    stream: BinaryIO,
    advance: Callable[[int, int], None],
) -> None:
    """Write decoded pictures as an array uint8 N×H×W×3 in NumPy's file format.

    Raises:
        DatasetError: Pictures cannot be read; all of them are listed.
        OSError: The stream cannot be written; a memory-mapped file would crash the process on a full disk instead.
    """
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(paths), *read_size(size_px), 3)}
    np.lib.format.write_array_header_1_0(stream, header)
    faults = []
    for index, path in enumerate(paths):
        try:
            _, image = read_input(path, size_px, resize=resize)
        except InputError as error:
            faults.append(f"{path.name}: {error}")
        else:
            stream.write(image.tobytes())
        advance(index + 1, len(paths))
    if faults:
        raise DatasetError("Expected every picture of the manifest to be readable.", faults)


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

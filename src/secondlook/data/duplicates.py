"""Twins: two files that show the same picture, whatever their groups and splits say."""

import hashlib
import json
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from secondlook.data.fingerprint import (
    DIHEDRAL,
    Track,
    halve,
    hash_texture,
    read_textures,
    track_silently,
    turn,
)
from secondlook.imaging.read import read_picture

HAMMING_LIMIT = 14
CORRELATION_LIMIT = 0.55
COARSE_LIMIT = 0.4
METHOD = 2

# X-rays in one position resemble each other more than two lesions do: measured on chests and knees, see docs/data.md.
LIMITS: Mapping[str, float] = {"chest": 0.6, "knee": 0.8, "bone": 0.8}

Kind = Literal["picture", "near"]
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Twin:
    """Two different files that show the same.

    Attributes:
        first: SHA-256 of one file.
        second: SHA-256 of the other; ``first < second``.
        kind: ``picture`` when every decoded pixel is equal, else ``near``.
        distance: Hamming distance of the perceptual hashes, 0 … 64, over flips and quarter turns.
        correlation: Correlation of the textures at the best shift, at most 1.
    """

    first: str
    second: str
    kind: Kind
    distance: int
    correlation: float


def find_limit(task: str) -> float:
    """Return the correlation from which on two pictures of a task are twins."""
    return LIMITS.get(task, CORRELATION_LIMIT)


def find_twins(
    files: Mapping[str, Path], *, limit: float = CORRELATION_LIMIT, track: Track = track_silently
) -> list[Twin]:
    """Find all twins among files.

    Args:
        files: Path of each file by its SHA-256.
        limit: Least correlation of the textures of the whole frames, or of the central squares.
        track: Shows progress.

    Returns:
        Twins, the most alike first.

    Raises:
        DatasetError: Pictures cannot be read; all of them are listed.
    """
    hashes = sorted(files)
    frames, squares = read_textures([files[name] for name in hashes], track=track)
    best: dict[tuple[int, int], tuple[float, int]] = {}
    for textures in [frames] if np.array_equal(frames, squares) else [frames, squares]:
        for pair, match in compare_textures(textures, limit=limit, track=track):
            best[pair] = max(best.get(pair, (0.0, 0)), match)
    twins = []
    for (left, right), (correlation_best, closeness) in best.items():
        kind: Kind = "picture" if is_same_picture(files[hashes[left]], files[hashes[right]]) else "near"
        twins.append(Twin(hashes[left], hashes[right], kind, -closeness, round(min(1.0, correlation_best), 4)))
    return sorted(twins, key=lambda twin: (twin.kind == "near", -twin.correlation, twin.first, twin.second))


def compare_textures(
    textures: NDArray[np.int8], *, limit: float, track: Track
) -> Iterator[tuple[tuple[int, int], tuple[float, int]]]:
    """Yield the pairs of textures (int8 N×64×64) that correlate in some turn, with correlation and minus distance."""
    candidates = find_candidates(hash_texture(textures))
    blocks = count_blocks(len(textures)) * DIHEDRAL
    for first, second, turned, distance in track(candidates, "Comparing pictures", blocks):
        correlation = confirm_candidates(textures[first], turn(textures[second], turned))
        for index in np.flatnonzero(correlation >= limit):
            yield (int(first[index]), int(second[index])), (float(correlation[index]), -int(distance[index]))


def count_blocks(count: int) -> int:
    """Return in how many blocks of rows the pairs of ``count`` pictures are compared."""
    return -(-count // rows_per_block(count))


def rows_per_block(count: int) -> int:
    """Return how many rows compared with all others keep a block at about 32 MB."""
    return max(1, 4_000_000 // max(count, 1))


def find_candidates(
    hashes: NDArray[np.uint64],
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], int, NDArray[np.uint8]]]:
    """Yield pairs whose perceptual hashes differ in few bits, block by block.

    Args:
        hashes: uint64 N×8 from :func:`secondlook.data.fingerprint.hash_texture`.

    Yields:
        Rows of the first pictures, rows of the second ones (always greater), the number of the turn that makes
        the second like the first, and the Hamming distances.
    """
    size = rows_per_block(len(hashes))
    for start in range(0, len(hashes), size):
        block = hashes[start : start + size, 0]
        for turned in range(DIHEDRAL):
            distance = np.bitwise_count(block[:, None] ^ hashes[None, start:, turned])
            left, right = np.nonzero(distance <= HAMMING_LIMIT)
            later = left < right
            left, right = left[later], right[later]
            yield left + start, right + start, turned, distance[left, right]


def confirm_candidates(first: NDArray[np.int8], second: NDArray[np.int8]) -> NDArray[np.float32]:
    """Return the correlation of each pair of textures; 0 for the many pairs that differ at half resolution already.

    Args:
        first: int8 N×64×64, mean 0.
        second: int8 N×64×64, mean 0.

    Returns:
        float32 N, at most 1.
    """
    correlation = np.zeros(len(first), np.float32)
    for start in range(0, len(first), 1024):
        rows = np.arange(start, min(start + 1024, len(first)))
        coarse = correlate_textures(halve(first[rows]), halve(second[rows]))
        rows = rows[coarse >= COARSE_LIMIT]
        correlation[rows] = correlate_textures(first[rows].astype(np.float32), second[rows].astype(np.float32))
    return correlation


def correlate_textures(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the highest correlation of each pair of textures over shifts of up to an eighth of the frame.

    The cross-correlation comes from the product of the spectra; only the wanted shifts are transformed back.

    Args:
        first: float32 N×S×S, mean 0.
        second: float32 N×S×S, mean 0.

    Returns:
        float32 N, at most 1; 0 where a texture is empty.
    """
    side = first.shape[-1]
    shifts = np.arange(-(side // 8), side // 8 + 1)
    back = np.exp(2j * np.pi / side * np.outer(shifts, np.arange(side))).astype(np.complex64)
    twice = np.where(np.arange(side // 2 + 1) % (side // 2) == 0, 1, 2)  # a real spectrum keeps one half only
    across = (back[:, : side // 2 + 1] * twice).T.astype(np.complex64)
    spectrum = np.fft.rfft2(first) * np.conj(np.fft.rfft2(second))
    peak = ((back @ spectrum) @ across).real.max(axis=(1, 2), initial=-1) / side**2
    scale = np.sqrt((first**2).sum(axis=(1, 2)) * (second**2).sum(axis=(1, 2)))
    correlation = np.zeros(len(first), np.float32)
    np.divide(peak, scale, out=correlation, where=scale > 0)
    return correlation


def is_same_picture(first: Path, second: Path) -> bool:
    """Tell whether two files decode to exactly the same pixels."""
    return np.array_equal(read_picture(first).pixels, read_picture(second).pixels)


def load_twins(
    files: Mapping[str, Path], *, limit: float = CORRELATION_LIMIT, track: Track = track_silently
) -> list[Twin]:
    """Return :func:`find_twins`, from the cache where the same files were compared before.

    The cache lies in ``SECONDLOOK_CACHE``, else in the user's cache folder. It holds hashes and figures, no
    pictures and no names, and may be deleted at any time.
    """
    key = hashlib.sha256("\n".join(sorted(files)).encode()).hexdigest()
    path = cache_folder() / f"twins-{METHOD}-{limit:.2f}-{key}.json"
    try:
        return [Twin(*row) for row in json.loads(path.read_text())]
    except FileNotFoundError:
        pass
    except (OSError, ValueError, TypeError) as error:
        logger.warning("Comparing the pictures again: the cached comparison cannot be read (%s).", error)
    twins = find_twins(files, limit=limit, track=track)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(json.dumps([astuple(twin) for twin in twins]))
        temporary.replace(path)
    except OSError as error:
        logger.warning("The comparison of the pictures could not be cached (%s).", error.strerror)
    return twins


def cache_folder() -> Path:
    """Return the folder in which comparisons are kept."""
    chosen = os.environ.get("SECONDLOOK_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "secondlook"

"""What identifies a picture: its file's hash, and a perceptual hash that survives re-saving, turning and flipping."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from secondlook.data.manifest import Manifest
from secondlook.errors import DatasetError, InputError
from secondlook.imaging.read import read_picture

TEXTURE_PX = 64
HASH_SIDE = 8
DIHEDRAL = 8
THREADS = 4

Item = TypeVar("Item")


def build_blur(side: int, sigma: float) -> NDArray[np.float32]:
    """Return the float32 side×side matrix B for which ``B @ image @ B.T`` is a Gaussian blur with mirrored edges."""
    reach = int(4 * sigma + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    padded = np.pad(np.eye(side), ((reach, reach), (0, 0)), mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)
    return np.asarray(windows @ (kernel / kernel.sum()), dtype=np.float32)


def build_cosines(side: int, count: int) -> NDArray[np.float32]:
    """Return the float32 count×side matrix of the lowest cosines of a discrete cosine transform (type 2)."""
    angle = np.pi / side * np.outer(np.arange(count), np.arange(side) + 0.5)
    return np.asarray(np.cos(angle), dtype=np.float32)


BLUR = build_blur(TEXTURE_PX, sigma=2)
COSINES = build_cosines(TEXTURE_PX // 2, HASH_SIDE)


class Track(Protocol):
    """Something that shows progress while it hands items on, such as a bar on the terminal."""

    def __call__(self, items: Iterable[Item], description: str, total: int) -> Iterable[Item]:
        """Return the items unchanged."""
        ...


def track_silently(items: Iterable[Item], description: str, total: int) -> Iterable[Item]:
    """Return the items and show nothing."""
    del description, total
    return items


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def hash_files(manifest: Manifest, *, track: Track = track_silently) -> list[str]:
    """Return the SHA-256 of every picture's file in the order of the rows.

    Raises:
        DatasetError: Files are missing or cannot be opened; all of them are listed.
    """

    def attempt(path: Path) -> str | OSError:
        try:
            return hash_file(path)
        except OSError as error:
            return error

    with ThreadPoolExecutor(THREADS) as pool:
        found = list(track(pool.map(attempt, manifest.paths()), "Hashing files", len(manifest)))
    faults = [
        f"row {row + 2}: {manifest.frame['image'].iloc[row]}: {result.strerror}"
        for row, result in enumerate(found)
        if isinstance(result, OSError)
    ]
    if faults:
        raise DatasetError("Expected a readable file for every row of the manifest.", faults)
    return [str(result) for result in found]


def data_fingerprint(manifest: Manifest) -> str:
    """Return a SHA-256 over every row's file content, label, group and split; names and order do not matter.

    Raises:
        DatasetError: Files are missing or cannot be opened.
    """
    frame = manifest.frame
    splits = frame["split"] if "split" in frame else [""] * len(frame)
    rows = zip(hash_files(manifest), frame["label"], frame["group"], splits, strict=True)
    lines = sorted(json.dumps([str(value) for value in row]) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def describe_texture(pixels: NDArray[np.uint8]) -> NDArray[np.int8]:
    """Return the fine texture of a picture: hairs, pigment and edges without lighting and without a black surround.

    Lighting is removed by a high-pass filter, contrast by the median absolute deviation. Dermatoscopes leave a
    black surround with a sharp circular rim; two such rims resemble each other more than two lesions do, so the
    surround and its rim count for nothing.

    Args:
        pixels: uint8 H×W×3, RGB.

    Returns:
        int8 64×64, of all that is given, with mean 0 over what counts; all zeros for a picture without texture.
    """
    grey = Image.fromarray(pixels).convert("L").resize((TEXTURE_PX, TEXTURE_PX), Image.Resampling.BOX)
    light = np.asarray(grey, dtype=np.float32)
    surround = (light < 0.2 * np.percentile(light, 95)).astype(np.float32)
    counts = BLUR @ surround @ BLUR.T < 0.01
    texture = light - BLUR @ light @ BLUR.T
    if not counts.any():
        return np.zeros(texture.shape, np.int8)
    spread = 1.48 * float(np.median(np.abs(texture[counts]))) + 0.5
    texture = np.clip(texture / spread, -3, 3)
    centred = (texture - texture[counts].mean()) * counts
    return np.asarray(np.rint(40 * centred), dtype=np.int8)


def cut_square(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the central square of a picture, uint8 H×W×3."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return pixels[top : top + side, left : left + side]


def hash_texture(textures: NDArray[np.int8]) -> NDArray[np.uint64]:
    """Return a 64-bit perceptual hash of each texture in all eight flips and quarter turns.

    The hash holds the signs of the 8×8 lowest coefficients of a discrete cosine transform of the texture at 32×32
    (after Zauner 2010, "Implementation and benchmarking of perceptual image hash functions"). Mirroring changes
    the sign of odd coefficients and transposing swaps them, so one transform gives all eight hashes.

    Args:
        textures: int8 N×64×64.

    Returns:
        uint64 N×8; column 0 is the picture as it is, column k that of :func:`turn` by k.
    """
    low = COSINES @ halve(textures) @ COSINES.T
    low[:, 0, 0] = 0
    odd = np.where(np.arange(HASH_SIDE) % 2, -1, 1).astype(np.float32)
    columns = []
    for turned in range(DIHEDRAL):
        signs = low.swapaxes(1, 2) if turned & 4 else low
        signs = signs * odd[:, None] if turned & 2 else signs
        signs = signs * odd if turned & 1 else signs
        columns.append(np.packbits((signs > 0).reshape(len(low), -1), axis=1).view(np.uint64)[:, 0])
    return np.stack(columns, axis=1)


def halve(textures: NDArray[np.int8]) -> NDArray[np.float32]:
    """Return textures (int8 N×64×64) at half the resolution, float32 N×32×32."""
    wide = textures.astype(np.int16)
    rows = wide[:, ::2] + wide[:, 1::2]
    return np.asarray((rows[:, :, ::2] + rows[:, :, 1::2]) / 4, dtype=np.float32)


def turn(textures: NDArray[np.int8], number: int) -> NDArray[np.int8]:
    """Return N×H×W textures flipped and turned: bit 2 transposes, then bit 1 flips rows and bit 0 columns."""
    turned = textures.swapaxes(-1, -2) if number & 4 else textures
    turned = turned[..., ::-1, :] if number & 2 else turned
    return turned[..., ::-1] if number & 1 else turned


def read_textures(paths: Sequence[Path], *, track: Track = track_silently) -> NDArray[np.int8]:
    """Read pictures at reduced scale and describe the texture of the whole frame and of its central square.

    Data sets scale a frame to a square or cut one out of it: the first shows in the frames, the second in the squares.

    Returns:
        int8 2×N×64×64: frames and squares, in the order of the paths.

    Raises:
        DatasetError: Pictures cannot be read; all of them are listed.
    """

    def attempt(path: Path) -> NDArray[np.int8] | InputError:
        try:
            pixels = read_picture(path, target_px=TEXTURE_PX).pixels
            return np.stack([describe_texture(pixels), describe_texture(cut_square(pixels))])
        except InputError as error:
            return error

    with ThreadPoolExecutor(THREADS) as pool:
        found = list(track(pool.map(attempt, paths), "Looking at pictures", len(paths)))
    faults = [f"{path.name}: {item}" for path, item in zip(paths, found, strict=True) if isinstance(item, InputError)]
    if faults:
        raise DatasetError("Expected pictures that can be read.", faults)
    if not found:
        return np.zeros((2, 0, TEXTURE_PX, TEXTURE_PX), np.int8)
    return np.stack([item for item in found if not isinstance(item, InputError)], axis=1)

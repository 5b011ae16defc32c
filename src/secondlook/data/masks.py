"""Masks that experts drew: a folder with one picture per picture, white where the lesion is."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from secondlook.data.manifest import Manifest
from secondlook.data.wording import count
from secondlook.errors import DatasetError
from secondlook.imaging.read import read_picture

ENDINGS = ("_segmentation.png", "_mask.png", ".png")
PROPORTIONS_DIFFER = 0.02


@dataclass(frozen=True)
class Masked:
    """The pictures of a manifest that have a mask.

    Attributes:
        manifest: Those rows.
        masks: The mask's file of each, in the order of the rows.
        notes: A sentence for what was left out.
    """

    manifest: Manifest
    masks: tuple[Path, ...]
    notes: tuple[str, ...]


def find_masks(manifest: Manifest, folder: Path) -> Masked:
    """Look up the mask of every picture: ``NAME_segmentation.png``, ``NAME_mask.png`` or ``NAME.png``.

    A mask must show the same frame as its picture; one of other proportions is left out, and that is said.

    Raises:
        DatasetError: The folder is missing, or no picture has a mask.
    """
    if not folder.is_dir():
        raise DatasetError(f"Expected a folder of masks; there is no {folder.name!r}. Check the name.")
    found = [find_mask(folder, path) for path in manifest.paths()]
    fits = [mask is not None and _same_frame(path, mask) for path, mask in zip(manifest.paths(), found, strict=True)]
    missing, other = sum(mask is None for mask in found), sum(mask is not None for mask in found) - sum(fits)
    notes = []
    if missing:
        notes.append(f"{count(missing, 'picture is', 'pictures are')} left out: no mask in {folder.name}.")
    if other:
        notes.append(
            f"{count(other, 'picture is', 'pictures are')} left out: the mask's proportions are those of another frame."
        )
    if not any(fits):
        raise DatasetError(
            f"Expected masks named like the pictures, for example NAME{ENDINGS[0]}, in {folder.name!r}; none fits.",
            notes,
        )
    rows = manifest.frame[fits].reset_index(drop=True)
    masks = tuple(mask for mask, fit in zip(found, fits, strict=True) if mask is not None and fit)
    return Masked(Manifest(rows, manifest.root, manifest.task), masks, tuple(notes))


def find_mask(folder: Path, picture: Path) -> Path | None:
    """Return the file of a picture's mask, or nothing where the folder holds none."""
    return next((file for end in ENDINGS if (file := folder / f"{picture.stem}{end}").is_file()), None)


def require_masks(manifest: Manifest, folder: Path) -> None:
    """Check that a folder holds a mask of at least one picture, of whatever part of it.

    Raises:
        DatasetError: It holds none.
    """
    if not any(find_mask(folder, path) for path in manifest.paths()):
        raise DatasetError(
            f"Expected masks named like the pictures, for example NAME{ENDINGS[0]}, in {folder.name!r}; there is none."
        )


def _same_frame(picture: Path, mask: Path) -> bool:
    """Tell whether two files have the same proportions; a file that cannot be opened has none."""
    try:
        with Image.open(picture) as one, Image.open(mask) as other:
            return abs(one.width * other.height / (one.height * other.width) - 1) <= PROPORTIONS_DIFFER
    except OSError:
        return False


def read_mask(path: Path) -> NDArray[np.bool_]:
    """Return bool H×W, true where the mask is brighter than half.

    Raises:
        InputError: The file cannot be read.
    """
    return read_picture(path).pixels[..., 1] >= 128


def read_pair(picture: Path, mask: Path) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return a picture, uint8 H×W×3 RGB, and its mask, bool H×W, both at the mask's size.

    Raises:
        InputError: A file cannot be read.
    """
    drawn = read_mask(mask)
    height, width = drawn.shape
    pixels = read_picture(picture, target_px=min(height, width)).pixels
    if pixels.shape[:2] != drawn.shape:
        pixels = np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))
    return pixels, drawn

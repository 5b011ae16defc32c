"""Pictures that a bundle is not for, from near and from far: to choose a way of refusing them, and to measure it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from secondlook.data.fingerprint import Track, track_silently
from secondlook.data.manifest import read_manifest
from secondlook.errors import DatasetError, InputError
from secondlook.evaluation.drawn import DRAWN
from secondlook.imaging.read import Picture, Source
from secondlook.inference.predictor import Readable, read_input
from secondlook.inference.schema import BundleFacts
from secondlook.inference.session import Outputs, Session

DRAWN_PICTURES = 60


@dataclass(frozen=True)
class Strangers:
    """One kind of picture that a bundle is not for.

    Attributes:
        name: What they are, one word.
        near: Whether they resemble the bundle's own: another camera, another disease, another part of the body.
        pictures: Paths, or drawn pictures.
        groups: N names of the patients; where nothing is known, each picture is its own.
    """

    name: str
    near: bool
    pictures: tuple[Readable, ...]
    groups: NDArray[np.str_]

    def halve(self, *, first: bool, seed: int = 0) -> "Strangers":
        """Return the pictures of one half of the groups; the two halves share no group."""
        names = np.unique(self.groups)
        dealt = names[np.random.default_rng(seed).permutation(len(names))[: len(names) // 2]]
        rows = np.flatnonzero(np.isin(self.groups, dealt) == first)
        return replace(self, pictures=tuple(self.pictures[row] for row in rows), groups=self.groups[rows])


def draw_strangers() -> Iterator[Strangers]:
    """Yield drawn pages and noise, which every bundle must refuse."""
    for name, draw in DRAWN.items():
        pictures = tuple(_wrap(draw(seed)) for seed in range(DRAWN_PICTURES))
        yield Strangers(name, False, pictures, np.array([f"{name} {seed}" for seed in range(DRAWN_PICTURES)]))


def _wrap(pixels: NDArray[np.uint8]) -> Picture:
    height, width = pixels.shape[:2]
    return Picture(pixels, Source("PNG", width, height))


def find_strangers(name: str, place: Path, *, near: bool) -> Strangers:
    """Return the pictures of a folder, or of a manifest; of one with splits, those of the split calibration alone.

    Raises:
        DatasetError: The manifest cannot be read, or there is no picture.
    """
    if place.is_dir():
        files = sorted(path for path in place.rglob("*") if path.is_file() and not path.name.startswith("."))
        groups = np.array([path.relative_to(place).as_posix() for path in files], dtype=np.str_)
    else:
        manifest = read_manifest(place)
        manifest = manifest.select("calibration") if "split" in manifest.frame else manifest
        files, groups = manifest.paths(), manifest.frame["group"].astype(str).to_numpy(dtype=np.str_)
    if len(np.unique(groups)) < 2:
        raise DatasetError(f"Expected at least two pictures of different patients as {name!r} in {place.name!r}.")
    return Strangers(name, near, tuple(files), groups)


def run_strangers(
    session: Session, facts: BundleFacts, strangers: Strangers, *, track: Track = track_silently
) -> tuple[Outputs, NDArray[np.str_]]:
    """Return what a graph gives for strangers, read as the predictor reads them, without those that are no pictures.

    Returns:
        Logits and embeddings, and the groups' names, one row per picture that could be read.

    Raises:
        DatasetError: None could be read.
    """
    found: list[Outputs] = []
    kept: list[str] = []
    for group, picture in zip(
        strangers.groups, track(strangers.pictures, f"Strangers: {strangers.name}", len(strangers.groups)), strict=True
    ):
        try:
            found.append(session.run(read_input(picture, facts.input_size_px, resize=facts.resize)[1][None]))
        except InputError:
            continue
        kept.append(group)
    if not found:
        raise DatasetError(f"Expected pictures as {strangers.name!r}; none of {len(strangers.groups)} can be read.")
    return join_outputs(found), np.array(kept, dtype=np.str_)


def join_outputs(parts: Sequence[Outputs]) -> Outputs:
    """Return logits and embeddings of all parts, one below the other, without maps."""
    return Outputs(
        np.concatenate([part.logits for part in parts]), np.concatenate([part.embedding for part in parts]), None
    )

"""Which pictures are stressed, and what a bundle answers about each of them in many variants."""

import dataclasses
import hashlib
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from secondlook.conditions import find_task
from secondlook.data.fingerprint import Track
from secondlook.data.manifest import Manifest
from secondlook.errors import DatasetError, InputError
from secondlook.imaging.read import Picture, read_picture
from secondlook.inference.predictor import Predictor, choose_target

Pixels = NDArray[np.uint8]
Vary = Callable[[Pixels], Iterator[Pixels]]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Sample:
    """Pictures drawn from a manifest; ``pictures`` and ``groups`` say how many there were to draw from."""

    manifest: Manifest
    pictures: int
    groups: int

    def describe(self) -> dict[str, object]:
        """Return how many pictures of how many groups were taken, of how many, and which labels they have."""
        frame = self.manifest.frame
        counts = frame["label"].value_counts()
        return {
            "pictures": len(frame),
            "groups": int(frame["group"].nunique()),
            "of_pictures": self.pictures,
            "of_groups": self.groups,
            "labels": {key: int(counts[key]) for key in find_task(self.manifest.task).keys if key in counts},
        }


@dataclass(frozen=True)
class Responses:
    """What a bundle answered about N pictures, each as it is and in V − 1 variants of it.

    Attributes:
        sample: The pictures that were read.
        labels: int64 N, the true labels' numbers; none where the data belong to another task.
        alarming: bool N, whether the true label is an alarming one.
        groups: N names of the patients or lesions.
        predicted: int64 N×V, the number of the named label; column 0 is the picture as it is.
        risk: float64 N×V in 0..1.
        triage: words N×V.
    """

    sample: Sample
    labels: NDArray[np.int64] | None
    alarming: NDArray[np.bool_]
    groups: NDArray[np.str_]
    predicted: NDArray[np.int64]
    risk: NDArray[np.float64]
    triage: NDArray[np.str_]

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """Bool N×V, whether triage asks that somebody looks at it."""
        return np.isin(self.triage, ("urgent", "refer"))


def draw_sample(manifest: Manifest, *, pictures: int | None, seed: int) -> Sample:
    """Draw pictures evenly over the labels, one of each patient or lesion; or take all of them.

    Labels with fewer groups than their share give all they have, and the others fill up. The draw depends on the seed
    and on the names of groups and files, not on the order of the rows.

    Args:
        manifest: What to draw from; rows with labels that its task does not know are left out.
        pictures: How many; None for every picture.
        seed: Seed of the draw.

    Raises:
        DatasetError: No row has a known label.
    """
    keys = find_task(manifest.task).keys
    frame = manifest.frame[manifest.frame["label"].isin(keys)]
    if frame.empty:
        raise DatasetError(f"Expected labels of {manifest.task} ({', '.join(keys)}); there is none.")
    names = frame["image"].map(lambda image: Path(str(image)).name)
    ranks = [_hash_name(f"{seed} {group}") for group in frame["group"].astype(str)]
    ordered = frame.assign(_rank=ranks, _name=names).sort_values(["_rank", "_name"], kind="stable")
    if pictures is not None:
        single = ordered.drop_duplicates("group")
        turn = single.groupby("label").cumcount()
        ordered = single.assign(_turn=turn).sort_values(["_turn", "_rank"], kind="stable").head(pictures)
    chosen = ordered.drop(columns=["_rank", "_name", "_turn"], errors="ignore").reset_index(drop=True)
    return Sample(Manifest(chosen, manifest.root, manifest.task), len(frame), int(frame["group"].nunique()))


def ask_variants(predictor: Predictor, sample: Sample, vary: Vary, *, description: str, track: Track) -> Responses:
    """Ask a bundle about each picture and all variants of it, through the predictor that serves.

    Args:
        predictor: The bundle, ready to predict.
        sample: The pictures.
        vary: From the pixels of a picture, as it was read, to the pixels of its variants.
        description: What the progress bar says.
        track: Shows progress.

    Raises:
        DatasetError: No picture can be read.
    """
    numbers = {key: number for number, key in enumerate(predictor.task.keys)}

    def ask(picture: Picture) -> tuple[int, float, str]:
        prediction = predictor.predict(picture)
        return numbers[prediction.label], min(max(prediction.risk, 0.0), 1.0), prediction.triage

    def answer(path: Path) -> list[tuple[int, float, str]] | None:
        picture = read_original(predictor.bundle.facts.input_size_px, path)
        if picture is None:
            return None
        varied = (dataclasses.replace(picture, pixels=pixels) for pixels in vary(picture.pixels))
        return [ask(picture), *(ask(variant) for variant in varied)]

    answers = map_pictures(answer, sample.manifest.paths(), description=description, track=track)
    read = [found is not None for found in answers]
    rows = [found for found in answers if found is not None]
    if not rows:
        raise DatasetError("Expected pictures to stress; none of them can be read.")
    frame = sample.manifest.frame[read].reset_index(drop=True)
    kept = dataclasses.replace(sample, manifest=dataclasses.replace(sample.manifest, frame=frame))
    own = find_task(sample.manifest.task)
    predicted, risk, triage = (np.array([[cell[part] for cell in row] for row in rows]) for part in range(3))
    return Responses(
        sample=kept,
        labels=np.array([numbers[label] for label in frame["label"]]) if own.key == predictor.task.key else None,
        alarming=frame["label"].isin(own.alarming).to_numpy(dtype=bool),
        groups=frame["group"].astype(str).to_numpy(dtype=np.str_),
        predicted=predicted,
        risk=risk,
        triage=triage,
    )


def read_original(size_px: int | tuple[int, int], path: Path) -> Picture | None:
    """Return a picture as the predictor reads it for a graph that takes this size; nothing where it cannot be read."""
    try:
        return read_picture(path, target_px=choose_target(size_px))
    except InputError:
        return None


def seed_picture(pixels: Pixels, key: str, *, seed: int) -> np.random.Generator:
    """Return the random numbers of one change to one picture; the same for every amount, wherever the file lies."""
    return np.random.default_rng([seed, zlib.crc32(key.encode()), zlib.crc32(pixels.tobytes())])


def map_pictures(
    work: Callable[[Path], Result], paths: Sequence[Path], *, description: str, track: Track
) -> list[Result]:
    """Return what the work gives for each picture, in order, on every core that this process may use.

    Reading and inference let go of the interpreter's lock, so threads are enough.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with ThreadPoolExecutor(cores) as pool:
        return list(track(pool.map(work, paths), description, len(paths)))


def _hash_name(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()

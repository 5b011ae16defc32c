"""How often triage changes when nothing about the lesion does: turned, flipped, cropped, saved or taken again."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from secondlook.conditions import Kind
from secondlook.data.fingerprint import Track, track_silently
from secondlook.data.manifest import Manifest
from secondlook.evaluation.intervals import bootstrap_measures, widen_share
from secondlook.evaluation.measures import Answers, write_interval
from secondlook.evaluation.metrics import compute_share
from secondlook.evaluation.stress.sample import Responses, ask_variants, draw_sample
from secondlook.inference.predictor import Predictor

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]
Again = Callable[[Pixels], Pixels]

PICTURES = 84
CROP = 0.94  # of each side


def turn(degrees: float) -> Again:
    """Return a function that turns a picture; beyond its border it is mirrored, unless the turn is a quarter."""
    if degrees % 90 == 0:
        return lambda pixels: np.ascontiguousarray(np.rot90(pixels, round(degrees / 90)))

    def change(pixels: Pixels) -> Pixels:
        height, width = pixels.shape[:2]
        wide = np.pad(pixels, ((height // 4,) * 2, (width // 4,) * 2, (0, 0)), mode="reflect")
        turned = np.asarray(Image.fromarray(wide).rotate(degrees, Image.Resampling.BICUBIC))
        return turned[height // 4 : height // 4 + height, width // 4 : width // 4 + width]

    return change


def crop(right: float, down: float) -> Again:
    """Return a function that keeps 94 % of each side, placed by shares (0 to 1) of the room that is left."""

    def change(pixels: Pixels) -> Pixels:
        height, width = pixels.shape[:2]
        rows, columns = round(CROP * height), round(CROP * width)
        top, left = round(down * (height - rows)), round(right * (width - columns))
        return np.ascontiguousarray(pixels[top : top + rows, left : left + columns])

    return change


def save(image_format: str, quality: int) -> Again:
    """Return a function that saves a picture and reads it again."""

    def change(pixels: Pixels) -> Pixels:
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, image_format, quality=quality)
        with Image.open(stream) as image:
            return np.asarray(image.convert("RGB"))

    return change


def scale(factor: float) -> Again:
    """Return a function that resizes a picture, as a messenger or another camera would."""

    def change(pixels: Pixels) -> Pixels:
        height, width = (round(factor * side) for side in pixels.shape[:2])
        return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))

    return change


FLIPPED: tuple[Again, ...] = (lambda pixels: np.ascontiguousarray(pixels[:, ::-1]),)
CROPPED = tuple(crop(right, down) for right, down in ((0, 0), (1, 0), (0, 1), (1, 1), (0.5, 0.5)))
SAVED = (save("JPEG", 95), save("JPEG", 85), save("JPEG", 75), save("WEBP", 80), scale(0.8))
# A lesion has no upright; a chest and a knee have, and a mirror image of them is a mistake that happens.
CHANGES: dict[Kind, dict[str, tuple[Again, ...]]] = {
    "photograph": {
        "turned": tuple(turn(degrees) for degrees in (90, 180, 270, 20, -20)),
        "flipped": (*FLIPPED, lambda pixels: np.ascontiguousarray(pixels[::-1])),
        "cropped": CROPPED,
        "saved": SAVED,
    },
    "radiograph": {
        "turned": tuple(turn(degrees) for degrees in (-3, -1.5, 1.5, 3)),
        "flipped": FLIPPED,
        "cropped": CROPPED,
        "saved": SAVED,
    },
}
FIGURES = ("changed", "flips", "label_changed", "unstable", "risk_change")


def measure_repeatability(
    predictor: Predictor,
    manifest: Manifest,
    answers: Answers | None = None,
    *,
    pictures: int | None = PICTURES,
    seed: int = 0,
    resamples: int = 2000,
    track: Track = track_silently,
) -> dict[str, Any]:
    """Measure how often the triage of the same lesion, shown a little differently, is another one.

    Args:
        predictor: The bundle, ready to predict.
        manifest: The pictures.
        answers: What was answered about every picture, to compare several pictures of one lesion or patient.
        pictures: How many are drawn, evenly over the labels; None for all.
        seed: Seed of the draw and the bootstrap.
        resamples: Number of resamples.
        track: Shows progress.

    Returns:
        The ``repeatability`` of ``evidence.json``; docs/stress.md explains it.

    Raises:
        DatasetError: There is no picture to measure on.
    """
    changes = CHANGES[predictor.task.kind]

    def vary(pixels: Pixels) -> Iterator[Pixels]:
        return (change(pixels) for family in changes.values() for change in family)

    sample = draw_sample(manifest, pictures=pictures, seed=seed)
    responses = ask_variants(predictor, sample, vary, description="Repeating", track=track)
    ends = np.cumsum([1, *(len(family) for family in changes.values())])
    families = {name: np.arange(ends[number], ends[number + 1]) for number, name in enumerate(changes)}
    families["all"] = np.arange(1, ends[-1])
    found = {
        name: {"variants": len(columns)} | _compare_columns(responses, columns, seed=seed, resamples=resamples)
        for name, columns in families.items()
    }
    again = {} if answers is None else compare_retakes(answers, seed=seed, resamples=resamples)
    return {"sample": responses.sample.describe(), "changes": found, "retaken": again}


def compare_retakes(answers: Answers, *, seed: int, resamples: int) -> dict[str, Any]:
    """Compare the triage of several pictures of one group: the share of groups in which it is not the same for all.

    Returns:
        Number of such groups and pictures, and the share; empty where no group has two pictures.
    """
    names, group, counts = np.unique(answers.groups, return_inverse=True, return_counts=True)
    several = counts > 1
    if not several.any():
        return {}
    words = [set(answers.triage[group == number]) for number in np.flatnonzero(several)]
    differs = np.array([len(found) > 1 for found in words])
    sides = np.array(["routine" in found and bool(found & {"urgent", "refer"}) for found in words])
    shares = {}
    for name, flags in (("changed", differs), ("flips", sides)):
        interval = bootstrap_measures(_average({name: flags}), names[several], seed=seed, resamples=resamples)[name]
        shares[name] = write_interval(widen_share(interval, names[several]))
    return {"groups": int(several.sum()), "pictures": int(counts[several].sum()), **shares}


def _compare_columns(
    responses: Responses, columns: NDArray[np.int64], *, seed: int, resamples: int
) -> dict[str, dict[str, float | None]]:
    """Return, over pictures and these variants, which shares differ from the picture as it is."""
    triage, flagged = responses.triage, responses.flagged[:, 0]
    changed = triage[:, columns] != triage[:, :1]
    rows = {
        "changed": changed.mean(axis=1),
        "label_changed": (responses.predicted[:, columns] != responses.predicted[:, :1]).mean(axis=1),
        "unstable": changed.any(axis=1),
        "risk_change": np.abs(responses.risk[:, columns] - responses.risk[:, :1]).mean(axis=1),
    }
    to_routine = (triage[:, columns] == "routine").mean(axis=1)

    def measure(weights: Floats) -> dict[str, Floats]:
        flips = compute_share(weights[..., flagged] @ to_routine[flagged], weights[..., flagged].sum(axis=-1))
        return _average(rows)(weights) | {"flips": flips}

    bounded = bootstrap_measures(measure, responses.groups, seed=seed, resamples=resamples)
    for name in ("changed", "label_changed", "unstable"):
        bounded[name] = widen_share(bounded[name], responses.groups)
    bounded["flips"] = widen_share(bounded["flips"], responses.groups[flagged])
    return {name: write_interval(bounded[name]) for name in FIGURES}


def _average(rows: dict[str, NDArray[Any]]) -> Callable[[Floats], dict[str, Floats]]:
    return lambda weights: {
        name: compute_share(weights @ values.astype(float), weights.sum(axis=-1)) for name, values in rows.items()
    }

"""Make a router from manifests, and measure where it leads pictures and what the bundles then refuse.

It learns from the splits train, its limits come from the splits calibration, and it is measured on the splits test and
on the half of the strangers that chose no outlier method.
"""

import datetime
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import secondlook
from secondlook.data.files import replace_file
from secondlook.data.fingerprint import Track, data_fingerprint, track_silently
from secondlook.data.manifest import Manifest
from secondlook.errors import DatasetError, InputError
from secondlook.evaluation.intervals import bootstrap_measures, widen_share
from secondlook.evaluation.measures import write_interval
from secondlook.evaluation.metrics import compute_share
from secondlook.evaluation.outliers import choose_limit
from secondlook.evaluation.strangers import Strangers
from secondlook.imaging.read import Picture, read_picture
from secondlook.inference.auto import AutoPredictor
from secondlook.inference.predictor import LEAST_TARGET_PX, Readable
from secondlook.inference.router import ARRAYS, FACTS, Gaussian, RoutedTask, RouterFacts, describe_picture

Floats = NDArray[np.float64]

SHRINKAGE = 0.01
REFUSED_SHARE = 0.0025
LEAST_SPREAD = 1e-3
NOWHERE = "none"


def fit_router(manifests: Sequence[Manifest], folder: Path, *, track: Track = track_silently) -> RouterFacts:
    """Fit a Gaussian to the split train of each task, its limit to the split calibration; write the router.

    Args:
        manifests: One for each task, with splits.
        folder: Where ``router.json`` and ``router.npz`` are written.
        track: Shows progress.

    Raises:
        DatasetError: A task comes twice, or a manifest lacks a split or holds pictures that cannot be read.
    """
    tasks = [manifest.task for manifest in manifests]
    if len(set(tasks)) < len(tasks):
        raise DatasetError(f"Expected one manifest for each task, got {', '.join(tasks)}.")
    fitted, routed = [], []
    for manifest in manifests:
        learned = manifest.select("train")
        gaussian = fit_gaussian(describe_manifest(learned, track=track))
        held_out = describe_manifest(manifest.select("calibration"), track=track)
        limit = choose_limit(np.array([gaussian.score(row) for row in held_out]), share=REFUSED_SHARE)
        fitted.append(gaussian)
        routed.append(
            RoutedTask(
                task=manifest.task,
                limit=round(limit, 6),
                data_fingerprint=data_fingerprint(learned),
                pictures=len(learned),
                groups=int(learned.frame["group"].nunique()),
            )
        )
    return write_router(folder, fitted, routed)


def fit_gaussian(facts: Floats) -> Gaussian:
    """Fit mean, spread and whitening; the correlations are shrunk towards none.

    Ledoit and Wolf 2004, doi 10.1016/S0047-259X(03)00096-4.

    Args:
        facts: float64 N×F.
    """
    mean = facts.mean(axis=0).astype(np.float32)
    spread = np.maximum(facts.std(axis=0), LEAST_SPREAD).astype(np.float32)
    scaled = (facts - mean) / spread
    correlation = scaled.T @ scaled / len(scaled)
    shrunk = (1 - SHRINKAGE) * correlation + SHRINKAGE * np.eye(len(correlation))
    return Gaussian(mean, spread, np.linalg.inv(np.linalg.cholesky(shrunk)).astype(np.float32))


def describe_manifest(manifest: Manifest, *, track: Track = track_silently) -> Floats:
    """Return float64 N×F, the facts of every picture of a manifest.

    Raises:
        DatasetError: Pictures cannot be read; all of them are listed.
    """
    found, faults = [], []
    for row, path in enumerate(track(manifest.paths(), f"Describing: {manifest.task}", len(manifest))):
        try:
            found.append(describe_picture(read_for_routing(path).pixels))
        except InputError as error:
            faults.append(f"row {row + 2}: {path.name}: {error}")
    if faults:
        raise DatasetError("Expected readable pictures to learn from; mend or remove these rows.", faults)
    return np.stack(found)


def read_for_routing(source: Readable) -> Picture:
    """Return a picture as the router is shown it.

    Raises:
        InputError: It cannot be read.
    """
    return source if isinstance(source, Picture) else read_picture(source, target_px=LEAST_TARGET_PX)


def write_router(folder: Path, fitted: Sequence[Gaussian], routed: Sequence[RoutedTask]) -> RouterFacts:
    """Write ``router.npz``, then ``router.json`` with its sum, each atomically."""
    content = io.BytesIO()
    np.savez_compressed(
        content,
        mean=np.stack([one.mean for one in fitted]),
        spread=np.stack([one.spread for one in fitted]),
        whitening=np.stack([one.whitening for one in fitted]),
    )
    facts = RouterFacts(
        schema_version=1,
        created=datetime.datetime.now(tz=datetime.UTC).date(),
        secondlook_version=secondlook.__version__,
        shrinkage=SHRINKAGE,
        share=REFUSED_SHARE,
        tasks=tuple(routed),
        arrays_sha256=hashlib.sha256(content.getvalue()).hexdigest(),
    )
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / ARRAYS, content.getvalue())
    write_facts(folder, facts)
    return facts


def write_facts(folder: Path, facts: RouterFacts) -> None:
    """Write ``router.json``."""
    replace_file(folder / FACTS, json.dumps(facts.model_dump(mode="json"), indent=2).encode() + b"\n")


def measure_routing(
    auto: AutoPredictor,
    manifests: Sequence[Manifest],
    strangers: Sequence[Strangers],
    *,
    seed: int = 0,
    resamples: int = 2000,
    track: Track = track_silently,
) -> dict[str, Any]:
    """Measure where pictures are led, and which share the router or the bundle refuses.

    Args:
        auto: The router with the bundles.
        manifests: Pictures of known tasks; of those with splits, the split test.
        strangers: Pictures of no task (``near`` says of some task, such as lesions seen by another camera); the half
            that chose no outlier method is measured.
        seed: Seed of the halves and of the bootstrap.
        resamples: Number of resamples.
        track: Shows progress.

    Returns:
        ``seed``, ``resamples``, ``bundles`` (name and hash), and by name ``sets``: ``task`` where it is known,
        ``pictures``, ``groups``, ``led`` (share by task and ``none``) and ``refused`` (led nowhere, or not evaluable
        where it was led), with 95 % intervals from a bootstrap over groups.
    """
    asked: dict[str, Any] = {"seed": seed, "resamples": resamples, "track": track}
    sets = {}
    for manifest in manifests:
        part = manifest.select("test") if "split" in manifest.frame else manifest
        groups = part.frame["group"].astype(str).to_numpy(dtype=np.str_)
        sets[manifest.task] = {"task": manifest.task, **measure_set(auto, manifest.task, part.paths(), groups, **asked)}
    for kind in strangers:
        half = kind.halve(first=False, seed=seed)
        sets[kind.name] = {"task": None, **measure_set(auto, kind.name, half.pictures, half.groups, **asked)}
    bundles = {one.identity.name: one.identity.sha256 for one in auto.predictors.values()}
    return {"seed": seed, "resamples": resamples, "bundles": bundles, "sets": sets}


def measure_set(
    auto: AutoPredictor,
    name: str,
    pictures: Sequence[Readable],
    groups: NDArray[np.str_],
    *,
    seed: int,
    resamples: int,
    track: Track,
) -> dict[str, Any]:
    """Measure where one kind of picture is led; files that are no pictures are left out.

    Raises:
        DatasetError: No picture can be read.
    """
    led, refused, kept = [], [], []
    for picture, group in zip(track(pictures, f"Leading: {name}", len(pictures)), groups, strict=True):
        try:
            prediction = auto.predict(picture)
        except InputError:
            continue
        led.append(prediction.task)
        refused.append(prediction.triage == "not_evaluable")
        kept.append(group)
    if not led:
        raise DatasetError(f"Expected pictures as {name!r}; none of {len(groups)} can be read.")
    names = np.array(kept)
    flags = {f"led/{key}": np.array(led) == key for key in (*auto.predictors, NOWHERE)}
    flags["refused"] = np.array(refused)
    figures = bound_flags(flags, names, seed=seed, resamples=resamples)
    return {
        "pictures": len(led),
        "groups": len(np.unique(names)),
        "led": {key.removeprefix("led/"): figure for key, figure in figures.items() if key != "refused"},
        "refused": figures["refused"],
    }


def bound_flags(
    flags: Mapping[str, NDArray[np.bool_]], groups: NDArray[Any], *, seed: int, resamples: int
) -> dict[str, dict[str, float | None]]:
    """Return by name the share of rows with a flag, as evidence holds figures."""

    def measure(weights: Floats) -> dict[str, Floats]:
        whole = weights.sum(axis=-1)
        return {name: compute_share(weights @ flag, whole) for name, flag in flags.items()}

    found = bootstrap_measures(measure, groups, seed=seed, resamples=resamples)
    return {name: write_interval(widen_share(interval, groups)) for name, interval in found.items()}

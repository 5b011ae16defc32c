"""Outside tests: what a bundle makes of pictures from elsewhere, with labels or without."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from secondlook.conditions import find_task
from secondlook.data.fingerprint import Track, data_fingerprint
from secondlook.data.leakage import audit_manifest, describe_pair
from secondlook.data.manifest import Manifest
from secondlook.data.wording import count
from secondlook.errors import DatasetError
from secondlook.evaluation.answers import answer_manifest, attempt_all
from secondlook.evaluation.curves import measure_curves
from secondlook.evaluation.intervals import bootstrap_measures, widen_share
from secondlook.evaluation.measures import TRIAGES, Floats, measure_answers, write_interval
from secondlook.evaluation.metrics import compute_share
from secondlook.evaluation.operating import measure_operating
from secondlook.evaluation.reliability import measure_reliability
from secondlook.evaluation.selective import measure_sets
from secondlook.evaluation.studies import has_studies, join_studies
from secondlook.inference.predictor import Prediction, Predictor

Nested = dict[str, Any]


def measure_outside(
    predictor: Predictor, manifests: Mapping[str, Manifest], *, seed: int, resamples: int, track: Track
) -> Nested:
    """Measure a bundle on further manifests, each by itself.

    Where a manifest's labels are those of the bundle's task, or tell the same risk, all that the test split is asked is
    asked of it; otherwise, which share is answered how, lies beyond the outlier limit, and gets a set of which size.

    Args:
        predictor: The bundle, ready to predict.
        manifests: By name.
        seed: Seed of the bootstrap.
        resamples: Number of resamples.
        track: Shows progress.

    Returns:
        Name → ``task``, ``fingerprint``, ``pictures``, ``groups``, ``labelled``, ``notes`` and either
        ``measures`` with ``curves``, ``operating``, ``reliability`` and ``sets``, or ``shares``; ``refused`` with the
        reason where nothing could be measured.
    """
    return {
        name: _measure_one(predictor, manifest, seed=seed, resamples=resamples, track=track)
        for name, manifest in manifests.items()
    }


def take_unseen(manifests: Mapping[str, Manifest], whole: Manifest | None, *, track: Track) -> dict[str, Manifest]:
    """Return what may be measured of further manifests: where one has a split test, that alone.

    Args:
        manifests: By name.
        whole: The bundle's own manifest with its splits, where it is known.
        track: Shows progress.

    Raises:
        DatasetError: They share groups, files or near-duplicates with what the bundle was trained or calibrated on.
    """
    taken = {name: select_test(manifest) for name, manifest in manifests.items()}
    if not taken or whole is None or "split" not in whole.frame:
        return taken
    seen = whole.frame["split"].isin(["train", "calibration"])
    parts = [(Manifest(whole.frame[seen], whole.root, whole.task), "train"), *((one, "test") for one in taken.values())]
    frames = [
        part.frame.assign(image=[os.path.relpath(path, whole.root) for path in part.paths()], split=split)
        for part, split in parts
    ]
    rows = pd.concat(frames, ignore_index=True)
    there = [(whole.root / str(name)).is_file() for name in rows["image"]]
    report = audit_manifest(Manifest(rows[there].reset_index(drop=True), whole.root, whole.task), track=track)
    if report.leaks:
        raise DatasetError(
            "Expected outside tests of other patients and pictures than the bundle was trained or calibrated on. Leave "
            "these out, or give a manifest whose split test holds the others.",
            [describe_pair(pair) for pair in report.leaks],
        )
    return taken


def select_test(manifest: Manifest) -> Manifest:
    """Return the split test of a manifest that has one, else all of it."""
    has_test = "split" in manifest.frame and "test" in set(manifest.frame["split"])
    return manifest.select("test") if has_test else manifest


def _measure_one(predictor: Predictor, manifest: Manifest, *, seed: int, resamples: int, track: Track) -> Nested:
    tells, reason = judge_labels(predictor, manifest)
    try:
        if tells:
            return _measure_labelled(predictor, manifest, seed=seed, resamples=resamples, track=track)
        return _measure_unlabelled(predictor, manifest, reason, seed=seed, resamples=resamples, track=track)
    except DatasetError as error:
        return {"task": manifest.task, "pictures": 0, "groups": 0, "labelled": tells, "refused": str(error)}


def judge_labels(predictor: Predictor, manifest: Manifest) -> tuple[bool, str]:
    """Tell whether labels say what the bundle looks for; if not, why not, in a sentence."""
    own, task = find_task(manifest.task), predictor.task
    if not manifest.frame["label"].isin(own.keys).any():
        return False, "The pictures have no label that the task knows: only shares of the answers are measured."
    if own.risk["en"] != task.risk["en"]:
        risk = task.risk["en"].lower()
        return (
            False,
            f"The labels are those of {own.key} and do not tell {risk}: only shares of the answers are measured.",
        )
    return True, ""


def _measure_labelled(predictor: Predictor, manifest: Manifest, *, seed: int, resamples: int, track: Track) -> Nested:
    answered = answer_manifest(predictor, manifest, track=track)
    measured = answered.manifest
    if has_studies(answered.manifest):
        answered = join_studies(answered, predictor)
    answers, calibration = answered.answers, predictor.bundle.calibration
    points = calibration.operating_points
    asked: dict[str, Any] = {"seed": seed, "resamples": resamples}
    return {
        **_describe(measured, answered.notes),
        "labelled": True,
        "labels": {str(key): int(count) for key, count in measured.frame["label"].value_counts().sort_index().items()},
        "measures": measure_answers(answers, points, **asked),
        "curves": measure_curves(answers, **asked),
        "operating": measure_operating(answers, points, **asked),
        "reliability": measure_reliability(answers, **asked),
        "sets": measure_sets(answers, calibration.sets, {}, **asked),
    }


def _measure_unlabelled(
    predictor: Predictor, manifest: Manifest, reason: str, *, seed: int, resamples: int, track: Track
) -> Nested:
    attempts = attempt_all(predictor, manifest.paths(), track=track)
    read = np.array([attempt is not None for attempt in attempts], dtype=bool)
    if not read.any():
        raise DatasetError("Expected readable pictures; there is none.")
    predictions = [attempt for attempt in attempts if attempt is not None]
    measured = Manifest(manifest.frame[read].reset_index(drop=True), manifest.root, manifest.task)
    groups = measured.frame["group"].astype(str).to_numpy(dtype=np.str_)
    left_out = count(int((~read).sum()), "picture is", "pictures are")
    missing = [f"{left_out} left out: missing, or cannot be read."] if not read.all() else []
    columns = _list_shares(predictions, predictor)

    def measure(weights: Floats) -> dict[str, Floats]:
        return {name: compute_share(weights @ flags, weights.sum(axis=1)) for name, flags in columns.items()}

    found = bootstrap_measures(measure, groups, seed=seed, resamples=resamples)
    shares = {name: write_interval(widen_share(interval, groups)) for name, interval in found.items()}
    return {
        **_describe(measured, (reason, *missing)),
        "labelled": False,
        "shares": shares,
    }


def _list_shares(predictions: list[Prediction], predictor: Predictor) -> dict[str, Any]:
    limit = predictor.bundle.calibration.outlier.limit
    columns = {f"triage/{word}": np.array([one.triage == word for one in predictions]) for word in TRIAGES}
    columns["outlier"] = np.array([one.outlier_score > limit for one in predictions])
    if predictor.bundle.calibration.sets:
        sizes = np.array([len(one.prediction_set) for one in predictions])
        columns |= {f"set of {size}": sizes == size for size in range(1, len(predictor.task.keys) + 1)}
        columns["undecided"] = np.array([one.undecided for one in predictions])
    return columns


def _describe(measured: Manifest, notes: tuple[str, ...]) -> Nested:
    return {
        "task": measured.task,
        "fingerprint": data_fingerprint(measured),
        "pictures": len(measured),
        "groups": int(measured.frame["group"].nunique()),
        "notes": list(notes),
    }

"""Fit what inference applies, on the calibration split alone: scaling, sets, thresholds, outlier limit."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook.conditions import find_task
from secondlook.data.files import replace_file
from secondlook.data.fingerprint import Track, data_fingerprint, track_silently
from secondlook.data.manifest import Manifest
from secondlook.errors import BundleError, DatasetError, InputError
from secondlook.evaluation.calibration import measure_log_prior
from secondlook.evaluation.conformal import fit_sets
from secondlook.evaluation.outliers import Home, compare_outliers, fit_method
from secondlook.evaluation.scaling import choose_scaling
from secondlook.evaluation.strangers import Strangers, draw_strangers
from secondlook.evaluation.triage import TARGETS, fit_operating_point
from secondlook.inference.bundle import BundleFacts, Calibration, FittedOn, OutlierLimit, read_facts
from secondlook.inference.predictor import read_input, scale_scores, soften
from secondlook.inference.session import Outputs, Session

DIGITS = 6


def fit_calibration(
    folder: Path,
    manifest: Manifest,
    *,
    outlier: OutlierLimit | None = None,
    seed: int = 0,
    resamples: int = 2000,
    track: Track = track_silently,
) -> Calibration:
    """Fit a draft's calibration; write ``calibration.json`` and the embeddings in ``reference.npz``.

    Args:
        folder: The draft: ``bundle.json``, ``model.onnx`` and ``reference.npz`` with the stored pair.
        manifest: Pictures that the network was not trained on.
        outlier: What :func:`choose_outlier_limit` chose; without it, Mahalanobis distance is fitted.
        seed: Seed of the bootstrap behind the thresholds' lower bounds.
        resamples: Number of resamples.
        track: Shows progress.

    Raises:
        DatasetError: Another task, an unknown label, an unreadable picture, or one severity only.
        BundleError: The draft is not complete.
    """
    facts = read_facts(folder)
    task = find_task(facts.task)
    labels = number_labels(manifest, facts.task)
    outputs = run_graph(folder, manifest, facts, track=track)
    groups = manifest.frame["group"].astype(str).to_numpy(dtype=np.str_)
    log_prior = np.round(measure_log_prior(labels, classes=len(task.keys)), DIGITS)
    scores = outputs.logits.astype(np.float64) + log_prior
    temperature, scaling, tried = choose_scaling(scores, labels, groups, seed=seed)
    probabilities = soften(scores / temperature if scaling is None else scale_scores(scores, scaling))
    columns = [task.keys.index(key) for key in task.alarming]
    risk = probabilities[:, columns].sum(axis=1)
    alarming = np.isin(labels, columns)
    calibration = Calibration(
        temperature=temperature,
        log_prior=tuple(log_prior.tolist()),
        scaling=scaling,
        calibrators=tried,
        sets=fit_sets(probabilities, labels, groups, task.keys),
        operating_points=tuple(
            fit_operating_point(name, risk, alarming, groups, seed=seed, resamples=resamples) for name in TARGETS
        ),
        outlier=outlier or fit_method(Home(outputs, labels, groups)).limit,
        fitted_on=FittedOn(
            split="calibration",
            pictures=len(labels),
            groups=len(np.unique(groups)),
            data_fingerprint=data_fingerprint(manifest),
        ),
    )
    _store_reference(folder / "reference.npz", outputs, labels)
    replace_file(folder / "calibration.json", calibration.model_dump_json(indent=2).encode() + b"\n")
    return calibration


def choose_outlier_limit(
    folder: Path,
    manifest: Manifest,
    strangers: Sequence[Strangers],
    *,
    seed: int = 0,
    resamples: int = 2000,
    track: Track = track_silently,
) -> tuple[OutlierLimit, dict[str, Any]]:
    """Choose how a bundle or draft tells strangers, given some, and measure all ways; see the room's ``outliers``.

    Args:
        folder: The bundle or draft: ``bundle.json`` and ``model.onnx``.
        manifest: Pictures that the network was not trained on.
        strangers: Pictures that it is not for; drawn pages and noise are added.
        seed: Seed of the halves and of the bootstrap.
        resamples: Number of resamples.
        track: Shows progress.

    Returns:
        The limit to serve, and the part ``outliers`` of the evidence.

    Raises:
        DatasetError: Another task, an unknown label or an unreadable picture; or no stranger can be read.
    """
    facts = read_facts(folder)
    home = Home(
        run_graph(folder, manifest, facts, track=track),
        number_labels(manifest, facts.task),
        manifest.frame["group"].astype(str).to_numpy(dtype=np.str_),
    )
    session, kinds = Session(folder / "model.onnx"), (*strangers, *draw_strangers())
    return compare_outliers(session, facts, home, kinds, seed=seed, resamples=resamples, track=track)


def run_graph(folder: Path, manifest: Manifest, facts: BundleFacts, *, track: Track = track_silently) -> Outputs:
    """Run a draft's graph on every picture, read as the predictor reads it.

    Returns:
        Logits and embeddings, one row per picture; the maps are dropped.

    Raises:
        DatasetError: Pictures cannot be read; all of them are listed.
        BundleError: The graph cannot be run.
    """
    session = Session(folder / "model.onnx")
    found: list[Outputs] = []
    faults = []
    for row, path in enumerate(track(manifest.paths(), "Calibrating", len(manifest))):
        try:
            _, image = read_input(path, facts.input_size_px, resize=facts.resize)
        except InputError as error:
            faults.append(f"row {row + 2}: {path.name}: {error}")
            continue
        found.append(session.run(image[None]))
    if faults or not found:
        raise DatasetError("Expected readable pictures to calibrate on; mend or remove these rows.", faults)
    return Outputs(
        np.concatenate([outputs.logits for outputs in found]),
        np.concatenate([outputs.embedding for outputs in found]),
        None,
    )


def number_labels(manifest: Manifest, key: str) -> NDArray[np.int64]:
    """Return the number of every row's label in the task's order.

    Raises:
        DatasetError: The manifest belongs to another task, or holds unknown labels.
    """
    keys = find_task(key).keys
    if manifest.task != key:
        raise DatasetError(f"Expected a manifest of the bundle's task {key}, got one of {manifest.task}.")
    unknown = sorted(set(manifest.frame["label"].astype(str)) - set(keys))
    if unknown:
        raise DatasetError(f"Expected labels of the task {key} ({', '.join(keys)}); mend or remove these.", unknown)
    return np.array([keys.index(label) for label in manifest.frame["label"]], dtype=np.int64)


def _store_reference(path: Path, outputs: Outputs, labels: NDArray[np.int64]) -> None:
    try:
        with np.load(path, allow_pickle=False) as stored:
            probe = {name: stored[name] for name in ("probe_image", "probe_logits")}
    except (OSError, KeyError, ValueError) as error:
        raise BundleError(f"Expected {path.name} with the stored pair in the draft. Export it again.") from error
    content = io.BytesIO()
    np.savez_compressed(content, **probe, embedding=outputs.embedding.astype(np.float16), label=labels)
    replace_file(path, content.getvalue())

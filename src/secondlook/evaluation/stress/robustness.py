"""How much a bundle loses when pictures are as bad as they are in clinics, and whom that sends home."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from secondlook.conditions import Kind
from secondlook.data.fingerprint import Track, track_silently
from secondlook.data.manifest import Manifest
from secondlook.evaluation.intervals import Interval, bootstrap_measures, widen_share
from secondlook.evaluation.measures import write_interval
from secondlook.evaluation.metrics import compute_auc, compute_confusion, compute_macro, compute_rates, compute_share
from secondlook.evaluation.stress.corruptions import CORRUPTIONS, LEVELS
from secondlook.evaluation.stress.sample import Responses, Vary, ask_variants, draw_sample, seed_picture
from secondlook.inference.predictor import Predictor

Floats = NDArray[np.float64]

PICTURES = 84
POINT: Final = "sensitivity_95"
MEASURES = ("auc", "balanced_accuracy", "sensitivity")
SHARES = ("flips", "flips_urgent", "flips_alarming", "not_evaluable")


def measure_robustness(
    predictor: Predictor,
    manifest: Manifest,
    *,
    pictures: int | None = PICTURES,
    seed: int = 0,
    resamples: int = 2000,
    track: Track = track_silently,
) -> dict[str, Any]:
    """Measure a bundle on pictures that are corrupted in every way, at every level.

    Pictures are corrupted as they come, before the predictor resizes and judges them. Those that it then calls not
    evaluable are measured like the others; ``not_evaluable`` says how many they are.

    Args:
        predictor: The bundle, ready to predict.
        manifest: The pictures; what they show is known.
        pictures: How many are drawn, evenly over the labels; None for all.
        seed: Seed of the draw, the corruptions and the bootstrap.
        resamples: Number of resamples.
        track: Shows progress.

    Returns:
        The ``robustness`` of ``evidence.json``; docs/stress.md explains it.

    Raises:
        DatasetError: There is no picture to measure on.
    """
    kind = predictor.task.kind
    sample = draw_sample(manifest, pictures=pictures, seed=seed)
    responses = ask_variants(predictor, sample, vary_by(kind, seed), description="Corrupting", track=track)
    threshold = predictor.bundle.calibration.find_point(POINT).threshold
    figures = bound_figures(responses, threshold, classes=len(predictor.task.keys), seed=seed, resamples=resamples)
    measures = [name for name in MEASURES if f"0/{name}" in figures]
    wanted = [*measures, *SHARES]
    described = {}
    for number, corruption in enumerate(CORRUPTIONS[kind]):
        columns = range(1 + number * LEVELS, 1 + (number + 1) * LEVELS)
        flips = responses.flagged[:, :1] & (responses.triage[:, columns] == "routine")
        described[corruption.key] = {
            "name": corruption.name,
            "amount": corruption.amount,
            "levels": list(corruption.levels),
            **{name: [write_interval(figures[f"{column}/{name}"]) for column in columns] for name in wanted},
            "flip_counts": flips.sum(axis=0).tolist(),
        }
    return {
        "sample": responses.sample.describe(),
        "operating_point": POINT,
        "flagged": int(responses.flagged[:, 0].sum()),
        "flagged_urgent": int((responses.triage[:, 0] == "urgent").sum()),
        "flagged_alarming": int((responses.flagged[:, 0] & responses.alarming).sum()),
        "clean": {name: write_interval(figures[f"0/{name}"]) for name in measures},
        "corruptions": described,
        "mean": {name: write_interval(figures[f"mean/{name}"]) for name in wanted},
        "mean_loss": {name: write_interval(figures[f"loss/{name}"]) for name in measures},
    }


def vary_by(kind: Kind, seed: int) -> Vary:
    """Return a function that yields a picture corrupted in every way, each at its levels."""

    def vary(pixels: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
        for corruption in CORRUPTIONS[kind]:
            for amount in corruption.levels:
                yield corruption.change(pixels, amount, seed_picture(pixels, corruption.key, seed=seed))

    return vary


def bound_figures(
    responses: Responses, threshold: float, *, classes: int, seed: int, resamples: int
) -> dict[str, Interval]:
    """Measure every column of answers, the mean over all but the first, and the mean loss against the first.

    Args:
        responses: N×V answers; column 0 is the picture as it is.
        threshold: On the risk.
        classes: Number of labels.
        seed: Seed of the bootstrap.
        resamples: Number of resamples.

    Returns:
        ``COLUMN/NAME``, ``mean/NAME`` and ``loss/NAME`` → value and bounds.
    """
    rows = {"flips": responses.flagged[:, 0], "not_evaluable": np.ones(len(responses.groups), dtype=bool)}
    rows["flips_urgent"] = responses.triage[:, 0] == "urgent"
    rows["flips_alarming"] = rows["flips"] & responses.alarming
    columns = range(responses.risk.shape[1])

    def measure(weights: Floats) -> dict[str, Floats]:
        found = [_measure_column(responses, column, threshold, classes, weights) for column in columns]
        shares = [_measure_shares(responses, column, rows, weights) for column in columns[1:]]
        figures = {f"{column}/{name}": value for column in columns for name, value in found[column].items()}
        figures |= {f"{column}/{name}": value for column in columns[1:] for name, value in shares[column - 1].items()}
        for name in found[0]:
            mean = np.mean([parts[name] for parts in found[1:]], axis=0)
            figures |= {f"mean/{name}": mean, f"loss/{name}": found[0][name] - mean}
        return figures | {f"mean/{name}": np.mean([parts[name] for parts in shares], axis=0) for name in rows}

    bounded = bootstrap_measures(measure, responses.groups, seed=seed, resamples=resamples)
    counted = {**rows, "sensitivity": responses.alarming}
    for name, interval in bounded.items():
        column, _, figure = name.partition("/")
        if column.isdigit() and figure in counted:
            bounded[name] = widen_share(interval, responses.groups[counted[figure]])
    return bounded


def _measure_column(
    responses: Responses, column: int, threshold: float, classes: int, weights: Floats
) -> dict[str, Floats]:
    risk, alarming = responses.risk[:, column], responses.alarming
    hits = weights[..., alarming] @ (risk[alarming] >= threshold)
    figures = {
        "auc": compute_auc(alarming, risk, weights=weights),
        "sensitivity": compute_share(hits, weights[..., alarming].sum(axis=-1)),
    }
    if responses.labels is None:
        return figures
    confusion = compute_confusion(responses.labels, responses.predicted[:, column], classes=classes, weights=weights)
    present = np.isin(np.arange(classes), responses.labels)
    return figures | {"balanced_accuracy": compute_macro(compute_rates(confusion)["sensitivity"], present)}


def _measure_shares(
    responses: Responses, column: int, rows: dict[str, NDArray[np.bool_]], weights: Floats
) -> dict[str, Floats]:
    triage = responses.triage[:, column]
    figures = {}
    for name, members in rows.items():
        counted = triage[members] == ("not_evaluable" if name == "not_evaluable" else "routine")
        figures[name] = compute_share(weights[..., members] @ counted, weights[..., members].sum(axis=-1))
    return figures

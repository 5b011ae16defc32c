"""All the figures of a bundle's evidence, each with its interval, from what the bundle answered."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook.data.fingerprint import Track, track_silently
from secondlook.evaluation.intervals import Interval, bootstrap_measures, widen_share
from secondlook.evaluation.metrics import (
    RATES,
    compute_accuracy,
    compute_auc,
    compute_brier,
    compute_calibration_error,
    compute_class_aucs,
    compute_confusion,
    compute_kappa,
    compute_macro,
    compute_matthews,
    compute_rates,
    compute_share,
)
from secondlook.inference.bundle import OperatingPoint

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Nested = dict[str, Any]

DIGITS = 4
TRIAGES = ("urgent", "refer", "routine", "not_evaluable")
SIDES = ("alarming", "other")


@dataclass(frozen=True)
class Answers:
    """What was true and what the bundle answered, one row per picture.

    Attributes:
        keys: The labels of the bundle's task.
        labels: int64 N, the true labels' numbers; none where the data belong to another task.
        alarming: bool N, whether the true label is one of the alarming ones.
        predicted: int64 N, the number of the label that the bundle named.
        probabilities: float64 N×K, calibrated.
        risk: float64 N, the probability of the alarming labels together.
        triage: N words, of ``TRIAGES``.
        outlier: bool N, whether the picture lies beyond the outlier limit.
        groups: N names of the patients or lesions.
        ordered: Whether the labels are grades, each worse than the one before.
        members: bool N×K, which labels the prediction set holds; none where the bundle makes no sets.
        undecided: bool N, whether that set is too wide to say anything; none likewise.
        alarming_columns: The numbers of the alarming labels, whose probabilities add up to the risk.
        scores: float64 N×K, logits with the log prior added, as calibration takes them; none where they are unknown.
        sizes_px: int64 N×2, width and height of the pictures in their files; none where they are unknown.
    """

    keys: tuple[str, ...]
    labels: NDArray[np.int64] | None
    alarming: Flags
    predicted: NDArray[np.int64]
    probabilities: Floats
    risk: Floats
    triage: NDArray[np.str_]
    outlier: Flags
    groups: NDArray[np.str_]
    ordered: bool = False
    members: Flags | None = None
    undecided: Flags | None = None
    alarming_columns: tuple[int, ...] = ()
    scores: Floats | None = None
    sizes_px: NDArray[np.int64] | None = None


def measure_answers(
    answers: Answers,
    points: Sequence[OperatingPoint],
    *,
    seed: int,
    resamples: int,
    track: Track = track_silently,
) -> Nested:
    """Measure everything that the answers allow, with 95 % intervals from a bootstrap over groups.

    Every figure is ``{"value", "lower", "upper"}``, rounded to ``DIGITS``; null where it is undefined. A share of
    exactly 0 or 1 has no spread to resample; its bounds are those of Clopper and Pearson, each patient or lesion
    counting once.

    Args:
        answers: What was true and what was answered, at least one row.
        points: The operating points whose thresholds are applied.
        seed: Seed of the bootstrap.
        resamples: Number of resamples.
        track: Shows progress.

    Returns:
        The ``measures`` of ``evidence.json``; docs/evidence.md explains each.
    """

    def measure(weights: Floats) -> dict[str, Floats]:
        figures = measure_risk(answers, points, weights)
        figures |= measure_triage(answers, weights)
        return figures | measure_labels(answers, answers.labels, weights) if answers.labels is not None else figures

    intervals = bootstrap_measures(measure, answers.groups, resamples=resamples, seed=seed, track=track)
    counted = dict(list_shares(answers, points))
    nested: Nested = {}
    for name, interval in intervals.items():
        rows = counted.get(name)
        _nest(nested, name, write_interval(interval if rows is None else widen_share(interval, answers.groups[rows])))
    if answers.labels is not None:
        confusion = compute_confusion(answers.labels, answers.predicted, classes=len(answers.keys))
        nested["confusion_matrix"] = confusion.astype(int).tolist()
    for point in points:
        nested["risk"]["operating_points"][point.name]["threshold"] = point.threshold
    nested["triage_counts"] = {
        side: {word: int((answers.triage[rows] == word).sum()) for word in TRIAGES}
        for side, rows in _split_sides(answers)
    }
    return nested


def measure_labels(answers: Answers, labels: NDArray[np.int64], weights: Floats) -> dict[str, Floats]:
    """Measure how well the seven labels (or however many) are told apart: name → float64 R for weights R×N."""
    keys, probabilities = answers.keys, answers.probabilities
    present = np.isin(np.arange(len(keys)), labels)
    confusion = compute_confusion(labels, answers.predicted, classes=len(keys), weights=weights)
    rates = compute_rates(confusion)
    aucs = compute_class_aucs(labels, probabilities, weights=weights)
    top = probabilities.argmax(axis=1)
    top_confusion = compute_confusion(labels, top, classes=len(keys), weights=weights)
    truth = np.arange(len(keys)) == labels[:, None]
    figures = {
        "accuracy": compute_accuracy(confusion),
        "accuracy_of_most_probable": compute_accuracy(top_confusion),
        "balanced_accuracy": compute_macro(rates["sensitivity"], present),
        "macro_auc": compute_macro(aucs, present),
        "kappa": compute_kappa(confusion),
        **({"quadratic_kappa": compute_kappa(confusion, quadratic=True)} if answers.ordered else {}),
        "matthews": compute_matthews(confusion),
        **{f"macro_{name}": compute_macro(rates[name], present) for name in RATES if name != "sensitivity"},
        "expected_calibration_error": compute_calibration_error(
            probabilities.max(axis=1), top == labels, weights=weights
        ),
        "brier": compute_brier(truth, probabilities, weights=weights),
    }
    for number, key in enumerate(keys):
        figures[f"auc/{key}"] = aucs[..., number]
        figures |= {f"{name}/{key}": rates[name][..., number] for name in RATES}
        rows = confusion[..., number, :]
        shares = compute_share(rows, rows.sum(axis=-1, keepdims=True))
        figures |= {f"confusion_shares/{key}/{other}": shares[..., column] for column, other in enumerate(keys)}
    return figures


def measure_risk(answers: Answers, points: Sequence[OperatingPoint], weights: Floats) -> dict[str, Floats]:
    """Measure the probability of the alarming labels, and what each threshold gives: name → float64 R."""
    alarming, risk = answers.alarming, answers.risk
    figures = {
        "risk/auc": compute_auc(alarming, risk, weights=weights),
        "risk/expected_calibration_error": compute_calibration_error(risk, alarming, weights=weights),
        "risk/brier": compute_brier(alarming, risk, weights=weights),
    }
    for point in points:
        flagged = (risk >= point.threshold).astype(int)
        rates = compute_rates(compute_confusion(alarming.astype(int), flagged, classes=2, weights=weights))
        figures |= {f"risk/operating_points/{point.name}/{name}": rates[name][..., 1] for name in RATES}
    return figures


def measure_triage(answers: Answers, weights: Floats) -> dict[str, Floats]:
    """Measure which share of the alarming, of the other and of all pictures gets which triage: name → float64 R."""
    figures = {}
    for side, rows in _split_sides(answers):
        totals = weights[..., rows].sum(axis=-1)
        for word in TRIAGES:
            hits = weights[..., rows] @ (answers.triage[rows] == word)
            figures[f"triage/{side}/{word}"] = compute_share(hits, totals)
    everyone = weights.sum(axis=-1)
    figures["refusals/outlier"] = compute_share(weights @ answers.outlier, everyone)
    figures["refusals/not_evaluable"] = compute_share(weights @ (answers.triage == "not_evaluable"), everyone)
    return figures


def list_shares(answers: Answers, points: Sequence[OperatingPoint]) -> Iterator[tuple[str, Flags]]:
    """Yield the figures that are shares of pictures, each with the rows that it is a share of."""
    yield from _list_point_shares(answers, points)
    for side, rows in _split_sides(answers):
        yield from ((f"triage/{side}/{word}", rows) for word in TRIAGES)
    everything = np.ones(len(answers.groups), dtype=bool)
    yield "refusals/outlier", everything
    yield "refusals/not_evaluable", everything
    if answers.labels is None:
        return
    yield "accuracy", everything
    yield "accuracy_of_most_probable", everything
    for number, key in enumerate(answers.keys):
        true, named = answers.labels == number, answers.predicted == number
        yield from zip((f"sensitivity/{key}", f"specificity/{key}"), (true, ~true), strict=True)
        yield from zip((f"ppv/{key}", f"npv/{key}"), (named, ~named), strict=True)
        yield from ((f"confusion_shares/{key}/{other}", true) for other in answers.keys)


def _list_point_shares(answers: Answers, points: Sequence[OperatingPoint]) -> Iterator[tuple[str, Flags]]:
    for point in points:
        flagged, place = answers.risk >= point.threshold, f"risk/operating_points/{point.name}"
        yield f"{place}/sensitivity", answers.alarming
        yield f"{place}/specificity", ~answers.alarming
        yield f"{place}/ppv", flagged
        yield f"{place}/npv", ~flagged


def _split_sides(answers: Answers) -> Iterator[tuple[str, Flags]]:
    return zip(SIDES, (answers.alarming, ~answers.alarming), strict=True)


def _nest(nested: Nested, name: str, content: Mapping[str, float | None]) -> None:
    *folders, last = name.split("/")
    for folder in folders:
        nested = nested.setdefault(folder, {})
    nested[last] = dict(content)


def write_interval(interval: Interval) -> dict[str, float | None]:
    """Return an interval as evidence holds it, rounded; null for what is undefined."""
    figures = {"value": interval.value, "lower": interval.lower, "upper": interval.upper}
    return {name: None if np.isnan(figure) else round(figure, DIGITS) for name, figure in figures.items()}

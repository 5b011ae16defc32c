"""Curves as points, to be drawn, and their bands from a bootstrap over groups."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook.evaluation.intervals import CHUNK_CELLS, bound_resamples, draw_weights
from secondlook.evaluation.measures import DIGITS, Answers, write_interval
from secondlook.evaluation.metrics import compute_macro, compute_share

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Nested = dict[str, Any]
Tracer = Callable[[Flags, NDArray[np.floating[Any]], Floats], Floats]

GRID = np.linspace(0, 1, 101)


def trace_roc(positive: Flags, scores: NDArray[np.floating[Any]]) -> tuple[Floats, Floats]:
    """Return the receiver operating characteristic, from (0, 0) to (1, 1), one point for each different score.

    The area under its straight lines is what :func:`secondlook.evaluation.metrics.compute_auc` returns.

    Args:
        positive: bool N.
        scores: finite numbers N; higher means more likely positive.

    Returns:
        The share of negative rows at or above each score, 1 − specificity, and the sensitivity; NaN without any.
    """
    hits, alarms = (counts[0] for counts in _accumulate(positive, scores, np.ones((1, len(positive)))))
    return compute_share(alarms, alarms[-1]), compute_share(hits, hits[-1])


def interpolate_roc(positive: Flags, scores: NDArray[np.floating[Any]], weights: Floats) -> Floats:
    """Return the sensitivity at each 1 − specificity of ``GRID``, float64 R×101; NaN without a positive or a negative.

    Between two thresholds the curve is straight (Fawcett 2006, doi 10.1016/j.patrec.2005.10.010).

    Args:
        positive: bool N.
        scores: finite numbers N; higher means more likely positive.
        weights: float64 R×N, how often each row counts.
    """
    hits, alarms = _accumulate(positive, scores, weights)
    shares = zip(compute_share(alarms, alarms[:, -1:]), compute_share(hits, hits[:, -1:]), strict=True)
    # Of the points above one another at a share, the highest; np.interp takes the last of equal places.
    return np.array([np.interp(GRID, share, found) for share, found in shares])


def interpolate_precision(positive: Flags, scores: NDArray[np.floating[Any]], weights: Floats) -> Floats:
    """Return the precision at the highest threshold that reaches each recall of ``GRID``, float64 R×101.

    Nothing is interpolated between thresholds, for the curve is not straight there (Davis and Goadrich 2006,
    doi 10.1145/1143844.1143874).

    Args:
        positive: bool N.
        scores: finite numbers N; higher means more likely positive.
        weights: float64 R×N, how often each row counts.
    """
    hits, alarms = (counts[:, 1:] for counts in _accumulate(positive, scores, weights))
    recall, precision = compute_share(hits, hits[:, -1:]), compute_share(hits, hits + alarms)
    reached = np.array([np.searchsorted(row, GRID - 1e-12) for row in recall])
    found = np.take_along_axis(precision, np.minimum(reached, precision.shape[1] - 1), axis=1)
    found[np.isnan(recall[:, -1])] = np.nan
    return found


def compute_average_precision(
    positive: Flags, scores: NDArray[np.floating[Any]], *, weights: Floats | None = None
) -> Floats:
    """Compute the average precision Σ (Rᵢ − Rᵢ₋₁) Pᵢ over the thresholds, from the highest on, tied rows together.

    Args:
        positive: bool N.
        scores: finite numbers N; higher means more likely positive.
        weights: whole numbers ≥ 0, R×N; each row counts once without them.

    Returns:
        float64 R; NaN without a positive row.

    Example:
        >>> compute_average_precision(np.array([True, False, True]), np.array([0.9, 0.8, 0.7])).round(4).tolist()
        [0.8333]
    """
    weights = np.ones((1, len(positive))) if weights is None else weights
    hits, alarms = _accumulate(positive, scores, weights)
    precision = np.nan_to_num(compute_share(hits, hits + alarms)[:, 1:])
    return compute_share((np.diff(hits, axis=1) * precision).sum(axis=1), hits[:, -1])


def find_specificity(
    positive: Flags, scores: NDArray[np.floating[Any]], *, sensitivity: float, weights: Floats | None = None
) -> Floats:
    """Find the specificity at the highest threshold whose sensitivity reaches the one asked for.

    Args:
        positive: bool N.
        scores: finite numbers N; higher means more likely positive.
        sensitivity: Above 0 up to 1.
        weights: whole numbers ≥ 0, R×N; each row counts once without them.

    Returns:
        float64 R; NaN without a positive or a negative row.

    Example:
        >>> rows = np.array([True, False, True, False])
        >>> find_specificity(rows, np.array([0.9, 0.8, 0.7, 0.1]), sensitivity=0.95).tolist()
        [0.5]
    """
    weights = np.ones((1, len(positive))) if weights is None else weights
    hits, alarms = _accumulate(positive, scores, weights)
    place = (hits >= sensitivity * hits[:, -1:] - 1e-9).argmax(axis=1)[:, None]
    found = 1 - compute_share(np.take_along_axis(alarms, place, axis=1), alarms[:, -1:])[:, 0]
    found[hits[:, -1] == 0] = np.nan
    return found


def measure_curves(answers: Answers, *, seed: int, resamples: int) -> Nested:
    """Trace the ROC and the precision–recall curve of the risk, of each label and of their mean, with 95 % bands.

    Bands hold at each place of the grid by itself, not for the whole curve at once. The mean curve averages the
    labels' sensitivities at equal specificities (Fawcett 2006).

    Args:
        answers: What was true and what was answered.
        seed: Seed of the bootstrap.
        resamples: Number of resamples.

    Returns:
        ``grid``; ``roc`` and ``precision_recall``: name (``risk``, a label's key, ``macro``) → lists ``value``,
        ``lower`` and ``upper`` along the grid (of 1 − specificity; of recall), null where undefined;
        ``average_precision`` and ``prevalence`` by the same names.
    """
    questions = dict(_list_questions(answers))
    weights = draw_weights(answers.groups, resamples=resamples, seed=seed)
    few = len(np.unique(answers.groups)) < 2
    nested: Nested = {"grid": np.round(GRID, DIGITS).tolist(), "roc": {}, "precision_recall": {}}
    tracers: dict[str, Tracer] = {"roc": interpolate_roc, "precision_recall": interpolate_precision}
    for kind, trace in tracers.items():
        curves = {name: _resample(trace, *question, weights) for name, question in questions.items()}
        if answers.labels is not None:
            present = np.isin(np.arange(len(answers.keys)), answers.labels)
            stacked = (np.stack([curves[key][side] for key in answers.keys], axis=-1) for side in (0, 1))
            curves["macro"] = tuple(compute_macro(side, present) for side in stacked)  # type: ignore[assignment]
        nested[kind] = {name: _bound_curve(*curve, few=few) for name, curve in curves.items()}
    nested["average_precision"], nested["prevalence"] = {}, {}
    for name, (positive, scores) in questions.items():
        value, drawn = _resample(_measure_precision, positive, scores, weights)
        interval = bound_resamples(float(value[0]), drawn[:, 0], few=few)
        nested["average_precision"][name] = write_interval(interval)
        nested["prevalence"][name] = round(float(positive.mean()), DIGITS)
    return nested


def _list_questions(answers: Answers) -> Iterator[tuple[str, tuple[Flags, Floats]]]:
    yield "risk", (answers.alarming, answers.risk)
    if answers.labels is not None:
        for number, key in enumerate(answers.keys):
            yield key, (answers.labels == number, answers.probabilities[:, number])


def _measure_precision(positive: Flags, scores: NDArray[np.floating[Any]], weights: Floats) -> Floats:
    return compute_average_precision(positive, scores, weights=weights)[:, None]


def _resample(
    trace: Tracer, positive: Flags, scores: Floats, weights: NDArray[np.integer[Any]]
) -> tuple[Floats, Floats]:
    """Return a curve on the rows as they are, G, and on each resample, R×G."""
    step = max(1, CHUNK_CELLS // len(positive))
    parts = [
        trace(positive, scores, weights[start : start + step].astype(np.float64))
        for start in range(0, len(weights), step)
    ]
    return trace(positive, scores, np.ones((1, len(positive))))[0], np.concatenate(parts)


def _bound_curve(values: Floats, drawn: Floats, *, few: bool) -> dict[str, list[float | None]]:
    intervals = [
        write_interval(bound_resamples(float(value), column, few=few))
        for value, column in zip(values, drawn.T, strict=True)
    ]
    return {side: [interval[side] for interval in intervals] for side in ("value", "lower", "upper")}


def _accumulate(positive: Flags, scores: NDArray[np.floating[Any]], weights: Floats) -> tuple[Floats, Floats]:
    """Return the weight of positive and of negative rows at or above each different score, R×(U+1), zero first."""
    order = np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")
    ends = np.append(np.flatnonzero(np.diff(np.asarray(scores)[order])), len(order) - 1)
    counts = []
    for rows in (positive, ~positive):
        running = np.cumsum(weights[:, order] * rows[order], axis=1)[:, ends]
        counts.append(np.concatenate([np.zeros((len(weights), 1)), running], axis=1))
    return counts[0], counts[1]

"""Knowing what it does not know: errors against how much is answered, and what the prediction sets hold."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook.data.explore import Factor
from secondlook.evaluation.curves import GRID
from secondlook.evaluation.intervals import bootstrap_measures, widen_share
from secondlook.evaluation.measures import DIGITS, Answers, write_interval
from secondlook.evaluation.metrics import compute_share
from secondlook.inference.bundle import SetLimits

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Nested = dict[str, Any]

COVERAGES = GRID[5::5]


def compute_selective_risk(confidence: Floats, wrong: Flags, *, weights: Floats | None = None) -> Floats:
    """Compute the share of wrong answers among the most confident rows, for each share of rows in ``COVERAGES``.

    The risk–coverage curve (El-Yaniv and Wiener 2010, Journal of Machine Learning Research 11, 1605–1641). Between two
    confidences the curve is straight, so rows of equal confidence are answered in part.

    Args:
        confidence: floats N; the highest is answered first.
        wrong: bool N.
        weights: whole numbers ≥ 0, R×N; each row counts once without them.

    Returns:
        float64 R×20.

    Example:
        >>> found = compute_selective_risk(np.array([0.9, 0.8]), np.array([False, True]))[0]
        >>> found[[9, 19]].tolist()
        [0.0, 0.5]
    """
    weights = np.ones((1, len(confidence))) if weights is None else weights
    order = np.argsort(-confidence, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(confidence[order])), len(order) - 1)
    rows = np.cumsum(weights[:, order], axis=1)[:, ends]
    errors = np.cumsum(weights[:, order] * wrong[order], axis=1)[:, ends]
    answered, failed = (np.concatenate([np.zeros((len(weights), 1)), part], axis=1) for part in (rows, errors))
    totals = answered[:, -1:]
    counts = np.array(
        [np.interp(COVERAGES * total, row, bad) for total, row, bad in zip(totals, answered, failed, strict=True)]
    )
    return compute_share(counts, COVERAGES * totals)


def measure_coverage(answers: Answers, *, seed: int, resamples: int) -> Nested:
    """Measure the risk–coverage curve of the named label: the pictures with its highest probabilities come first.

    Returns:
        ``coverages``; ``error`` (lists ``value``, ``lower``, ``upper``); ``area`` under it, and ``best``, the area of a
        ranking that puts every error last. Empty where labels are not known.
    """
    if answers.labels is None:
        return {}
    wrong = answers.predicted != answers.labels
    confidence = answers.probabilities[np.arange(len(wrong)), answers.predicted]

    def measure(weights: Floats) -> dict[str, Floats]:
        errors = compute_selective_risk(confidence, wrong, weights=weights)
        best = compute_selective_risk(-wrong.astype(float), wrong, weights=weights)
        areas = {"area": errors.mean(axis=1), "best": best.mean(axis=1)}
        return areas | {str(place): errors[:, place] for place in range(len(COVERAGES))}

    found = bootstrap_measures(measure, answers.groups, seed=seed, resamples=resamples)
    errors = [write_interval(found[str(place)]) for place in range(len(COVERAGES))]
    return {
        "coverages": np.round(COVERAGES, DIGITS).tolist(),
        "error": {side: [error[side] for error in errors] for side in ("value", "lower", "upper")},
        "area": write_interval(found["area"]),
        "best": write_interval(found["best"]),
    }


def measure_sets(
    answers: Answers, limits: SetLimits | None, factors: Mapping[str, Flags], *, seed: int, resamples: int
) -> Nested:
    """Measure which share of prediction sets holds the true label, and how many labels they hold.

    Args:
        answers: What was true and what was answered.
        limits: The bundle's limits.
        factors: Name of a subgroup → its rows, bool N.
        seed: Seed of the bootstrap.
        resamples: Number of resamples.

    Returns:
        ``target`` and ``widest``; ``sizes``, how many pictures have a set of so many labels; ``size``, their mean;
        ``undecided``, the share of sets that are too wide; and, where labels are known, ``coverage`` by ``all``,
        ``labels`` (with the level that calibration could promise) and ``subgroups``, and ``accuracy`` of the named
        label where the set is narrow enough and where it is not. Empty for a bundle without sets.
    """
    if answers.members is None or answers.undecided is None or limits is None:
        return {}
    slices: dict[str, Flags] = {"all": np.ones(len(answers.groups), dtype=bool)}
    if answers.labels is not None:
        slices |= {f"labels/{key}": answers.labels == number for number, key in enumerate(answers.keys)}
    slices |= {f"subgroups/{name}": rows for name, rows in factors.items()}
    slices = {name: rows for name, rows in slices.items() if rows.any()}
    found = bootstrap_measures(
        lambda weights: _measure_slices(answers, slices, weights), answers.groups, seed=seed, resamples=resamples
    )
    sizes = answers.members.sum(axis=1)
    levels = {limit.label: {"level": limit.level, "fitted_on": limit.groups} for limit in limits.labels}
    nested: Nested = {
        "target": limits.target,
        "widest": limits.widest,
        "sizes": {str(size): int((sizes == size).sum()) for size in range(1, len(answers.keys) + 1)},
        "levels": levels,
        "slices": {},
    }
    for name, rows in slices.items():
        nested["slices"][name] = {
            "pictures": int(rows.sum()),
            "groups": len(np.unique(answers.groups[rows])),
            **{
                kind: write_interval(widen_share(interval, answers.groups[rows]) if kind != "size" else interval)
                for kind in ("coverage", "size", "undecided", "accuracy_decided", "accuracy_undecided")
                if (interval := found.get(f"{name}/{kind}")) is not None
            },
        }
    return nested


def name_subgroups(factors: list[Factor]) -> dict[str, Flags]:
    """Return the rows of every value of every factor under a name of both, for example ``Sex: Female``."""
    return {f"{factor.title}: {value}": rows for factor in factors for value, rows in factor.rows.items()}


def _measure_slices(answers: Answers, slices: Mapping[str, Flags], weights: Floats) -> dict[str, Floats]:
    members, undecided = answers.members, answers.undecided
    if members is None or undecided is None:
        return {}
    truth = answers.labels
    figures = {}
    for name, rows in slices.items():
        own = weights[:, rows]
        total = own.sum(axis=1)
        figures[f"{name}/size"] = compute_share(own @ members[rows].sum(axis=1), total)
        figures[f"{name}/undecided"] = compute_share(own @ undecided[rows], total)
        if truth is None:
            continue
        covered = members[np.arange(len(truth)), truth]
        figures[f"{name}/coverage"] = compute_share(own @ covered[rows], total)
        right = (answers.predicted == truth)[rows]
        for kind, kept in (("decided", ~undecided[rows]), ("undecided", undecided[rows])):
            figures[f"{name}/accuracy_{kind}"] = compute_share(own @ (right & kept), own @ kept)
    return figures

"""What each threshold gives: sensitivity and specificity, twice bounded, and predictive values at any prevalence."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook.evaluation.curves import find_specificity
from secondlook.evaluation.intervals import Interval, bootstrap_measures, bound_share, widen_share
from secondlook.evaluation.measures import DIGITS, Answers, write_interval
from secondlook.evaluation.metrics import compute_share
from secondlook.inference.bundle import OperatingPoint

Floats = NDArray[np.float64]
Nested = dict[str, Any]

SENSITIVITY = 0.95
# Lesions that are looked at once, a general practice, a specialist's clinic; the curve of the report holds all others.
PREVALENCES = (0.01, 0.05, 0.2)
FINE_PREVALENCES = tuple(np.round(np.geomspace(0.001, 0.5, 41), 5).tolist())


def compute_predictive(sensitivity: Floats, specificity: Floats, prevalence: float) -> tuple[Floats, Floats]:
    """Compute the predictive values that a test has where the disease has another prevalence than among those measured.

    PPV = se·π / (se·π + (1 − sp)(1 − π)) and NPV = sp(1 − π) / (sp(1 − π) + (1 − se)π), by Bayes' rule (Altman and
    Bland 1994, doi 10.1136/bmj.309.6947.102). They hold if sensitivity and specificity are the same there.

    Args:
        sensitivity: floats in 0..1 of any shape.
        specificity: Likewise.
        prevalence: Share of the diseased, above 0 and below 1.

    Returns:
        PPV and NPV; NaN where nobody is flagged, or nobody is not.

    Raises:
        ValueError: The prevalence is no share between 0 and 1.

    Example:
        >>> [float(value.round(4)) for value in compute_predictive(np.array(0.9), np.array(0.8), 0.1)]
        [0.3333, 0.9863]
    """
    if not 0 < prevalence < 1:
        raise ValueError(f"Expected a prevalence above 0 and below 1, got {prevalence}.")
    hits, misses = sensitivity * prevalence, (1 - sensitivity) * prevalence
    spared, alarms = specificity * (1 - prevalence), (1 - specificity) * (1 - prevalence)
    return compute_share(hits, hits + alarms), compute_share(spared, spared + misses)


def measure_operating(
    answers: Answers, points: Sequence[OperatingPoint], *, prevalences: Sequence[float] = (), seed: int, resamples: int
) -> Nested:
    """Measure every operating point, and the specificity at 95 % sensitivity to the risk and to melanoma.

    Args:
        answers: What was true and what was answered.
        points: The operating points whose thresholds are applied.
        prevalences: Further shares of the diseased to state predictive values for.
        seed: Seed of the bootstrap.
        resamples: Number of resamples.

    Returns:
        ``points``: name → threshold, target, what calibration could promise (``supported``, ``sensitivity_lower``),
        ``sensitivity`` and ``specificity`` with counts, the bootstrap's and Clopper and Pearson's bounds,
        ``predictive`` (a list by prevalence) and ``curve`` (values alone along a finer grid of prevalences);
        ``specificity_at_95``: ``risk``, and ``mel`` where the task has it.
    """
    stated = sorted({*PREVALENCES, *prevalences, *_own_prevalence(answers)})

    def measure(weights: Floats) -> dict[str, Floats]:
        figures: dict[str, Floats] = {}
        for point in points:
            rates = _measure_rates(answers, point, weights)
            figures |= {f"{point.name}/{name}": rate for name, rate in rates.items()}
            for prevalence in stated:
                values = compute_predictive(rates["sensitivity"], rates["specificity"], prevalence)
                figures |= {
                    f"{point.name}/{name}/{prevalence}": v for name, v in zip(("ppv", "npv"), values, strict=True)
                }
        for name, (positive, scores) in _list_ranked(answers).items():
            figures[f"at/{name}"] = find_specificity(positive, scores, sensitivity=SENSITIVITY, weights=weights)
        return figures

    found = bootstrap_measures(measure, answers.groups, seed=seed, resamples=resamples)
    return {
        "points": {point.name: _describe_point(answers, point, stated, found) for point in points},
        "prevalences": list(FINE_PREVALENCES),
        "measured_prevalence": round(float(answers.alarming.mean()), DIGITS),
        "specificity_at_95": {name: write_interval(found[f"at/{name}"]) for name in _list_ranked(answers)},
    }


def describe_share(flags: NDArray[np.bool_], groups: NDArray[np.str_], interval: Interval) -> Nested:
    """Return a share with its bootstrap's bounds, Clopper and Pearson's as if rows were independent, and its counts.

    Args:
        flags: bool M, which of the rows count.
        groups: M names of the rows' groups.
        interval: The share with the bounds of the bootstrap over groups.
    """
    if not len(flags):
        return {**write_interval(interval), "exact": [None, None], "hits": 0, "pictures": 0, "groups": 0}
    exact = bound_share(int(flags.sum()), len(flags))
    return {
        **write_interval(widen_share(interval, groups)),
        "exact": [round(bound, DIGITS) for bound in exact],
        "hits": int(flags.sum()),
        "pictures": len(flags),
        "groups": len(np.unique(groups)),
    }


def _measure_rates(answers: Answers, point: OperatingPoint, weights: Floats) -> dict[str, Floats]:
    flagged, alarming = answers.risk >= point.threshold, answers.alarming
    return {
        "sensitivity": compute_share(weights @ (alarming & flagged), weights @ alarming),
        "specificity": compute_share(weights @ ~(alarming | flagged), weights @ ~alarming),
    }


def _list_ranked(answers: Answers) -> dict[str, tuple[NDArray[np.bool_], Floats]]:
    ranked = {"risk": (answers.alarming, answers.risk)}
    if answers.labels is not None and "mel" in answers.keys:
        number = answers.keys.index("mel")
        ranked["mel"] = (answers.labels == number, answers.probabilities[:, number])
    return ranked


def _own_prevalence(answers: Answers) -> list[float]:
    share = round(float(answers.alarming.mean()), DIGITS)
    return [share] if 0 < share < 1 else []


def _describe_point(
    answers: Answers, point: OperatingPoint, stated: Sequence[float], found: dict[str, Interval]
) -> Nested:
    flagged, alarming = answers.risk >= point.threshold, answers.alarming
    sensitivity, specificity = (found[f"{point.name}/{name}"] for name in ("sensitivity", "specificity"))
    curve = [
        compute_predictive(np.array(sensitivity.value), np.array(specificity.value), prevalence)
        for prevalence in FINE_PREVALENCES
    ]
    return {
        "threshold": point.threshold,
        "target": point.target,
        "supported": point.supported,
        "sensitivity_lower": point.sensitivity_lower,
        "sensitivity": describe_share(flagged[alarming], answers.groups[alarming], sensitivity),
        "specificity": describe_share(~flagged[~alarming], answers.groups[~alarming], specificity),
        "predictive": [
            {
                "prevalence": prevalence,
                **{name: write_interval(found[f"{point.name}/{name}/{prevalence}"]) for name in ("ppv", "npv")},
            }
            for prevalence in stated
        ],
        "curve": {name: [_plain(pair[place]) for pair in curve] for place, name in enumerate(("ppv", "npv"))},
    }


def _plain(value: Floats) -> float | None:
    return None if np.isnan(value) else round(float(value), DIGITS)

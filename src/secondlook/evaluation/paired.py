"""Two models on the same pictures: how far apart are their figures, and could that be chance?"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from secondlook.errors import InputError
from secondlook.evaluation.delong import compare_aucs
from secondlook.evaluation.intervals import Interval, bound_resamples, resample_measures
from secondlook.evaluation.measures import Answers
from secondlook.evaluation.summary import measure_summary

Floats = NDArray[np.float64]

Verdict = Literal["not worse", "worse", "not shown", "too few"]

DELONG, BOOTSTRAP = "DeLong", "bootstrap"


@dataclass(frozen=True, slots=True)
class Difference:
    """How far one model's figure lies from another's.

    Attributes:
        interval: The difference with its 95 % interval; NaN where something is undefined.
        p: Two-sided p-value of no difference; NaN where it is undefined.
        method: ``DeLong`` or ``bootstrap``.
    """

    interval: Interval
    p: float
    method: str


def compare_answers(first: Answers, second: Answers, *, seed: int, resamples: int) -> dict[str, Difference]:
    """Compare what two bundles answered about the same pictures, row by row: second minus first.

    The AUC of the risk (with two labels, the only AUC) is compared by DeLong's test over groups; everything else by a
    bootstrap in which both are measured on the same resamples of groups.

    Args:
        first: Of the one bundle.
        second: Of the other, in the same order of rows.
        seed: Seed of the bootstrap.
        resamples: Number of resamples.

    Returns:
        Name of the figure → difference.

    Raises:
        ValueError: The rows are not the same pictures.
    """
    if first.labels is None or second.labels is None or not np.array_equal(first.labels, second.labels):
        raise ValueError("Expected the answers to the same pictures in the same order.")

    def measure(weights: Floats) -> Mapping[str, Floats]:
        one, other = measure_summary(first, weights), measure_summary(second, weights)
        return {name: other[name] - one[name] for name in one}

    values, drawn = resample_measures(measure, first.groups, resamples=resamples, seed=seed)
    few = len(np.unique(first.groups)) < 2
    differences = {}
    for name, value in values.items():
        interval = bound_resamples(value, drawn[name], few=few)
        p = math.nan if math.isnan(interval.lower) else judge_resamples(drawn[name])
        differences[name] = Difference(interval, p, BOOTSTRAP)
    differences["risk_auc" if "risk_auc" in values else "macro_auc"] = compare_risks(first, second)
    return differences


def compare_risks(first: Answers, second: Answers) -> Difference:
    """Compare the AUCs of two bundles' risk by DeLong's test over groups; NaN where there are too few of them."""
    try:
        test = compare_aucs(first.alarming, first.risk, second.risk, first.groups)
    except ValueError:
        return Difference(Interval(math.nan, math.nan, math.nan), math.nan, DELONG)
    return Difference(Interval(test.difference, test.lower, test.upper), test.p, DELONG)


def judge_resamples(drawn: Floats) -> float:
    """Return the two-sided bootstrap p-value: twice the smaller share of resamples on one side of no difference.

    One is added to both counts, so that no p-value is zero (Davison and Hinkley 1997, doi 10.1017/CBO9780511802843).

    Args:
        drawn: float64 R, differences; NaN where undefined.
    """
    defined = drawn[~np.isnan(drawn)]
    tails = (1 + (defined <= 0).sum(), 1 + (defined >= 0).sum())
    return min(1.0, 2 * float(min(tails)) / (len(defined) + 1))


def adjust_values(values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for how many they are, so that together they mislead no oftener than one alone.

    Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6, 65–70.

    Args:
        values: p-values; NaN ones stay so and do not count.
    """
    order = sorted((value, place) for place, value in enumerate(values) if not math.isnan(value))
    adjusted, least = [math.nan] * len(values), 0.0
    for rank, (value, place) in enumerate(order):
        least = max(least, min(1.0, value * (len(order) - rank)))
        adjusted[place] = least
    return adjusted


def check_margin(margin: float | None) -> float | None:
    """Return a margin that makes sense, or none.

    Raises:
        InputError: It does not lie between 0 and 1.
    """
    if margin is not None and not 0 < margin < 1:
        raise InputError(f"Expected a margin above 0 and below 1, such as 0.02, got {margin:g}.")
    return margin


def judge_margin(interval: Interval, margin: float) -> Verdict:
    """Judge a difference from the first model, where higher is better, by its 95 % interval.

    ``not worse`` if all of it lies above −margin, which is a one-sided test at 2.5 %; ``worse`` if all of it lies
    below; else nothing is shown (Piaggio et al. 2012, CONSORT's extension to non-inferiority,
    doi 10.1001/jama.2012.87802).

    Example:
        >>> judge_margin(Interval(-0.01, -0.018, 0.002), 0.02)
        'not worse'
    """
    if math.isnan(interval.lower):
        return "too few"
    if interval.lower > -margin:
        return "not worse"
    return "worse" if interval.upper < -margin else "not shown"

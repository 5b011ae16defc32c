"""Does it serve everybody alike? Figures by age, sex, site, skin type, reference standard, resolution and device."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook.data.explore import UNKNOWN, Factor
from secondlook.evaluation.intervals import Interval, bound_resamples, resample_measures, widen_share
from secondlook.evaluation.measures import Answers, write_interval
from secondlook.evaluation.metrics import compute_auc, compute_share
from secondlook.inference.bundle import OperatingPoint

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Nested = dict[str, Any]

LEAST_GROUPS = 20
RATES = ("sensitivity", "specificity")


def measure_subgroups(
    answers: Answers, factors: Sequence[Factor], point: OperatingPoint, *, seed: int, resamples: int
) -> Nested:
    """Measure AUC, sensitivity and specificity of the risk in every subgroup, and the largest gaps between two.

    A figure over fewer than ``LEAST_GROUPS`` patients or lesions (with the disease for a sensitivity, without it for a
    specificity, either for an AUC) is left undefined: too few to say. Gaps are taken between subgroups of one factor
    that have figures, on the same resamples. The largest of many gaps is larger than it would be elsewhere, by the
    choice alone; its interval does not know of that choice.

    Args:
        answers: What was true and what was answered.
        factors: What parts the rows.
        point: The operating point whose threshold is applied.
        seed: Seed of the bootstrap.
        resamples: Number of resamples.

    Returns:
        ``point``, ``threshold``, ``least_groups``; ``factors``: key → ``title`` and ``values``, a list of ``value``,
        ``pictures``, ``groups``, ``alarming_groups``, ``other_groups``, ``auc``, ``sensitivity``, ``specificity``; and
        ``gaps``: rate → ``factor``, ``high``, ``low`` and the ``gap`` with its interval, null where nothing can be
        compared.
    """
    flagged = answers.risk >= point.threshold
    parts = [(factor.key, value, rows) for factor in factors for value, rows in factor.rows.items() if rows.any()]

    def measure(weights: Floats) -> dict[str, Floats]:
        figures = {}
        for key, value, rows in parts:
            own, alarming = weights[:, rows], answers.alarming[rows]
            name = f"{key}/{value}"
            figures[f"{name}/sensitivity"] = compute_share(own @ (alarming & flagged[rows]), own @ alarming)
            figures[f"{name}/specificity"] = compute_share(own @ ~(alarming | flagged[rows]), own @ ~alarming)
            figures[f"{name}/auc"] = compute_auc(alarming, answers.risk[rows], weights=own)
        return figures

    values, drawn = resample_measures(measure, answers.groups, resamples=resamples, seed=seed)
    nested: Nested = {"point": point.name, "threshold": point.threshold, "least_groups": LEAST_GROUPS, "factors": {}}
    for factor in factors:
        found = [
            {"value": value, **_describe_part(answers, rows, f"{factor.key}/{value}", values, drawn)}
            for key, value, rows in parts
            if key == factor.key
        ]
        nested["factors"][factor.key] = {"title": factor.title, "values": found}
    nested["gaps"] = {rate: _find_gap(nested["factors"], rate, values, drawn) for rate in RATES}
    return nested


def _describe_part(
    answers: Answers, rows: Flags, name: str, values: dict[str, float], drawn: dict[str, Floats]
) -> Nested:
    alarming = answers.groups[rows & answers.alarming]
    other = answers.groups[rows & ~answers.alarming]
    behind = {"sensitivity": alarming, "specificity": other}
    counts = {"alarming_groups": len(np.unique(alarming)), "other_groups": len(np.unique(other))}
    figures = {}
    for rate in ("auc", *RATES):
        needed = counts.values() if rate == "auc" else [len(np.unique(behind[rate]))]
        interval = Interval(np.nan, np.nan, np.nan)
        if min(needed) >= LEAST_GROUPS:
            interval = bound_resamples(values[f"{name}/{rate}"], drawn[f"{name}/{rate}"], few=False)
            interval = interval if rate == "auc" else widen_share(interval, behind[rate])
        figures[rate] = write_interval(interval)
    return {"pictures": int(rows.sum()), "groups": len(np.unique(answers.groups[rows])), **counts, **figures}


def _find_gap(factors: Nested, rate: str, values: dict[str, float], drawn: dict[str, Floats]) -> dict[str, Any] | None:
    largest: dict[str, Any] | None = None
    for key, factor in factors.items():
        told = [
            part["value"] for part in factor["values"] if part[rate]["value"] is not None and part["value"] != UNKNOWN
        ]
        for one, other in combinations(told, 2):
            high, low = sorted((one, other), key=lambda value: -values[f"{key}/{value}/{rate}"])
            names = f"{key}/{high}/{rate}", f"{key}/{low}/{rate}"
            gap = values[names[0]] - values[names[1]]
            if largest is None or gap > largest["gap"]["value"]:
                interval = bound_resamples(gap, drawn[names[0]] - drawn[names[1]], few=False)
                largest = {"factor": factor["title"], "high": high, "low": low, "gap": write_interval(interval)}
    return largest

"""Prediction sets: from which probability on a label cannot be ruled out."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook.inference.bundle import SetLimit, SetLimits

Floats = NDArray[np.float64]

TARGET = 0.9
DIGITS = 6


def fit_sets(
    probabilities: Floats,
    labels: NDArray[np.integer[Any]],
    groups: NDArray[Any],
    keys: Sequence[str],
    *,
    target: float = TARGET,
) -> SetLimits:
    """Choose each label's limit so that of new pictures of that label the target share gets a set that holds it.

    Class-conditional conformal prediction with one score, 1 − the true label's probability (Sadinle, Lei and
    Wasserman 2019, doi 10.1080/01621459.2017.1395341). Several pictures of one lesion or patient are not
    exchangeable with those of another, so each group counts once, shared among its pictures (Lee, Barber and Willett
    2023, "Distribution-free inference with hierarchical data", doi 10.48550/arXiv.2306.06342).

    A set that holds more than half of the labels is too wide to say anything.

    Args:
        probabilities: float64 N×K, calibrated, of the calibration pictures.
        labels: integer N, the true classes.
        groups: N names of the lesions or patients.
        keys: The labels' keys.
        target: Share of pictures of each label whose set is to hold it, above 0 and below 1.

    Raises:
        ValueError: Shapes differ, or the target is no share.
    """
    if probabilities.shape != (len(labels), len(keys)) or len(groups) != len(labels) or not 0 < target < 1:
        raise ValueError(
            f"Expected probabilities N×{len(keys)}, N labels and groups and a target between 0 and 1, got "
            f"{probabilities.shape}, {len(labels)}, {len(groups)} and {target}."
        )
    limits = []
    for number, key in enumerate(keys):
        rows = labels == number
        least, level, count = bound_scores(probabilities[rows, number], groups[rows], target=target)
        limits.append(SetLimit(label=key, least=least, level=level, groups=count))
    return SetLimits(target=target, labels=tuple(limits), widest=max(1, len(keys) // 2))


def bound_scores(probabilities: Floats, groups: NDArray[Any], *, target: float) -> tuple[float, float, int]:
    """Return the least probability that keeps a label in the set, the level this promises, and the groups behind it.

    With G groups no limit can promise more than G / (G + 1); where that lies below the target, the lowest probability
    seen is the limit. Without any group the label is never ruled out.

    Args:
        probabilities: float64 M, of the true label, on the pictures of that label.
        groups: M names.
        target: Level aimed at.

    Example:
        >>> bound_scores(np.linspace(0.1, 0.9, 9), np.arange(9), target=0.9)
        (0.1, 0.9, 9)
    """
    names, number, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    count = len(names)
    if not count:
        return 0.0, 0.0, 0
    order = np.argsort(-probabilities, kind="stable")
    reached = np.cumsum(1 / sizes[number[order]]) / (count + 1)
    enough = np.flatnonzero(reached >= target - 1e-9)
    place = enough[0] if len(enough) else len(order) - 1
    level = target if len(enough) else count / (count + 1)
    scale = 10**DIGITS
    # Rounded down, so that the last bits of another processor do not lose the picture that it rests on.
    least = math.floor(float(probabilities[order[place]]) * scale + 1e-9) / scale
    return min(least, 1.0), round(level, DIGITS), count

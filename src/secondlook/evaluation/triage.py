"""Thresholds on the probability of the alarming labels, chosen on the calibration split alone."""

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from secondlook.errors import DatasetError
from secondlook.evaluation.intervals import bound_share, draw_weights
from secondlook.inference.bundle import OperatingPoint

PointName = Literal["sensitivity_90", "sensitivity_95"]

TARGETS: dict[PointName, float] = {"sensitivity_90": 0.90, "sensitivity_95": 0.95}
DIGITS = 6
LEVEL = 0.95


def choose_threshold(scores: NDArray[np.floating[Any]], positive: NDArray[np.bool_], *, target: float) -> float:
    """Return the highest threshold at which the share of positives scoring at or above it reaches the target.

    It is rounded down to six digits, so that the last bits of another processor do not lose the picture that it
    rests on.

    Args:
        scores: floats N in 0..1.
        positive: bool N, at least one of them true.
        target: Sensitivity to reach, above 0 up to 1.

    Raises:
        DatasetError: There is no positive row.
        ValueError: The target is no share.
    """
    if not 0 < target <= 1:
        raise ValueError(f"Expected a target above 0 and up to 1, got {target}.")
    descending = np.sort(scores[positive])[::-1]
    if not len(descending):
        raise DatasetError("Expected pictures with an alarming label to choose a threshold on, found none; add some.")
    needed = math.ceil(round(target * len(descending), 9))
    scale = 10**DIGITS
    return float(math.floor(float(descending[needed - 1]) * scale) / scale)


def fit_operating_point(
    name: PointName,
    scores: NDArray[np.floating[Any]],
    positive: NDArray[np.bool_],
    groups: NDArray[Any],
    *,
    seed: int = 0,
    resamples: int = 2000,
) -> OperatingPoint:
    """Choose the threshold of an operating point and state what it gives on the rows that it was chosen on.

    The lower bound of the sensitivity is one-sided, at 95 %. Clopper–Pearson takes pictures for independent, which
    several pictures of one lesion are not; a bootstrap over lesions does not; the lower of the two is stated.

    Args:
        name: One of ``TARGETS``.
        scores: floats N, probability of the alarming labels.
        positive: bool N, whether the true label is alarming.
        groups: N names of the lesions or patients.
        seed: Seed of the bootstrap.
        resamples: Number of resamples.

    Raises:
        DatasetError: No row has an alarming label, or no row another.
    """
    if positive.all():
        raise DatasetError(
            "Expected pictures without an alarming label to choose a threshold on, found none; add some."
        )
    threshold = choose_threshold(scores, positive, target=TARGETS[name])
    flagged = scores >= threshold
    hits, positives = int(flagged[positive].sum()), int(positive.sum())
    exact, _ = bound_share(hits, positives, level=LEVEL, side="lower")
    weights = draw_weights(groups[positive], resamples=resamples, seed=seed).astype(np.float64)
    clustered = np.quantile(weights @ flagged[positive] / weights.sum(axis=1), 1 - LEVEL)
    return OperatingPoint(
        name=name,
        target=TARGETS[name],
        threshold=threshold,
        sensitivity=round(hits / positives, DIGITS),
        sensitivity_lower=round(min(exact, float(clustered)), DIGITS),
        specificity=round(float(1 - flagged[~positive].mean()), DIGITS),
        positives=positives,
        negatives=int((~positive).sum()),
        groups=len(np.unique(groups)),
    )

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
Floats = NDArray[np.float64]

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
    return float(_round_down(descending[needed - 1 : needed])[0])


def fit_operating_point(
    name: PointName,
    scores: NDArray[np.floating[Any]],
    positive: NDArray[np.bool_],
    groups: NDArray[Any],
    *,
    seed: int = 0,
    resamples: int = 2000,
) -> OperatingPoint:
    """Choose the highest threshold whose sensitivity reaches the target with 95 % confidence, and state what it gives.

    Thresholds are tried from the lowest on, and the first whose lower bound falls below the target ends the search, so
    that trying many costs no confidence (fixed sequence testing; Angelopoulos, Bates, Candès, Jordan and Lei 2021,
    "Learn then Test", doi 10.48550/arXiv.2110.01052). Where even finding every positive picture does not bear the
    target out, since there are too few, the threshold that reaches it on these pictures is taken, and
    :attr:`OperatingPoint.supported` is false.

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
    target = TARGETS[name]
    threshold = choose_threshold(scores, positive, target=target)
    candidates = np.unique(_round_down(scores[positive]))
    bounds = bound_sensitivities(scores[positive], groups[positive], candidates, seed=seed, resamples=resamples)
    failing = np.flatnonzero(bounds < target)
    held = failing[0] if len(failing) else len(candidates)
    if held:
        threshold = float(candidates[held - 1])
    flagged = scores >= threshold
    hits, positives = int(flagged[positive].sum()), int(positive.sum())
    lower = bounds[np.searchsorted(candidates, threshold)]
    return OperatingPoint(
        name=name,
        target=target,
        threshold=threshold,
        sensitivity=round(hits / positives, DIGITS),
        sensitivity_lower=math.floor(lower * 10**DIGITS) / 10**DIGITS,
        specificity=round(float(1 - flagged[~positive].mean()), DIGITS),
        positives=positives,
        negatives=int((~positive).sum()),
        groups=len(np.unique(groups)),
    )


def bound_sensitivities(
    scores: NDArray[np.floating[Any]], groups: NDArray[Any], thresholds: Floats, *, seed: int, resamples: int
) -> Floats:
    """Return the one-sided lower 95 % bound of the sensitivity at each threshold.

    Clopper–Pearson's takes pictures for independent, which several pictures of one lesion are not; a bootstrap over
    lesions does not, but sees no spread where nothing is missed. The lowest of three is returned: Clopper–Pearson's
    over pictures, the bootstrap's, and, where nothing is missed, Clopper–Pearson's with each lesion counting once.

    Args:
        scores: floats M, of the pictures with an alarming label.
        groups: M names of the lesions or patients.
        thresholds: float64 T.
        seed: Seed of the bootstrap.
        resamples: Number of resamples.

    Returns:
        float64 T.
    """
    flagged = scores >= thresholds[:, None]
    weights = draw_weights(groups, resamples=resamples, seed=seed).astype(np.float64)
    drawn = weights @ flagged.T / weights.sum(axis=1, keepdims=True)
    clustered = np.quantile(drawn, 1 - LEVEL, axis=0)
    whole, lesions = len(scores), len(np.unique(groups))
    bounds = []
    for hits, bound in zip(flagged.sum(axis=1).tolist(), clustered.tolist(), strict=True):
        exact, _ = bound_share(hits, whole, level=LEVEL, side="lower")
        sure, _ = bound_share(lesions, lesions, level=LEVEL, side="lower")
        bounds.append(min(exact, bound, sure) if hits == whole else min(exact, bound))
    return np.array(bounds)


def _round_down(scores: NDArray[np.floating[Any]]) -> Floats:
    scale = 10**DIGITS
    return np.asarray(np.floor(np.asarray(scores, dtype=np.float64) * scale) / scale)

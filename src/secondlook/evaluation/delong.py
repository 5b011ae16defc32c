"""Two models' AUCs on the same pictures: are they different? A test without resampling.

DeLong, DeLong and Clarke-Pearson 1988, doi 10.2307/2531595, by way of ranks as Sun and Xu 2014,
doi 10.1109/LSP.2014.2337313, so that N log N steps suffice. Pictures of one patient or lesion are not independent;
Obuchowski 1997, doi 10.2307/2533958, adds their parts up before squaring. With one picture in each group, hers is
DeLong's test exactly.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook.evaluation.metrics import compute_share

Floats = NDArray[np.float64]

NORMAL_QUANTILE = 1.959963984540054  # of 97.5 %


@dataclass(frozen=True, slots=True)
class AucTest:
    """How one model's AUC differs from another's on the same pictures.

    Attributes:
        first: AUC of the one.
        second: AUC of the other.
        difference: Second minus first.
        lower: Lower bound of the difference's 95 % interval.
        upper: Upper bound.
        p: Two-sided p-value of no difference; NaN where the AUCs differ and no row says how sure that is.
    """

    first: float
    second: float
    difference: float
    lower: float
    upper: float
    p: float


def compare_aucs(
    positive: NDArray[np.bool_],
    first: NDArray[np.floating[Any]],
    second: NDArray[np.floating[Any]],
    groups: NDArray[Any] | None = None,
) -> AucTest:
    """Test whether two scores of the same rows have the same AUC.

    Args:
        positive: bool N, with at least two groups that hold positive rows and two that hold negative ones.
        first: finite numbers N; higher means more likely positive.
        second: finite numbers N, of the other model.
        groups: N names of the rows' patients or lesions; without them every row is its own.

    Raises:
        ValueError: Shapes differ, a score is not finite, or there are too few groups.
    """
    scores = np.stack([np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)])
    if positive.dtype != np.bool_ or scores.shape[1:] != positive.shape or not np.isfinite(scores).all():
        raise ValueError(f"Expected finite scores for each of {len(positive)} rows, got the shape {scores.shape}.")
    names = np.arange(len(positive)) if groups is None else np.unique(groups, return_inverse=True)[1]
    areas, covariance = estimate_areas(positive, scores, names)
    difference = float(areas[1] - areas[0])
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    error = math.sqrt(max(variance, 0.0))
    p = 1.0
    if difference != 0:
        p = math.erfc(abs(difference) / error / math.sqrt(2)) if error > 1e-12 else math.nan
    reach = NORMAL_QUANTILE * error
    return AucTest(float(areas[0]), float(areas[1]), difference, difference - reach, difference + reach, p)


def estimate_areas(
    positive: NDArray[np.bool_], scores: Floats, groups: NDArray[np.integer[Any]]
) -> tuple[Floats, Floats]:
    """Return the AUC of each score and their covariance.

    Args:
        positive: bool N.
        scores: float64 S×N.
        groups: integer N, the number of each row's group.

    Returns:
        float64 S and float64 S×S.

    Raises:
        ValueError: Fewer than two groups hold positive rows, or negative ones.
    """
    above, below = place_rows(positive, scores)
    areas = above.mean(axis=1)
    count = int(groups.max()) + 1
    sums_above = add_up(above - areas[:, None], groups[positive], count)
    sums_below = add_up(below - areas[:, None], groups[~positive], count)
    parts = [len(np.unique(groups[positive])), len(np.unique(groups[~positive])), len(np.unique(groups))]
    if min(parts[:2]) < 2:
        raise ValueError(f"Expected two groups with positive rows and two with negative ones, got {parts[:2]}.")
    positives, negatives = int(positive.sum()), int((~positive).sum())
    upper, lower, whole = (part / (part - 1) for part in parts)
    crossed = sums_above @ sums_below.T
    covariance = (
        upper * sums_above @ sums_above.T / positives**2
        + lower * sums_below @ sums_below.T / negatives**2
        + whole * (crossed + crossed.T) / (positives * negatives)
    )
    return areas, covariance


def place_rows(positive: NDArray[np.bool_], scores: Floats) -> tuple[Floats, Floats]:
    """Return each positive row's share of negative rows below it, and each negative row's share of positive ones above.

    Ties count one half. These are the placement values whose mean is the AUC.

    Args:
        positive: bool N.
        scores: float64 S×N.

    Returns:
        float64 S×positives and float64 S×negatives.
    """
    positives, negatives = int(positive.sum()), int((~positive).sum())
    above = np.stack([rank_middle(row)[positive] - rank_middle(row[positive]) for row in scores])
    below = np.stack([rank_middle(row)[~positive] - rank_middle(row[~positive]) for row in scores])
    return compute_share(above, negatives), 1 - compute_share(below, positives)


def rank_middle(values: Floats) -> Floats:
    """Return the rank of each value from 1 on; equal values share the mean of their ranks."""
    _, number, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[number])


def add_up(values: Floats, groups: NDArray[np.integer[Any]], count: int) -> Floats:
    """Return the sum of float64 S×M values by group: float64 S×count."""
    return np.stack([np.bincount(groups, weights=row, minlength=count) for row in values])

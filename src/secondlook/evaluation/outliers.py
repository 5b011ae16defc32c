"""How far is too far: the limit of the outlier score, and what share of a folder of pictures it refuses."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook.inference.bundle import OutlierLimit
from secondlook.inference.outliers import OutlierMethod, fit_scorer

Floats = NDArray[np.float64]

# Compared with the alternatives by scripts/compare_outliers.py; docs/evidence.md holds the table.
METHOD = OutlierMethod.MAHALANOBIS
REFUSED_SHARE = 0.02
PARTS = 50
DIGITS = 6


def score_apart(
    embedding: NDArray[np.floating[Any]],
    label: NDArray[np.integer[Any]],
    groups: NDArray[Any],
    *,
    method: OutlierMethod,
    **parameters: Any,
) -> Floats:
    """Score each picture against a reference that holds no picture of its own lesion.

    Lesions are dealt to up to fifty parts; a part is scored against all the others. A picture scored against itself
    or its sister pictures would look nearer than any new one can be.

    Args:
        embedding: floats M×D.
        label: integer M, the class of each.
        groups: M names of the lesions or patients.
        method: How to score.
        parameters: ``neighbours`` or ``shrinkage``, as :func:`secondlook.inference.outliers.fit_scorer` takes them.

    Returns:
        float64 M; higher is further away.

    Raises:
        ValueError: There are fewer than two groups.
    """
    names, number = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        raise ValueError("Expected pictures of at least two lesions to score one against the other.")
    part = number % min(PARTS, len(names))
    scores = np.empty(len(embedding))
    for one in np.unique(part):
        inside = part == one
        reference = embedding[~inside].astype(np.float16)
        scores[inside] = fit_scorer(method, reference, label[~inside], **parameters).score(embedding[inside])
    return scores


def choose_limit(scores: Floats, *, share: float = REFUSED_SHARE) -> float:
    """Return the lowest score above which at most this share of the pictures lies.

    Args:
        scores: float64 M.
        share: Share of the pictures to give up, 0 … 1.

    Raises:
        ValueError: There are no scores, or the share is none.
    """
    if not len(scores) or not 0 <= share < 1:
        raise ValueError(f"Expected scores and a share from 0 to below 1, got {len(scores)} and {share}.")
    return float(np.sort(scores)[len(scores) - 1 - math.floor(share * len(scores))])


def fit_outlier_limit(
    embedding: NDArray[np.floating[Any]],
    label: NDArray[np.integer[Any]],
    groups: NDArray[Any],
    *,
    method: OutlierMethod = METHOD,
    **parameters: Any,
) -> OutlierLimit:
    """Choose the outlier limit that refuses ``REFUSED_SHARE`` of the calibration pictures, each scored apart.

    Args:
        embedding: floats M×D, of the calibration pictures.
        label: integer M, the class of each.
        groups: M names of the lesions or patients.
        method: How to score.
        parameters: ``neighbours`` or ``shrinkage`` of the method.

    Raises:
        ValueError: There are fewer than two groups.
    """
    scores = score_apart(embedding, label, groups, method=method, **parameters)
    limit = math.ceil(choose_limit(scores) * 10**DIGITS) / 10**DIGITS
    return OutlierLimit(method=method, limit=limit, **parameters)

"""Curves as points, to be drawn."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook.evaluation.metrics import compute_share

Floats = NDArray[np.float64]


def trace_roc(positive: NDArray[np.bool_], scores: NDArray[np.floating[Any]]) -> tuple[Floats, Floats]:
    """Return the receiver operating characteristic, from (0, 0) to (1, 1), one point for each different score.

    The area under its straight lines is what :func:`secondlook.evaluation.metrics.compute_auc` returns.

    Args:
        positive: bool N.
        scores: finite numbers N; higher means more likely positive.

    Returns:
        The share of negative rows at or above each score, 1 − specificity, and the sensitivity; NaN without any.
    """
    order = np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")
    ends = np.append(np.flatnonzero(np.diff(np.asarray(scores)[order])), len(order) - 1)
    hits, alarms = np.cumsum(positive[order])[ends], np.cumsum(~positive[order])[ends]
    start = np.zeros(1)
    return (
        np.concatenate([start, compute_share(alarms, (~positive).sum())]),
        np.concatenate([start, compute_share(hits, positive.sum())]),
    )

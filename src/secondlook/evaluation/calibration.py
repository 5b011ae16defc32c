"""Probabilities that hold what they say: class shares and one temperature."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TEMPERATURES = (0.05, 20.0)
BISECTIONS = 60


def measure_log_prior(labels: NDArray[np.integer[Any]], *, classes: int) -> Floats:
    """Return the log share of each class among the rows; half a row is added to each, so that none is impossible.

    Args:
        labels: integer N, the true classes, 0 … classes-1.
        classes: Number of classes.

    Returns:
        float64 K, the exponentials add up to 1.
    """
    counts = np.bincount(labels, minlength=classes) + 0.5
    return np.asarray(np.log(counts / counts.sum()))


def fit_temperature(scores: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> float:
    """Find the temperature T that makes the true classes most likely under softmax(scores / T).

    The negative log-likelihood is convex in 1/T, so that its slope is bisected
    (Guo, Pleiss, Sun and Weinberger 2017, doi 10.48550/arXiv.1706.04599).

    Args:
        scores: floats N×K, logits with the log prior already added.
        labels: integer N, the true classes.

    Returns:
        T within ``TEMPERATURES``; a bound where the likelihood still rises there.

    Raises:
        ValueError: Shapes differ, or a score is not finite.

    Example:
        >>> round(fit_temperature(np.array([[2.0, 0.0]] * 4), np.array([0, 0, 0, 1])), 3)
        1.82
    """
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 2 or len(scores) != len(labels) or not len(labels) or not np.isfinite(scores).all():
        raise ValueError(f"Expected finite scores N×K and N labels, got {scores.shape} and {labels.shape}.")
    scores = scores - scores.max(axis=1, keepdims=True)
    true = scores[np.arange(len(labels)), labels].mean()
    low, high = np.log(TEMPERATURES)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        weights = np.exp(scores / np.exp(middle))
        mean = ((weights * scores).sum(axis=1) / weights.sum(axis=1)).mean()
        low, high = (middle, high) if mean > true else (low, middle)
    return float(np.exp(middle))

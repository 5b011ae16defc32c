"""Measures of a classifier, as pure functions of arrays.

Each function goes through the same stages: check the arguments, check the arrays, bring them to one format, compute.
Every measure accepts ``weights``, whole numbers that say how often each row counts. A bootstrap resample is such a
set of weights, so that a matrix of shape R×N measures R resamples in one call: the result has the leading shape of
the weights, () without any, (R,) with R×N. A measure without meaning on the rows that it got (a sensitivity to a
class that has no rows, an AUC of one class alone) is NaN, never zero.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
RATES = ("sensitivity", "specificity", "ppv", "npv", "f1")
LEAST_PROBABILITY = 1e-12


def compute_confusion(
    labels: NDArray[np.integer[Any]],
    predicted: NDArray[np.integer[Any]],
    *,
    classes: int,
    weights: NDArray[Any] | None = None,
) -> Floats:
    """Count the rows by true and predicted class.

    Args:
        labels: integer N, the true classes, 0 … classes-1.
        predicted: integer N, the predicted classes, 0 … classes-1.
        classes: Number of classes.
        weights: whole numbers ≥ 0, N or R×N; each row counts once without them.

    Returns:
        float64 classes×classes or R×classes×classes, rows are true, columns predicted.

    Raises:
        ValueError: Shapes differ, a class is out of range, or a weight is negative.

    Example:
        >>> compute_confusion(np.array([0, 1, 1]), np.array([0, 0, 1]), classes=2).tolist()
        [[1.0, 0.0], [1.0, 1.0]]
    """
    if classes < 1:
        raise ValueError(f"Expected at least one class, got {classes}.")
    labels, predicted = _check_classes(labels, classes), _check_classes(predicted, classes)
    weights = _check_weights(weights, _check_rows(labels, predicted))
    cells = np.zeros((len(labels), classes * classes))
    cells[np.arange(len(labels)), labels * classes + predicted] = 1
    return (weights @ cells).reshape(*weights.shape[:-1], classes, classes)


def compute_rates(confusion: Floats) -> dict[str, Floats]:
    """Compute each class's sensitivity, specificity, PPV, NPV and F1, the class against all others.

    With TP, FN, FP, TN of the class: TP/(TP+FN), TN/(TN+FP), TP/(TP+FP), TN/(TN+FN), 2TP/(2TP+FP+FN).
    The F1 of a class without rows is undefined.

    Args:
        confusion: float64 …×K×K as :func:`compute_confusion` returns it.

    Returns:
        Name of the rate → float64 …×K.

    Raises:
        ValueError: The confusion matrix is not square.

    Example:
        >>> compute_rates(np.array([[1.0, 0.0], [1.0, 3.0]]))["sensitivity"].tolist()
        [1.0, 0.75]
    """
    _check_square(confusion)
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    actual, flagged = confusion.sum(axis=-1), confusion.sum(axis=-2)
    others = confusion.sum(axis=(-2, -1))[..., None] - actual
    spared = others - (flagged - hits)
    return {
        "sensitivity": compute_share(hits, actual),
        "specificity": compute_share(spared, others),
        "ppv": compute_share(hits, flagged),
        "npv": compute_share(spared, spared + actual - hits),
        "f1": np.where(actual > 0, compute_share(2 * hits, actual + flagged), np.nan),
    }


def compute_accuracy(confusion: Floats) -> Floats:
    """Compute the share of rows whose predicted class is the true one.

    Args:
        confusion: float64 …×K×K as :func:`compute_confusion` returns it.

    Returns:
        float64 of the leading shape.
    """
    return compute_share(np.trace(confusion, axis1=-2, axis2=-1), confusion.sum(axis=(-2, -1)))


def compute_kappa(confusion: Floats, *, quadratic: bool = False) -> Floats:
    """Compute Cohen's kappa, the agreement of predicted with true classes beyond that of chance.

    1 − Σ w·O / Σ w·E over the cells, with O the counts, E = row sum × column sum / rows, and w = 1 off the diagonal
    (Cohen 1960, doi 10.1177/001316446002000104). ``quadratic`` takes w = (i − j)² instead, so that a grade missed by
    two weighs four times one missed by one (Cohen 1968, doi 10.1037/h0026256).

    Args:
        confusion: float64 …×K×K as :func:`compute_confusion` returns it.
        quadratic: Weigh a disagreement by its squared distance; for ordered classes.

    Returns:
        float64 of the leading shape, -1 … 1; NaN where all rows are of one class and predicted as such.

    Raises:
        ValueError: The confusion matrix is not square.

    Example:
        >>> float(compute_kappa(np.array([[2.0, 1.0], [0.0, 3.0]])).round(3))
        0.667
    """
    _check_square(confusion)
    grades = np.arange(confusion.shape[-1])
    distance = np.square(grades[:, None] - grades).astype(float)
    if not quadratic:
        distance = (distance > 0).astype(float)
    actual, flagged = confusion.sum(axis=-1), confusion.sum(axis=-2)
    by_chance = np.einsum("...i,...j,ij->...", actual, flagged, distance)
    return 1 - compute_share((confusion * distance).sum(axis=(-2, -1)) * actual.sum(axis=-1), by_chance)


def compute_matthews(confusion: Floats) -> Floats:
    """Compute the Matthews correlation coefficient for any number of classes.

    (c·s − Σ t·p) / √((s² − Σ t²)(s² − Σ p²)), with c rows on the diagonal, s rows in all, t and p the rows by true and
    by predicted class (Gorodkin 2004, doi 10.1016/j.compbiolchem.2004.09.006).

    Args:
        confusion: float64 …×K×K as :func:`compute_confusion` returns it.

    Returns:
        float64 of the leading shape, -1 … 1; NaN where all rows are of one class, or predicted as one.

    Raises:
        ValueError: The confusion matrix is not square.
    """
    _check_square(confusion)
    actual, flagged = confusion.sum(axis=-1), confusion.sum(axis=-2)
    rows = actual.sum(axis=-1)
    together = np.trace(confusion, axis1=-2, axis2=-1) * rows - (actual * flagged).sum(axis=-1)
    spread = np.square(rows) - np.stack([np.square(actual).sum(axis=-1), np.square(flagged).sum(axis=-1)])
    return compute_share(together, np.sqrt(spread.clip(min=0).prod(axis=0)))


def compute_macro(values: Floats, present: NDArray[np.bool_]) -> Floats:
    """Average a measure over the classes that the data hold; NaN where it is undefined for one of them.

    Args:
        values: float64 …×K, a measure by class.
        present: bool K, which classes have rows in the data.

    Returns:
        float64 of the leading shape.

    Raises:
        ValueError: The number of classes differs.
    """
    if values.shape[-1:] != present.shape:
        raise ValueError(f"Expected one value for each of {present.shape} classes, got the shape {values.shape}.")
    return values[..., present].mean(axis=-1) if present.any() else np.full(values.shape[:-1], np.nan)


def compute_auc(
    positive: NDArray[np.bool_], scores: NDArray[np.floating[Any]], *, weights: NDArray[Any] | None = None
) -> Floats:
    """Compute the area under the receiver operating characteristic.

    It is the probability that a positive row scores above a negative one, a tie counting one half (the
    Mann–Whitney form; Hanley and McNeil 1982, doi 10.1148/radiology.143.1.7063747). Rows are sorted once for all
    resamples.

    Args:
        positive: bool N.
        scores: finite numbers N; higher means more likely positive.
        weights: whole numbers ≥ 0, N or R×N; each row counts once without them.

    Returns:
        float64 of the weights' leading shape; NaN without a positive or without a negative row.

    Raises:
        ValueError: Shapes differ, a score is not finite, or a weight is negative.

    Example:
        >>> float(compute_auc(np.array([False, True, True]), np.array([0.1, 0.1, 0.9])))
        0.75
    """
    positive, scores = _check_flags(positive), _check_finite(scores)
    weights = _check_weights(weights, _check_rows(positive, scores))
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))
    places = np.flatnonzero(positive[order])
    tie = np.searchsorted(starts, places, side="right") - 1
    ends = np.append(starts[1:], len(order))[tie]
    weights = weights[..., order]
    above, weights[..., places] = weights[..., places], 0
    below = np.cumsum(weights, axis=-1, out=weights)
    before = np.where(starts[tie] > 0, below[..., starts[tie] - 1], 0)
    wins = np.einsum("...p,...p->...", above, (before + below[..., ends - 1]) / 2)
    return compute_share(wins, above.sum(axis=-1) * below[..., -1])


def compute_class_aucs(
    labels: NDArray[np.integer[Any]],
    probabilities: NDArray[np.floating[Any]],
    *,
    weights: NDArray[Any] | None = None,
) -> Floats:
    """Compute each class's AUC, the class against all others.

    Args:
        labels: integer N, the true classes, 0 … K-1.
        probabilities: floats N×K in 0..1, each row adding up to 1.
        weights: whole numbers ≥ 0, N or R×N; each row counts once without them.

    Returns:
        float64 K or R×K; NaN for a class that has no rows, or all of them.

    Raises:
        ValueError: Shapes differ, or a value is out of its range.
    """
    probabilities = _check_probabilities(probabilities)
    labels = _check_classes(labels, probabilities.shape[1])
    weights = _check_weights(weights, _check_rows(labels, probabilities))
    columns = [compute_auc(labels == k, column, weights=weights) for k, column in enumerate(probabilities.T)]
    return np.stack(columns, axis=-1)


def compute_calibration_error(
    confidence: NDArray[np.floating[Any]],
    correct: NDArray[np.bool_],
    *,
    bins: int = 15,
    weights: NDArray[Any] | None = None,
) -> Floats:
    """Compute the expected calibration error over equally wide bins of confidence.

    The mean over the rows of |share correct − mean confidence| of their bin; bins are closed on the right
    (Guo, Pleiss, Sun and Weinberger 2017, doi 10.48550/arXiv.1706.04599). Give the greatest probability and whether
    its class is true for the usual top-label form, or the probability of a yes and whether it is a yes.

    Args:
        confidence: floats N in 0..1.
        correct: bool N.
        bins: Number of bins.
        weights: whole numbers ≥ 0, N or R×N; each row counts once without them.

    Returns:
        float64 of the weights' leading shape.

    Raises:
        ValueError: Shapes differ, or a value is out of its range.
    """
    if bins < 1:
        raise ValueError(f"Expected at least one bin, got {bins}.")
    confidence, correct = _check_shares(confidence), _check_flags(correct)
    weights = _check_weights(weights, _check_rows(confidence, correct))
    number = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.zeros((len(confidence), bins))
    gaps[np.arange(len(confidence)), number] = correct - confidence
    return compute_share(np.abs(weights @ gaps).sum(axis=-1), weights.sum(axis=-1))


def compute_brier(
    outcomes: NDArray[np.bool_], probabilities: NDArray[np.floating[Any]], *, weights: NDArray[Any] | None = None
) -> Floats:
    """Compute the Brier score, the mean squared distance of probabilities to what was true.

    With one column per class, the squares are added over the classes (0 … 2), as Brier 1950
    (doi 10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2) has it; for a yes-or-no question it is 0 … 1.

    Args:
        outcomes: bool N, or N×K with one true value in each row.
        probabilities: floats of the same shape in 0..1.
        weights: whole numbers ≥ 0, N or R×N; each row counts once without them.

    Returns:
        float64 of the weights' leading shape.

    Raises:
        ValueError: Shapes differ, or a value is out of its range.
    """
    if outcomes.shape != probabilities.shape:
        raise ValueError(f"Expected equal shapes, got {outcomes.shape} and {probabilities.shape}.")
    squares = np.square(_check_flags(outcomes) - _check_shares(probabilities))
    per_row = squares.sum(axis=1) if squares.ndim == 2 else squares
    weights = _check_weights(weights, len(per_row))
    return compute_share(weights @ per_row, weights.sum(axis=-1))


def compute_log_loss(
    labels: NDArray[np.integer[Any]],
    probabilities: NDArray[np.floating[Any]],
    *,
    weights: NDArray[Any] | None = None,
) -> Floats:
    """Compute the mean negative log-likelihood of the true classes in nats, the loss of cross-entropy.

    A probability below ``LEAST_PROBABILITY`` counts as that, so that one certain mistake is not infinitely bad.

    Args:
        labels: integer N, the true classes, 0 … K-1.
        probabilities: floats N×K in 0..1, each row adding up to 1.
        weights: whole numbers ≥ 0, N or R×N; each row counts once without them.

    Returns:
        float64 of the weights' leading shape.

    Raises:
        ValueError: Shapes differ, or a value is out of its range.

    Example:
        >>> float(compute_log_loss(np.array([0, 1]), np.array([[1.0, 0.0], [0.75, 0.25]])).round(4))
        0.6931
    """
    probabilities = _check_probabilities(probabilities)
    labels = _check_classes(labels, probabilities.shape[1])
    weights = _check_weights(weights, _check_rows(labels, probabilities))
    losses = -np.log(np.maximum(probabilities[np.arange(len(labels)), labels], LEAST_PROBABILITY))
    return compute_share(weights @ losses, weights.sum(axis=-1))


def compute_share(part: Any, whole: Any) -> Floats:
    """Divide, and give NaN where the whole is nothing.

    Args:
        part: Numbers of any shape.
        whole: Numbers of a shape that fits.

    Returns:
        float64 of the common shape.
    """
    part, whole = np.broadcast_arrays(np.asarray(part, float), np.asarray(whole, float))
    return np.asarray(np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole != 0))


def _check_square(confusion: Floats) -> None:
    if confusion.ndim < 2 or confusion.shape[-1] != confusion.shape[-2]:
        raise ValueError(f"Expected a square confusion matrix …×K×K, got the shape {confusion.shape}.")


def _check_rows(first: NDArray[Any], second: NDArray[Any]) -> int:
    if len(first) != len(second) or not len(first):
        raise ValueError(f"Expected two arrays of the same length, at least 1; got {len(first)} and {len(second)}.")
    return len(first)


def _check_classes(values: NDArray[Any], classes: int) -> NDArray[np.int64]:
    values = np.asarray(values)
    if values.ndim != 1 or values.dtype.kind not in "iu":
        raise ValueError(f"Expected classes as whole numbers N, got {values.dtype} of the shape {values.shape}.")
    if len(values) and (values.min() < 0 or values.max() >= classes):
        raise ValueError(f"Expected classes 0 … {classes - 1}, got {values.min()} … {values.max()}.")
    return values.astype(np.int64)


def _check_flags(values: NDArray[Any]) -> NDArray[np.bool_]:
    values = np.asarray(values)
    if values.dtype != np.bool_:
        raise ValueError(f"Expected true or false for every row, got {values.dtype}.")
    return values


def _check_finite(values: NDArray[Any]) -> Floats:
    values = np.asarray(values, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("Expected finite numbers, got NaN or infinity.")
    return values


def _check_shares(values: NDArray[Any]) -> Floats:
    values = _check_finite(values)
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        raise ValueError(f"Expected probabilities in 0..1, got {values.min()} … {values.max()}.")
    return values


def _check_probabilities(values: NDArray[Any]) -> Floats:
    values = _check_shares(values)
    if values.ndim != 2 or not np.allclose(values.sum(axis=1), 1, atol=1e-4):
        raise ValueError(f"Expected probabilities N×K with rows that add up to 1, got the shape {values.shape}.")
    return values


def _check_weights(weights: NDArray[Any] | None, rows: int) -> Floats:
    if weights is None:
        return np.ones(rows)
    weights = np.asarray(weights, dtype=np.float64)
    if weights.ndim not in (1, 2) or weights.shape[-1] != rows:
        raise ValueError(f"Expected weights {rows} or R×{rows}, got the shape {weights.shape}.")
    if weights.size and not weights.min() >= 0:
        raise ValueError("Expected weights that are not negative.")
    return weights

"""Probabilities that hold what they say where one temperature is not enough, and the choice between ways of scaling."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook.evaluation.calibration import fit_temperature
from secondlook.inference.bundle import Calibrator, Scaling
from secondlook.inference.predictor import scale_scores, soften

Floats = NDArray[np.float64]
Labels = NDArray[np.integer[Any]]

FOLDS = 10
RIDGES = (0.1, 0.01, 0.001)  # the stiffest first: it counts as the simplest of its kind
NEWTON_STEPS = 50
SMALL_STEP = 1e-9
DIGITS = 6
LEAST_PROBABILITY = 1e-12


def choose_scaling(
    scores: Floats, labels: Labels, groups: NDArray[Any], *, seed: int = 0
) -> tuple[float, Scaling | None, tuple[Calibrator, ...]]:
    """Choose between one temperature, vector and Dirichlet scaling by the loss on groups that each was not fitted on.

    The simplest one wins unless another is better by more than one standard error of the difference, taken over
    groups (the one-standard-error rule; Breiman, Friedman, Olshen and Stone 1984, doi 10.1201/9781315139470).

    Args:
        scores: float64 N×K, logits with the log prior added, of the calibration pictures.
        labels: integer N, the true classes.
        groups: N names of the lesions or patients; they are kept whole in ten folds.
        seed: Deals the folds.

    Returns:
        The temperature; the scaling that takes its place, or none; and all that was tried, the simplest first.
    """
    candidates = [("temperature", 0.0), *((kind, ridge) for kind in ("vector", "dirichlet") for ridge in RIDGES)]
    folds = deal_folds(groups, seed=seed)
    losses = np.stack([_measure_apart(kind, ridge, scores, labels, folds) for kind, ridge in candidates])
    names, number = np.unique(groups, return_inverse=True)
    best = int(losses.mean(axis=1).argmin())
    tried = []
    for (kind, ridge), own in zip(candidates, losses, strict=True):
        gaps = np.bincount(number, weights=own - losses[best])
        error = float(np.sqrt(len(names) * gaps.var()) / len(labels))
        tried.append(
            Calibrator(
                method=kind,
                ridge=ridge,
                loss=round(float(own.mean()), DIGITS),
                worse_by=round(float((own - losses[best]).mean()), DIGITS),
                error=round(error, DIGITS),
            )
        )
    chosen = next(one for one in tried if one.worse_by <= one.error)
    temperature = round(fit_temperature(scores, labels), DIGITS)
    scaling = None if chosen.method == "temperature" else fit_scaling(chosen.method, scores, labels, ridge=chosen.ridge)
    return temperature, scaling, tuple(tried)


def fit_scaling(method: str, scores: Floats, labels: Labels, *, ridge: float) -> Scaling:
    """Find the weights and biases that make the true classes most likely, kept near the one best temperature.

    The penalty is ``ridge / 2`` times the squared distance from the temperature's own weights and no bias, so that a
    label with few pictures stays where the temperature puts it. It is convex; Newton's method with halved steps.

    Args:
        method: ``vector`` or ``dirichlet``.
        scores: float64 N×K, logits with the log prior added.
        labels: integer N, the true classes.
        ridge: Above 0.

    Raises:
        ValueError: The method is unknown, or the ridge is not above 0.
    """
    if method not in ("vector", "dirichlet") or not ridge > 0:
        raise ValueError(f"Expected vector or dirichlet and a ridge above 0, got {method!r} and {ridge}.")
    classes = scores.shape[1]
    start = np.concatenate([np.eye(classes) / fit_temperature(scores, labels), np.zeros((classes, 1))], axis=1)
    features = scores if method == "vector" else np.log(np.maximum(soften(scores), 1e-300))
    design = np.concatenate([features, np.ones((len(features), 1))], axis=1)
    free = np.ones_like(start, dtype=bool)
    if method == "vector":
        free[:, :-1] = np.eye(classes, dtype=bool)
    found = _descend(design, labels, start, free, ridge=ridge)
    rows = np.round(found, DIGITS)
    return Scaling.model_validate(
        {"method": method, "weight": [tuple(row) for row in rows[:, :-1].tolist()], "bias": rows[:, -1].tolist()}
    )


def deal_folds(groups: NDArray[Any], *, seed: int) -> NDArray[np.int64]:
    """Return the fold of every row, groups whole; at most ``FOLDS``, and never fewer than two."""
    names, number = np.unique(groups, return_inverse=True)
    places = np.random.default_rng(seed).permutation(len(names)) % max(2, min(FOLDS, len(names)))
    return np.asarray(places[number], dtype=np.int64)


def _measure_apart(kind: str, ridge: float, scores: Floats, labels: Labels, folds: NDArray[np.int64]) -> Floats:
    """Return each row's negative log-likelihood under the scaling that was fitted on the other folds."""
    losses = np.empty(len(labels))
    for fold in np.unique(folds):
        held = folds == fold
        if kind == "temperature":
            probabilities = soften(scores[held] / fit_temperature(scores[~held], labels[~held]))
        else:
            scaling = fit_scaling(kind, scores[~held], labels[~held], ridge=ridge)
            probabilities = soften(scale_scores(scores[held], scaling))
        losses[held] = -np.log(np.maximum(probabilities[np.arange(held.sum()), labels[held]], LEAST_PROBABILITY))
    return losses


def _descend(design: Floats, labels: Labels, start: Floats, free: NDArray[np.bool_], *, ridge: float) -> Floats:
    """Return the weights K×P that minimise the penalised loss; those that are not free stay as they are."""
    truth = np.arange(len(start)) == labels[:, None]

    def measure(weights: Floats) -> float:
        probabilities = soften(design @ weights.T)
        likelihood = np.log(np.maximum(probabilities[truth], 1e-300)).mean()
        return float(ridge / 2 * np.square(weights - start).sum() - likelihood)

    weights, loss, places = start, measure(start), free.ravel()
    for _ in range(NEWTON_STEPS):
        gradient, hessian = _differentiate(design, truth, weights, start, ridge)
        step = np.zeros(weights.size)
        step[places] = np.linalg.solve(hessian[np.ix_(places, places)], gradient.ravel()[places])
        length = 1.0
        while length > SMALL_STEP and measure(weights - length * step.reshape(weights.shape)) > loss:
            length /= 2
        weights = weights - length * step.reshape(weights.shape)
        before, loss = loss, measure(weights)
        if before - loss < SMALL_STEP:
            break
    return weights


def _differentiate(
    design: Floats, truth: NDArray[np.bool_], weights: Floats, start: Floats, ridge: float
) -> tuple[Floats, Floats]:
    """Return the gradient K×P and the Hessian KP×KP of the penalised loss."""
    rows, (classes, width) = len(design), weights.shape
    probabilities = soften(design @ weights.T)
    gradient = (probabilities - truth).T @ design / rows + ridge * (weights - start)
    hessian = np.zeros((classes, width, classes, width))
    for one, other in np.ndindex(classes, classes):
        spread = probabilities[:, one] * ((one == other) - probabilities[:, other])
        hessian[one, :, other, :] = (design * spread[:, None]).T @ design / rows
    return gradient, hessian.reshape(weights.size, weights.size) + ridge * np.eye(weights.size)

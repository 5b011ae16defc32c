"""How far a picture's embedding lies from those of the pictures that a model was calibrated on.

Evaluation chooses method and limit with the very scorer that serving applies, so what is measured is what is served.
"""

from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class OutlierMethod(StrEnum):
    """Ways of scoring; a higher score is always further from the reference."""

    KNN = "knn"
    MAHALANOBIS = "mahalanobis"


class OutlierScorer(Protocol):
    """Scores embeddings against a fitted reference."""

    def score(self, embedding: NDArray[np.floating]) -> Floats:
        """Return float64 N for float N×D embeddings; higher is further away."""
        ...


class NeighbourScorer:
    """Cosine distance (0…2) to the k-th nearest reference embedding.

    Sun, Ming, Zhu, Li 2022, "Out-of-Distribution Detection with Deep Nearest Neighbors", ICML,
    doi 10.48550/arXiv.2204.06507.

    Args:
        reference: float M×D embeddings.
        neighbours: k; at most M is used.
    """

    def __init__(self, reference: NDArray[np.floating], *, neighbours: int) -> None:
        self._reference = scale_rows(reference)
        self._rank = min(neighbours, len(reference)) - 1

    def score(self, embedding: NDArray[np.floating]) -> Floats:
        """Return float64 N for float N×D embeddings; higher is further away."""
        # Row by row: a matrix product rounds differently with the number of rows, and a batch must equal singles.
        distances = (1.0 - self._reference @ row for row in scale_rows(embedding))
        return np.array([np.partition(row, self._rank)[self._rank] for row in distances], dtype=np.float64)


class MahalanobisScorer:
    """Smallest Mahalanobis distance to a class mean, with one covariance for all classes.

    Lee, Lee, Lee, Shin 2018, "A Simple Unified Framework for Detecting Out-of-Distribution Samples and Adversarial
    Attacks", NeurIPS, doi 10.48550/arXiv.1807.03888. The covariance is shrunk towards its diagonal mean
    (Ledoit, Wolf 2004, doi 10.1016/S0047-259X(03)00096-4) because there may be fewer pictures than dimensions.

    Args:
        reference: float M×D embeddings.
        label: int M, the class of each.
        shrinkage: Share of the spherical part in the covariance, above 0 up to 1.
    """

    def __init__(self, reference: NDArray[np.floating], label: NDArray[np.integer], *, shrinkage: float) -> None:
        values = reference.astype(np.float64)
        classes, index = np.unique(label, return_inverse=True)
        means = np.stack([values[label == key].mean(axis=0) for key in classes])
        residual = values - means[index]
        covariance = residual.T @ residual / len(values)
        mean_variance = float(np.trace(covariance)) / covariance.shape[0]
        shrunk = (1 - shrinkage) * covariance + shrinkage * max(mean_variance, 1e-12) * np.eye(covariance.shape[0])
        self._whitening = np.linalg.inv(np.linalg.cholesky(shrunk))
        self._means = means @ self._whitening.T

    def score(self, embedding: NDArray[np.floating]) -> Floats:
        """Return float64 N for float N×D embeddings; higher is further away."""
        # Row by row for the same reason as above.
        rows = (self._whitening @ row for row in embedding.astype(np.float64))
        return np.array([np.sqrt(((self._means - row) ** 2).sum(axis=1).min()) for row in rows], dtype=np.float64)


def fit_scorer(
    method: OutlierMethod,
    reference: NDArray[np.floating],
    label: NDArray[np.integer],
    *,
    neighbours: int = 10,
    shrinkage: float = 0.1,
) -> OutlierScorer:
    """Return the scorer of a method, fitted to reference embeddings.

    Args:
        method: How to score.
        reference: float M×D embeddings of pictures that belong.
        label: int M, the class of each, in the order of the task's labels.
        neighbours: For ``knn``, which nearest neighbour's distance counts.
        shrinkage: For ``mahalanobis``, share of the spherical part in the covariance.
    """
    if method is OutlierMethod.KNN:
        return NeighbourScorer(reference, neighbours=neighbours)
    return MahalanobisScorer(reference, label, shrinkage=shrinkage)


def scale_rows(values: NDArray[np.floating]) -> Floats:
    """Return float64 N×D rows of Euclidean length one; a row of zeros stays as it is."""
    rows = values.astype(np.float64)
    lengths = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    return np.asarray(rows / np.maximum(lengths, 1e-12))

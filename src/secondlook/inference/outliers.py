"""How strange a picture is to a model: by its embedding, its logits, or both, against the calibration pictures.

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
    ENERGY = "energy"
    VIM = "vim"


class OutlierScorer(Protocol):
    """Scores what a graph gives for pictures; some methods look at the embeddings alone, some at the logits alone."""

    def score(self, embedding: NDArray[np.floating], logits: NDArray[np.floating]) -> Floats:
        """Return float64 N for float N×D embeddings and float N×K logits; higher is further away."""
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

    def score(self, embedding: NDArray[np.floating], logits: NDArray[np.floating]) -> Floats:  # noqa: ARG002
        """Return float64 N for float N×D embeddings, whatever the logits; higher is further away."""
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

    def score(self, embedding: NDArray[np.floating], logits: NDArray[np.floating]) -> Floats:  # noqa: ARG002
        """Return float64 N for float N×D embeddings, whatever the logits; higher is further away."""
        # Row by row for the same reason as above.
        rows = (self._whitening @ row for row in embedding.astype(np.float64))
        return np.array([np.sqrt(((self._means - row) ** 2).sum(axis=1).min()) for row in rows], dtype=np.float64)


class EnergyScorer:
    """Minus the log sum of exponentials of the logits; it needs no reference.

    Liu, Wang, Owens, Li 2020, "Energy-based Out-of-distribution Detection", NeurIPS, doi 10.48550/arXiv.2010.03759.
    """

    def score(self, embedding: NDArray[np.floating], logits: NDArray[np.floating]) -> Floats:  # noqa: ARG002
        """Return float64 N for float N×K logits, whatever the embeddings; higher is stranger."""
        return measure_energy(logits)


class VirtualLogitScorer:
    """Length of the embedding's part outside the reference's principal directions, as one more logit, plus the energy.

    Wang, Li, Feng, Zhang 2022, "ViM: Out-Of-Distribution with Virtual-logit Matching", CVPR,
    doi 10.1109/CVPR52688.2022.00487. The directions start from the reference's mean; the paper starts them from the
    classifier's own origin, which a bundle need not have.

    Args:
        reference: float M×D embeddings.
        components: Number of principal directions; at most D - 1 are taken out.
        scale: What makes the length comparable with logits, see :func:`match_scale`.
    """

    def __init__(self, reference: NDArray[np.floating], *, components: int, scale: float) -> None:
        values = reference.astype(np.float64)
        self._mean = values.mean(axis=0)
        residual = values - self._mean
        _, directions = np.linalg.eigh(residual.T @ residual)  # ascending
        self._outside = directions[:, : max(1, values.shape[1] - components)].T
        self._scale = scale

    def measure_lengths(self, embedding: NDArray[np.floating]) -> Floats:
        """Return float64 N, the length of what the principal directions leave of float N×D embeddings."""
        # Row by row for the same reason as above.
        return np.array([np.linalg.norm(self._outside @ (row - self._mean)) for row in embedding.astype(np.float64)])

    def score(self, embedding: NDArray[np.floating], logits: NDArray[np.floating]) -> Floats:
        """Return float64 N for float N×D embeddings and float N×K logits; higher is stranger."""
        return self._scale * self.measure_lengths(embedding) + measure_energy(logits)


def match_scale(embedding: NDArray[np.floating], logits: NDArray[np.floating], *, components: int) -> float:
    """Return the scale that makes ViM's virtual logit as large as the greatest logit, on average over pictures.

    Args:
        embedding: float M×D, of pictures that belong.
        logits: float M×K, of the same pictures.
        components: Number of principal directions.
    """
    lengths = VirtualLogitScorer(embedding, components=components, scale=1.0).measure_lengths(embedding)
    return float(np.abs(logits.astype(np.float64)).max(axis=1).mean() / max(lengths.mean(), 1e-12))


def fit_scorer(
    method: OutlierMethod,
    reference: NDArray[np.floating],
    label: NDArray[np.integer],
    *,
    neighbours: int = 10,
    shrinkage: float = 0.1,
    components: int = 64,
    scale: float = 1.0,
) -> OutlierScorer:
    """Return the scorer of a method, fitted to reference embeddings.

    Args:
        method: How to score.
        reference: float M×D embeddings of pictures that belong.
        label: int M, the class of each, in the order of the task's labels.
        neighbours: For ``knn``, which nearest neighbour's distance counts.
        shrinkage: For ``mahalanobis``, share of the spherical part in the covariance.
        components: For ``vim``, number of principal directions.
        scale: For ``vim``, how a length outside them compares with a logit.
    """
    if method is OutlierMethod.KNN:
        return NeighbourScorer(reference, neighbours=neighbours)
    if method is OutlierMethod.ENERGY:
        return EnergyScorer()
    if method is OutlierMethod.VIM:
        return VirtualLogitScorer(reference, components=components, scale=scale)
    return MahalanobisScorer(reference, label, shrinkage=shrinkage)


def measure_energy(logits: NDArray[np.floating]) -> Floats:
    """Return float64 N, minus the log sum of exponentials of float N×K logits."""
    return np.asarray(-np.logaddexp.reduce(logits.astype(np.float64), axis=1))


def scale_rows(values: NDArray[np.floating]) -> Floats:
    """Return float64 N×D rows of Euclidean length one; a row of zeros stays as it is."""
    rows = values.astype(np.float64)
    lengths = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    return np.asarray(rows / np.maximum(lengths, 1e-12))

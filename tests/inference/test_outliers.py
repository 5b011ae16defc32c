import numpy as np
import pytest
from sklearn.covariance import EmpiricalCovariance
from sklearn.neighbors import NearestNeighbors

from secondlook.inference.outliers import MahalanobisScorer, NeighbourScorer, OutlierMethod, fit_scorer


@pytest.fixture
def reference() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 3, 200)
    return rng.normal(0, 1, (200, 12)) + 6 * np.eye(3, 12)[label], label


def test_neighbour_distance_is_scikit_learns(reference) -> None:
    embedding, _ = reference
    new = np.random.default_rng(1).normal(0, 2, (20, 12))
    distances, _ = NearestNeighbors(n_neighbors=7, metric="cosine").fit(embedding).kneighbors(new)
    np.testing.assert_allclose(NeighbourScorer(embedding, neighbours=7).score(new), distances[:, 6], atol=1e-12)


def test_mahalanobis_distance_is_scikit_learns(reference) -> None:
    embedding, label = reference
    new = np.random.default_rng(1).normal(0, 2, (20, 12))
    means = np.stack([embedding[label == key].mean(axis=0) for key in range(3)])
    model = EmpiricalCovariance(assume_centered=True).fit(embedding - means[label])
    expected = np.sqrt(np.stack([model.mahalanobis(new - mean) for mean in means]).min(axis=0))
    np.testing.assert_allclose(MahalanobisScorer(embedding, label, shrinkage=1e-9).score(new), expected, rtol=1e-5)


@pytest.mark.parametrize("method", OutlierMethod)
def test_far_pictures_score_higher_than_near_ones(reference, method: OutlierMethod) -> None:
    embedding, label = reference
    scorer = fit_scorer(method, embedding[:150].astype(np.float16), label[:150], neighbours=5)
    near, far = embedding[150:], -embedding[150:] * 3
    assert np.quantile(scorer.score(far), 0.1) > np.quantile(scorer.score(near), 0.9)


@pytest.mark.parametrize("method", OutlierMethod)
def test_a_batch_scores_exactly_as_singles(reference, method: OutlierMethod) -> None:
    embedding, label = reference
    scorer = fit_scorer(method, embedding, label)
    new = np.random.default_rng(1).normal(0, 2, (17, 12)).astype(np.float32)
    assert scorer.score(new).tolist() == [float(scorer.score(row[None])[0]) for row in new]


def test_fewer_pictures_than_dimensions_or_neighbours_still_score() -> None:
    rng = np.random.default_rng(0)
    embedding, label = rng.normal(0, 1, (4, 30)), np.array([0, 0, 1, 1])
    for method in OutlierMethod:
        assert np.isfinite(fit_scorer(method, embedding, label, neighbours=10).score(embedding)).all()


def test_a_reference_of_zeros_does_not_divide_by_zero() -> None:
    assert NeighbourScorer(np.zeros((3, 4)), neighbours=1).score(np.ones((1, 4))).tolist() == [1.0]

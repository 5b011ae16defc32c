import numpy as np
import pytest
from sklearn.covariance import EmpiricalCovariance
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from secondlook.inference.outliers import (
    MahalanobisScorer,
    NeighbourScorer,
    OutlierMethod,
    VirtualLogitScorer,
    fit_scorer,
    match_scale,
)

NO_LOGITS = np.zeros((1, 3))


def classify(embedding):
    """Return logits that are sure of pictures that belong."""
    return np.asarray(embedding)[:, :3] * 2


@pytest.fixture
def reference() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 3, 200)
    return rng.normal(0, 1, (200, 12)) + 6 * np.eye(3, 12)[label], label


def test_neighbour_distance_is_scikit_learns(reference) -> None:
    embedding, _ = reference
    new = np.random.default_rng(1).normal(0, 2, (20, 12))
    distances, _ = NearestNeighbors(n_neighbors=7, metric="cosine").fit(embedding).kneighbors(new)
    np.testing.assert_allclose(
        NeighbourScorer(embedding, neighbours=7).score(new, NO_LOGITS), distances[:, 6], atol=1e-12
    )


def test_mahalanobis_distance_is_scikit_learns(reference) -> None:
    embedding, label = reference
    new = np.random.default_rng(1).normal(0, 2, (20, 12))
    means = np.stack([embedding[label == key].mean(axis=0) for key in range(3)])
    model = EmpiricalCovariance(assume_centered=True).fit(embedding - means[label])
    expected = np.sqrt(np.stack([model.mahalanobis(new - mean) for mean in means]).min(axis=0))
    np.testing.assert_allclose(
        MahalanobisScorer(embedding, label, shrinkage=1e-9).score(new, NO_LOGITS), expected, rtol=1e-5
    )


# Energy sees the logits alone, and far pictures may well have large ones.
@pytest.mark.parametrize("method", [method for method in OutlierMethod if method is not OutlierMethod.ENERGY])
def test_far_pictures_score_higher_than_near_ones(reference, method: OutlierMethod) -> None:
    embedding, label = reference
    scorer = fit_scorer(method, embedding[:150].astype(np.float16), label[:150], neighbours=5)
    near, far = embedding[150:], -embedding[150:] * 3
    assert np.quantile(scorer.score(far, classify(far)), 0.1) > np.quantile(scorer.score(near, classify(near)), 0.9)


@pytest.mark.parametrize("method", OutlierMethod)
def test_a_batch_scores_exactly_as_singles(reference, method: OutlierMethod) -> None:
    embedding, label = reference
    scorer = fit_scorer(method, embedding, label)
    new = np.random.default_rng(1).normal(0, 2, (17, 12)).astype(np.float32)
    assert scorer.score(new, classify(new)).tolist() == [
        float(scorer.score(row[None], classify(row[None]))[0]) for row in new
    ]


def test_fewer_pictures_than_dimensions_or_neighbours_still_score() -> None:
    rng = np.random.default_rng(0)
    embedding, label = rng.normal(0, 1, (4, 30)), np.array([0, 0, 1, 1])
    for method in OutlierMethod:
        assert np.isfinite(
            fit_scorer(method, embedding, label, neighbours=10).score(embedding, classify(embedding))
        ).all()


def test_a_reference_of_zeros_does_not_divide_by_zero() -> None:
    assert NeighbourScorer(np.zeros((3, 4)), neighbours=1).score(np.ones((1, 4)), NO_LOGITS).tolist() == [1.0]


def test_energy_is_minus_the_log_sum_of_exponentials() -> None:
    logits = np.array([[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]], dtype=np.float32)
    scores = fit_scorer(OutlierMethod.ENERGY, np.ones((2, 2)), np.zeros(2)).score(np.ones((2, 2)), logits)
    np.testing.assert_allclose(scores, [-np.log(3), -np.log(np.exp(logits[1].astype(float)).sum())], rtol=1e-6)


def test_the_virtual_logit_is_the_length_that_the_principal_directions_leave(reference) -> None:
    embedding, _ = reference
    new = np.random.default_rng(1).normal(0, 2, (20, 12))
    rest = new - PCA(5).fit(embedding).inverse_transform(PCA(5).fit(embedding).transform(new))
    lengths = VirtualLogitScorer(embedding, components=5, scale=1.0).measure_lengths(new)
    np.testing.assert_allclose(lengths, np.linalg.norm(rest, axis=1), rtol=1e-9)
    scale = match_scale(embedding, classify(embedding), components=5)
    own = VirtualLogitScorer(embedding, components=5, scale=scale).measure_lengths(embedding)
    assert (scale * own).mean() == pytest.approx(np.abs(classify(embedding)).max(axis=1).mean())
    scores = VirtualLogitScorer(embedding, components=5, scale=scale).score(new, classify(new))
    expected = scale * lengths - np.log(np.exp(classify(new)).sum(axis=1))
    np.testing.assert_allclose(scores, expected, rtol=1e-9)

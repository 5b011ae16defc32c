"""The outlier limit: no picture is judged with the help of its own lesion."""

import numpy as np
import pytest

from secondlook.evaluation.outliers import choose_limit, fit_outlier_limit, score_apart
from secondlook.inference.outliers import OutlierMethod, fit_scorer

METHODS = [(OutlierMethod.KNN, {"neighbours": 1}), (OutlierMethod.MAHALANOBIS, {"shrinkage": 0.1})]


def make_embeddings(lesions=60, seed=0):
    random = np.random.default_rng(seed)
    centres = random.normal(size=(lesions, 16)) + 2
    label = np.repeat(np.arange(lesions) % 3, 2)
    embedding = np.repeat(centres, 2, axis=0) + random.normal(size=(2 * lesions, 16)) * 0.01
    return embedding.astype(np.float32), label, np.repeat([f"lesion {number}" for number in range(lesions)], 2)


@pytest.mark.parametrize(("method", "parameters"), METHODS)
def test_a_score_does_not_see_the_pictures_of_the_same_lesion(method, parameters):
    embedding, label, groups = make_embeddings()
    apart = score_apart(embedding, label, groups, method=method, **parameters)
    together = fit_scorer(method, embedding, label, **parameters).score(embedding)
    assert (apart > together).mean() > 0.9
    mine = groups == groups[0]
    alone = fit_scorer(method, embedding[~mine].astype(np.float16), label[~mine], **parameters).score(embedding[:1])
    assert apart[0] == pytest.approx(alone[0], rel=0.2)


def test_with_few_lesions_each_is_scored_against_all_the_others():
    embedding, label, groups = make_embeddings(lesions=5)
    apart = score_apart(embedding, label, groups, method=OutlierMethod.KNN, neighbours=1)
    for row in range(len(groups)):
        others = groups != groups[row]
        scorer = fit_scorer(OutlierMethod.KNN, embedding[others].astype(np.float16), label[others], neighbours=1)
        assert apart[row] == scorer.score(embedding[row : row + 1])[0]


def test_the_limit_refuses_at_most_its_share_and_not_one_less():
    scores = np.random.default_rng(0).random(1000)
    limit = choose_limit(scores, share=0.02)
    assert (scores > limit).sum() == 20
    assert choose_limit(np.arange(10.0), share=0.02) == 9


@pytest.mark.parametrize(("method", "parameters"), METHODS)
def test_a_fitted_limit_refuses_what_lies_elsewhere(method, parameters):
    embedding, label, groups = make_embeddings()
    limit = fit_outlier_limit(embedding, label, groups, method=method, **parameters)
    scorer = fit_scorer(limit.method, embedding.astype(np.float16), label, **parameters)
    elsewhere = -make_embeddings(seed=1)[0]
    assert (scorer.score(elsewhere) > limit.limit).all()
    assert (score_apart(embedding, label, groups, method=method, **parameters) > limit.limit).mean() <= 0.02


def test_one_lesion_or_no_score_is_refused():
    embedding, label, groups = make_embeddings(lesions=1)
    with pytest.raises(ValueError, match="two lesions"):
        score_apart(embedding, label, groups, method=OutlierMethod.KNN)
    with pytest.raises(ValueError, match="scores"):
        choose_limit(np.array([]))

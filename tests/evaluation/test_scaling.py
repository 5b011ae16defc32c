"""Ways of scaling: the optimum against scikit-learn and SciPy, and the choice that keeps to the simple."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from secondlook.evaluation.calibration import fit_temperature
from secondlook.evaluation.scaling import choose_scaling, deal_folds, fit_scaling
from secondlook.inference.predictor import scale_scores, soften


def draw_rows(rows, *, weight=(1, 1, 1), bias=(0, 0, 0), seed=0):
    random = np.random.default_rng(seed)
    scores = random.normal(size=(rows, 3)) * 2
    truth = soften(scores * np.array(weight) + np.array(bias))
    return scores, np.array([random.choice(3, p=row) for row in truth]), np.arange(rows) // 2


def test_vector_scaling_is_the_penalised_optimum():
    scores, labels, _ = draw_rows(400, weight=(1, 0.4, 1.5), bias=(0, 1, -1))
    found = fit_scaling("vector", scores, labels, ridge=0.01)
    start = np.concatenate([np.full(3, 1 / fit_temperature(scores, labels)), np.zeros(3)])

    def loss(point):
        probabilities = soften(scores * point[:3] + point[3:])
        return 0.005 * np.square(point - start).sum() - np.log(probabilities[np.arange(400), labels]).mean()

    best = minimize(loss, start, method="BFGS", options={"gtol": 1e-8}).x
    assert np.diag(np.array(found.weight)) == pytest.approx(best[:3], abs=1e-4)
    assert found.bias == pytest.approx(best[3:], abs=1e-4)
    off = np.array(found.weight)[~np.eye(3, dtype=bool)]
    assert not off.any()


def test_dirichlet_scaling_without_much_penalty_is_a_logistic_regression_on_log_probabilities():
    scores, labels, _ = draw_rows(500, weight=(1, 0.6, 1.3), bias=(0.5, 0, -0.5))
    found = fit_scaling("dirichlet", scores, labels, ridge=1e-7)
    features = np.log(soften(scores))
    reference = LogisticRegression(C=1e5, tol=1e-10, max_iter=5000).fit(features, labels)
    assert soften(scale_scores(scores, found)) == pytest.approx(reference.predict_proba(features), abs=1e-3)


def test_one_temperature_is_kept_where_it_is_enough():
    scores, labels, groups = draw_rows(600, weight=(0.5, 0.5, 0.5))
    temperature, scaling, tried = choose_scaling(scores, labels, groups)
    assert scaling is None
    assert temperature == pytest.approx(2, rel=0.15)
    assert tried[0].method == "temperature"
    assert min(one.worse_by for one in tried) == 0
    assert len(tried) == 7


def test_labels_that_need_it_get_weights_of_their_own():
    scores, labels, groups = draw_rows(600, weight=(1, 0.2, 1), bias=(0, 1.5, -1))
    _, scaling, tried = choose_scaling(scores, labels, groups)
    assert scaling is not None
    assert scaling.method == "vector"
    assert tried[0].worse_by > tried[0].error


def test_folds_keep_groups_whole():
    groups = np.array(["b", "a", "b", "c", "a", "d"])
    folds = deal_folds(groups, seed=3)
    assert {len(set(folds[groups == name])) for name in "abcd"} == {1}
    assert len(set(folds)) == 4


def test_a_batch_is_scaled_as_singles_are():
    scores, labels, _ = draw_rows(50)
    for method in ("vector", "dirichlet"):
        scaling = fit_scaling(method, scores, labels, ridge=0.1)
        singles = np.stack([scale_scores(row, scaling) for row in scores])
        assert np.array_equal(scale_scores(scores, scaling), singles)


@pytest.mark.parametrize(("method", "ridge"), [("platt", 0.1), ("vector", 0.0)])
def test_other_methods_are_refused(method, ridge):
    with pytest.raises(ValueError, match="Expected vector or dirichlet"):
        fit_scaling(method, np.zeros((2, 2)), np.zeros(2, dtype=int), ridge=ridge)

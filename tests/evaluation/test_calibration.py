"""The temperature against SciPy's minimiser; class shares as counted."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn.metrics import log_loss

from secondlook.evaluation.calibration import TEMPERATURES, fit_temperature, measure_log_prior


def softmax(scores):
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("stretch", [0.5, 1.0, 3.0])
def test_temperature_equals_scipy_and_undoes_a_stretch(stretch):
    random = np.random.default_rng(1)
    scores = random.normal(size=(4000, 5)) * 2
    labels = np.array([random.choice(5, p=row) for row in softmax(scores)])
    found = fit_temperature(scores * stretch, labels)
    loss = lambda t: log_loss(labels, softmax(scores * stretch / np.exp(t)))  # noqa: E731
    expected = np.exp(minimize_scalar(loss, bounds=np.log(TEMPERATURES), method="bounded").x)
    assert found == pytest.approx(expected, rel=1e-3)
    assert found == pytest.approx(stretch, rel=0.1)


def test_answers_that_are_always_right_meet_the_lower_bound():
    assert fit_temperature(np.eye(3) * 5, np.arange(3)) == pytest.approx(TEMPERATURES[0], rel=1e-6)


def test_scores_without_rows_or_without_sense_are_refused():
    for scores in (np.empty((0, 3)), np.array([[np.inf, 0, 0]])):
        with pytest.raises(ValueError, match="finite scores"):
            fit_temperature(scores, np.zeros(len(scores), dtype=int))


def test_log_prior_is_the_class_share_and_leaves_no_class_impossible():
    shares = np.exp(measure_log_prior(np.array([0] * 80 + [1] * 20), classes=3))
    assert shares == pytest.approx([0.793, 0.202, 0.005], abs=1e-3)
    assert shares.sum() == pytest.approx(1)

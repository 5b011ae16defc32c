"""Net benefit, counted picture by picture."""

import numpy as np
import pytest

from secondlook.evaluation.decision import THRESHOLDS, compute_net_benefit, measure_decision
from tests.evaluation.test_measures import make_answers


def test_net_benefit_is_finds_less_false_alarms_at_their_price():
    random = np.random.default_rng(0)
    positive, risk = random.random(50) < 0.3, random.random(50)
    weights = random.integers(0, 3, (2, 50)).astype(float)
    for threshold in (0.05, 0.2, 0.5):
        found = compute_net_benefit(positive, risk >= threshold, threshold, weights=weights)
        for own, value in zip(weights, found, strict=True):
            finds = sum(own[row] for row in range(50) if risk[row] >= threshold and positive[row])
            alarms = sum(own[row] for row in range(50) if risk[row] >= threshold and not positive[row])
            assert value == pytest.approx((finds - alarms * threshold / (1 - threshold)) / own.sum())


def test_a_threshold_of_certainty_is_refused():
    with pytest.raises(ValueError, match="below 1"):
        compute_net_benefit(np.ones(1, dtype=bool), np.ones(1, dtype=bool), 1.0)


def test_the_curve_knows_where_a_perfect_model_is_useful_and_a_blind_one_is_not():
    alarming = np.arange(200) % 4 == 0
    sizes = {"triage": np.full(200, "routine"), "outlier": np.zeros(200, dtype=bool), "labels": None}
    facts = {"alarming": alarming, "groups": np.arange(200).astype(str), "predicted": np.zeros(200, dtype=int), **sizes}
    perfect = measure_decision(make_answers(risk=alarming * 0.98 + 0.01, **facts), seed=0, resamples=200)
    blind = measure_decision(make_answers(risk=np.full(200, 0.25), **facts), seed=0, resamples=200)
    assert len(perfect["useful"]) > 50
    assert perfect["model"]["value"][-1] == pytest.approx(0.25)
    assert blind["useful"] == []
    assert perfect["all"][0] == pytest.approx(0.25 - 0.75 * 0.01 / 0.99, abs=1e-4)
    assert len(perfect["all"]) == len(THRESHOLDS)

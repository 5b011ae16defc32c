"""Calibration errors against loops that count, and what scaling is seen to do."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from secondlook.evaluation.reliability import compute_adaptive_error, cut_equally, measure_reliability
from secondlook.inference.predictor import soften
from tests.evaluation.test_measures import make_answers


def test_bins_hold_equally_many_rows_and_ties_stay_together():
    places = cut_equally(np.random.default_rng(0).random(100), bins=10)
    assert np.bincount(places).tolist() == [10] * 10
    assert len(set(cut_equally(np.array([0.5] * 30 + [0.9] * 70), bins=10))) == 2


def test_the_adaptive_error_is_counted_bin_by_bin():
    random = np.random.default_rng(1)
    confidence = random.random(97)
    correct = random.random(97) < confidence**2
    weights = random.integers(0, 3, (2, 97)).astype(float)
    places = cut_equally(confidence, bins=15)
    for own, found in zip(weights, compute_adaptive_error(confidence, correct, weights=weights), strict=True):
        gaps = [
            abs((own[rows] * correct[rows]).sum() - (own[rows] * confidence[rows]).sum())
            for rows in (places == place for place in range(15))
        ]
        assert found == pytest.approx(sum(gaps) / own.sum())


def make_scaled(stretch, rows=600):
    random = np.random.default_rng(2)
    scores = random.normal(size=(rows, 2)) * 2
    truth = soften(scores)
    labels = (random.random(rows) < truth[:, 1]).astype(int)
    return make_answers(
        labels=labels,
        alarming=labels == 0,
        predicted=scores.argmax(axis=1),
        probabilities=truth,
        risk=truth[:, 0],
        triage=np.full(rows, "routine"),
        outlier=np.zeros(rows, dtype=bool),
        groups=np.arange(rows).astype(str),
        scores=scores * stretch,
        alarming_columns=(0,),
    )


def test_scaling_is_seen_to_mend_what_was_stretched():
    answers = make_scaled(3.0)
    reliability = measure_reliability(answers, seed=0, resamples=100)
    for subject in ("risk", "label"):
        before, after = reliability[subject]["before"], reliability[subject]["after"]
        for error in ("expected_calibration_error", "adaptive_calibration_error", "brier"):
            assert before[error]["value"] > after[error]["value"] + 0.01
        assert sum(part["pictures"] for part in after["bins"]) == 600
    after = reliability["risk"]["after"]
    assert after["brier"]["value"] == pytest.approx(brier_score_loss(answers.alarming, answers.risk), abs=1e-4)
    loss = log_loss(answers.labels, answers.probabilities)
    assert reliability["label"]["after"]["log_loss"]["value"] == pytest.approx(loss, abs=1e-4)


def test_without_scores_only_the_answers_themselves_are_measured():
    reliability = measure_reliability(make_answers(labels=None), seed=0, resamples=100)
    assert set(reliability) == {"risk"}
    assert set(reliability["risk"]) == {"after"}

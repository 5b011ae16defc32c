"""Curves against scikit-learn, and weights against rows that are repeated."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_curve

from secondlook.evaluation.curves import (
    GRID,
    compute_average_precision,
    find_specificity,
    interpolate_precision,
    interpolate_roc,
    measure_curves,
    trace_roc,
)
from tests.evaluation.test_measures import make_answers


@pytest.fixture(params=[0, 1])
def rows(request):
    random = np.random.default_rng(request.param)
    positive = random.random(80) < 0.3
    return positive, np.round(random.normal(size=80) + positive, 1 if request.param else 9)


@pytest.fixture
def weights():
    return np.random.default_rng(5).integers(0, 4, (3, 80)).astype(float)


def test_the_roc_is_scikit_learns(rows, weights):
    positive, scores = rows
    expected = roc_curve(positive, scores, drop_intermediate=False)
    assert trace_roc(positive, scores) == pytest.approx(np.stack(expected[:2]))
    found = interpolate_roc(positive, scores, weights)
    for own, row in zip(weights, found, strict=True):
        alarms, hits, _ = roc_curve(positive, scores, sample_weight=own)
        assert row == pytest.approx(np.interp(GRID, alarms, hits), abs=1e-9)


def test_average_precision_is_scikit_learns(rows, weights):
    found = compute_average_precision(*rows, weights=weights)
    expected = [average_precision_score(*rows, sample_weight=own) for own in weights]
    assert found == pytest.approx(expected)


def test_precision_is_that_of_the_highest_threshold_that_reaches_the_recall(rows):
    precision, recall, _ = precision_recall_curve(*rows)
    # From the highest recall down to none, the last point made up.
    expected = [precision[:-1][recall[:-1] >= share - 1e-9][-1] for share in GRID]
    assert interpolate_precision(*rows, np.ones((1, 80)))[0] == pytest.approx(expected)


def test_specificity_at_a_sensitivity_is_the_best_of_all_thresholds_that_reach_it(rows, weights):
    positive, scores = rows
    found = find_specificity(positive, scores, sensitivity=0.9, weights=weights)
    for own, value in zip(weights, found, strict=True):
        reached = [
            own[~positive & (scores < threshold)].sum() / own[~positive].sum()
            for threshold in np.unique(scores)
            if own[positive & (scores >= threshold)].sum() >= 0.9 * own[positive].sum() - 1e-9
        ]
        assert value == pytest.approx(max(reached))


def test_one_side_alone_has_no_curve():
    scores, nobody = np.array([0.1, 0.2]), np.zeros(2, dtype=bool)
    assert np.isnan(compute_average_precision(nobody, scores))[0]
    assert np.isnan(find_specificity(nobody, scores, sensitivity=0.9))[0]
    assert np.isnan(find_specificity(~nobody, scores, sensitivity=0.9))[0]
    assert np.isnan(interpolate_precision(nobody, scores, np.ones((1, 2)))).all()


def test_bands_hold_their_curves_and_macro_is_the_mean():
    curves = measure_curves(make_answers(), seed=0, resamples=200)
    assert set(curves["roc"]) == {"risk", "mel", "nv", "macro"}
    own = [curves["roc"][key]["value"] for key in ("mel", "nv")]
    assert curves["roc"]["macro"]["value"] == pytest.approx(np.mean(own, axis=0), abs=1e-4)
    risk = curves["roc"]["risk"]
    known = [place for place, lower in enumerate(risk["lower"]) if lower is not None]
    assert len(known) > 50
    assert all(risk["lower"][place] <= risk["value"][place] + 0.05 for place in known)
    assert curves["prevalence"]["mel"] == 0.5
    assert curves["average_precision"]["risk"]["value"] == pytest.approx(
        average_precision_score(make_answers().alarming, make_answers().risk), abs=1e-4
    )

"""Operating points counted, bounded as SciPy does, and carried over to another prevalence by counting heads."""

import numpy as np
import pytest
from scipy.stats import binomtest

from secondlook.evaluation.operating import compute_predictive, measure_operating
from tests.evaluation.test_measures import POINTS, make_answers


@pytest.mark.parametrize("prevalence", [0.01, 0.3, 0.9])
def test_predictive_values_are_those_of_a_counted_crowd(prevalence):
    crowd = 1_000_000
    ill = round(crowd * prevalence)
    hits, alarms = 0.85 * ill, 0.3 * (crowd - ill)
    ppv, npv = compute_predictive(np.array(0.85), np.array(0.7), prevalence)
    assert ppv == pytest.approx(hits / (hits + alarms))
    assert npv == pytest.approx(0.7 * (crowd - ill) / (0.7 * (crowd - ill) + 0.15 * ill))


@pytest.mark.parametrize("prevalence", [0, 1, -0.1])
def test_what_is_no_prevalence_is_refused(prevalence):
    with pytest.raises(ValueError, match="prevalence above 0"):
        compute_predictive(np.array(0.9), np.array(0.9), prevalence)


def test_points_hold_counts_and_both_intervals():
    operating = measure_operating(make_answers(), POINTS, prevalences=(0.02,), seed=0, resamples=500)
    point = operating["points"]["sensitivity_95"]
    sensitivity, specificity = point["sensitivity"], point["specificity"]
    assert (sensitivity["value"], sensitivity["hits"], sensitivity["pictures"], sensitivity["groups"]) == (
        0.75,
        3,
        4,
        3,
    )
    exact = binomtest(3, 4).proportion_ci(method="exact")
    assert sensitivity["exact"] == pytest.approx([exact.low, exact.high], abs=1e-4)
    assert (specificity["value"], specificity["hits"]) == (0.75, 3)
    assert [line["prevalence"] for line in point["predictive"]] == [0.01, 0.02, 0.05, 0.2, 0.5]
    measured = point["predictive"][-1]
    assert measured["ppv"]["value"] == 0.75, "at the prevalence measured, the PPV is the one counted"
    assert point["supported"] is False
    assert set(operating["specificity_at_95"]) == {"risk", "mel"}


def test_one_side_alone_is_stated_as_undefined():
    alone = make_answers(alarming=np.ones(8, dtype=bool), labels=None)
    operating = measure_operating(alone, POINTS, seed=0, resamples=100)
    point = operating["points"]["sensitivity_90"]
    assert point["specificity"]["value"] is None
    assert point["specificity"]["exact"] == [None, None]
    assert operating["specificity_at_95"]["risk"]["value"] is None
    assert "mel" not in operating["specificity_at_95"]

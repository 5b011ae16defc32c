"""Operating points: the highest threshold that reaches the target, and honest bounds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from secondlook.errors import DatasetError
from secondlook.evaluation.triage import bound_sensitivities, choose_threshold, fit_operating_point

scores_of = st.lists(st.integers(0, 20).map(lambda number: number / 20), min_size=1, max_size=60)


@given(scores_of, st.sampled_from([0.5, 0.9, 0.95, 1.0]))
def test_the_threshold_reaches_the_target_and_no_higher_score_does(scores, target):
    scores = np.array(scores)
    positive = np.ones(len(scores), dtype=bool)
    threshold = choose_threshold(scores, positive, target=target)
    assert (scores >= threshold).mean() >= target - 1e-12
    higher = scores[scores > threshold + 1e-6]
    assert not len(higher) or (scores >= higher.min()).mean() < target


def test_benign_scores_do_not_move_the_threshold():
    scores, positive = np.array([0.2, 0.8, 0.99, 0.01]), np.array([True, True, False, False])
    assert choose_threshold(scores, positive, target=0.9) == 0.2


def make_rows(lesions=100, pictures=1, seed=0):
    random = np.random.default_rng(seed)
    positive = np.arange(lesions) % 4 == 0
    scores = np.clip(random.normal(0.3, 0.15, lesions) + 0.3 * positive, 0, 1)
    return np.repeat(scores, pictures), np.repeat(positive, pictures), np.repeat(np.arange(lesions), pictures)


def test_an_operating_point_counts_what_its_threshold_gives():
    scores, positive, groups = make_rows()
    point = fit_operating_point("sensitivity_90", scores, positive, groups)
    flagged = scores >= point.threshold
    assert point.sensitivity == pytest.approx(flagged[positive].mean(), abs=1e-6)
    assert point.sensitivity >= 0.9
    assert point.specificity == pytest.approx((~flagged[~positive]).mean(), abs=1e-6)
    assert (point.positives, point.negatives, point.groups) == (25, 75, 100)
    exact = binomtest(int(flagged[positive].sum()), 25, alternative="greater").proportion_ci(0.95, method="exact").low
    assert point.sensitivity_lower <= exact + 1e-6
    assert 0.5 < point.sensitivity_lower < point.sensitivity


def test_ten_pictures_of_each_lesion_do_not_make_the_bound_tighter_than_the_lesions_allow():
    single = fit_operating_point("sensitivity_90", *make_rows())
    tenfold = fit_operating_point("sensitivity_90", *make_rows(pictures=10))
    exact = binomtest(230, 250, alternative="greater").proportion_ci(0.95, method="exact").low
    assert tenfold.sensitivity == single.sensitivity == pytest.approx(0.92)
    assert tenfold.sensitivity_lower < exact - 0.02


def test_the_stricter_point_has_the_lower_threshold():
    rows = make_rows(lesions=400)
    loose, strict = fit_operating_point("sensitivity_90", *rows), fit_operating_point("sensitivity_95", *rows)
    assert strict.threshold < loose.threshold
    assert strict.specificity < loose.specificity


def test_the_lower_bound_reaches_the_target_and_at_no_higher_threshold_does():
    scores, positive, groups = make_rows(lesions=800)
    for name, target in (("sensitivity_90", 0.9), ("sensitivity_95", 0.95)):
        point = fit_operating_point(name, scores, positive, groups)
        assert point.supported
        assert point.sensitivity_lower >= target
        assert point.threshold < choose_threshold(scores, positive, target=target)
        higher = np.unique(scores[positive & (scores > point.threshold + 1e-6)])
        hits = int((scores[positive] >= higher[0]).sum())
        exact = binomtest(hits, 200, alternative="greater").proportion_ci(0.95, method="exact").low
        clustered = bound_sensitivities(scores[positive], groups[positive], higher[:1], seed=0, resamples=2000)
        assert clustered[0] < target
        assert clustered[0] <= exact + 1e-9


def test_on_new_lesions_the_stated_sensitivity_is_reached_nineteen_times_in_twenty():
    reached = []
    for seed in range(150):
        point = fit_operating_point("sensitivity_90", *make_rows(lesions=400, seed=seed), resamples=200)
        fresh, positive, _ = make_rows(lesions=8000, seed=seed + 1000)
        reached.append((fresh[positive] >= point.threshold).mean() >= 0.9)
    assert np.mean(reached) >= 0.92


def test_too_few_positive_lesions_to_bear_out_the_target_are_not_claimed_to():
    few = fit_operating_point("sensitivity_95", *make_rows(lesions=200))
    assert not few.supported
    assert few.sensitivity >= 0.95
    # Found all of them, but fifty pictures of five lesions are no fifty lesions.
    scores = np.r_[np.full(500, 0.9), np.zeros(500)]
    point = fit_operating_point("sensitivity_90", scores, scores > 0.5, np.arange(1000) // 100)
    assert (point.sensitivity, point.supported) == (1.0, False)
    assert point.sensitivity_lower == pytest.approx(0.05 ** (1 / 5), abs=1e-5)


@pytest.mark.parametrize(("malignant", "missing"), [(True, "without"), (False, "with")])
def test_one_severity_alone_is_refused(malignant, missing):
    with pytest.raises(DatasetError, match=f"Expected pictures {missing} an alarming label"):
        fit_operating_point("sensitivity_95", np.array([0.3, 0.4]), np.full(2, malignant), np.arange(2))

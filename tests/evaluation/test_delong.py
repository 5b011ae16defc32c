"""DeLong's test against its definition, pair by pair, against bootstraps, and where there is no difference."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from secondlook.evaluation.delong import compare_aucs
from secondlook.evaluation.intervals import draw_weights
from secondlook.evaluation.metrics import compute_auc


def make_scores(seed=0, rows=200, gap=0.4):
    """Return labels, and two correlated scores of which the first tells them apart better."""
    random = np.random.default_rng(seed)
    positive = random.random(rows) < 0.4
    shared = random.normal(size=rows)
    first = shared + random.normal(size=rows) + (1 + gap) * positive
    second = shared + random.normal(size=rows) + 1 * positive
    return positive, first, second


def define_test(positive, first, second):
    """Return difference and standard error by the definition of 1988: every pair of a positive and a negative row."""
    kernels = []
    for score in (first, second):
        pairs = score[positive][:, None] - score[~positive][None, :]
        kernels.append((pairs > 0) + 0.5 * (pairs == 0))
    areas = [kernel.mean() for kernel in kernels]
    v10 = np.cov([kernel.mean(axis=1) for kernel in kernels])
    v01 = np.cov([kernel.mean(axis=0) for kernel in kernels])
    covariance = v10 / positive.sum() + v01 / (~positive).sum()
    contrast = np.array([-1, 1])
    return areas, float(np.sqrt(contrast @ covariance @ contrast))


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_the_test_is_that_of_the_definition(seed, ties):
    positive, first, second = make_scores(seed)
    if ties:
        first, second = first.round(), second.round()
    areas, error = define_test(positive, first, second)
    test = compare_aucs(positive, first, second)
    assert [test.first, test.second] == pytest.approx(areas)
    assert [test.first, test.second] == pytest.approx([roc_auc_score(positive, score) for score in (first, second)])
    assert test.difference == pytest.approx(areas[1] - areas[0])
    assert (test.upper - test.lower) / 2 == pytest.approx(stats.norm.ppf(0.975) * error)
    assert test.p == pytest.approx(2 * stats.norm.sf(abs(areas[1] - areas[0]) / error))


def test_the_error_is_what_a_bootstrap_finds():
    positive, first, second = make_scores(4, rows=400)
    weights = draw_weights(np.arange(400), resamples=4000, seed=1)
    drawn = compute_auc(positive, second, weights=weights) - compute_auc(positive, first, weights=weights)
    test = compare_aucs(positive, first, second)
    assert (test.upper - test.lower) / 2 / stats.norm.ppf(0.975) == pytest.approx(drawn.std(), rel=0.08)


def test_pictures_of_one_lesion_count_as_what_they_are():
    positive, first, second = make_scores(5, rows=300)
    once = compare_aucs(positive, first, second)
    groups = np.arange(300)
    twice = [np.tile(values, 2) for values in (positive, first, second, groups)]
    fooled = compare_aucs(*twice[:3])
    assert (fooled.upper - fooled.lower) < 0.75 * (once.upper - once.lower)
    grouped = compare_aucs(*twice)
    assert grouped.upper - grouped.lower == pytest.approx(once.upper - once.lower)
    assert grouped.p == pytest.approx(once.p)


def test_groups_of_mixed_labels_agree_with_a_bootstrap_over_groups():
    random = np.random.default_rng(6)
    groups = random.integers(0, 120, 480)
    patient = random.normal(size=120)[groups]
    positive = patient + random.normal(size=480) > 0.3
    first = patient + positive + random.normal(size=480)
    second = 0.3 * patient + positive + random.normal(size=480)
    weights = draw_weights(groups, resamples=4000, seed=2)
    drawn = compute_auc(positive, second, weights=weights) - compute_auc(positive, first, weights=weights)
    test = compare_aucs(positive, first, second, groups)
    assert (test.upper - test.lower) / 2 / stats.norm.ppf(0.975) == pytest.approx(drawn.std(), rel=0.1)


def test_groups_of_mixed_labels_follow_the_definition_of_1997():
    random = np.random.default_rng(9)
    groups = random.integers(0, 40, 160)
    patient = random.normal(size=40)[groups]
    positive = random.random(160) < 0.5
    scores = [2 * patient + positive + random.normal(size=160), positive + random.normal(size=160)]
    test = compare_aucs(positive, *scores, groups)
    positives, negatives = positive.sum(), (~positive).sum()
    kernels = [score[positive][:, None] > score[~positive][None, :] for score in scores]
    areas = [kernel.mean() for kernel in kernels]
    ups = [kernel.mean(axis=1) - area for kernel, area in zip(kernels, areas, strict=True)]
    downs = [kernel.mean(axis=0) - area for kernel, area in zip(kernels, areas, strict=True)]
    up, down = ups[1] - ups[0], downs[1] - downs[0]
    s10 = s01 = s11 = 0.0
    for group in range(40):
        one, other = up[groups[positive] == group].sum(), down[groups[~positive] == group].sum()
        s10, s01, s11 = s10 + one * one, s01 + other * other, s11 + one * other
    i10, i01, whole = (len(set(part)) for part in (groups[positive], groups[~positive], groups))
    s10 *= i10 / ((i10 - 1) * positives)
    s01 *= i01 / ((i01 - 1) * negatives)
    s11 *= whole / (whole - 1)
    variance = s10 / positives + s01 / negatives + 2 * s11 / (positives * negatives)
    assert abs(2 * s11 / (positives * negatives)) > 0.05 * variance
    assert (test.upper - test.lower) / 2 == pytest.approx(stats.norm.ppf(0.975) * np.sqrt(variance))


def test_p_values_are_even_where_there_is_no_difference():
    values = []
    for seed in range(300):
        random = np.random.default_rng([7, seed])
        positive = np.arange(80) < 30
        values.append(compare_aucs(positive, positive + random.normal(size=80), positive + random.normal(size=80)).p)
    assert stats.kstest(values, "uniform").pvalue > 0.01
    assert np.mean(np.array(values) < 0.05) == pytest.approx(0.05, abs=0.035)


def test_the_same_scores_are_no_different():
    positive, first, _ = make_scores(8)
    test = compare_aucs(positive, first, 3 * first + 1)
    assert (test.difference, test.p) == (0, 1)


def test_what_cannot_be_tested_is_said():
    flags = np.array([True, True, False])
    with pytest.raises(ValueError, match="two groups with positive rows and two with negative ones"):
        compare_aucs(flags, np.arange(3.0), np.arange(3.0))
    with pytest.raises(ValueError, match="finite scores"):
        compare_aucs(np.array([True, False]), np.array([0.1, np.nan]), np.zeros(2))
    apart = np.array([True, True, False, False])
    assert np.isnan(compare_aucs(apart, np.array([3.0, 4, 1, 2]), np.array([1.0, 2, 3, 4])).p)

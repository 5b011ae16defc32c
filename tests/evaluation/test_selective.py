"""Errors against coverage, and prediction sets, counted."""

import numpy as np
import pytest

from secondlook.evaluation.conformal import fit_sets
from secondlook.evaluation.selective import COVERAGES, compute_selective_risk, measure_coverage, measure_sets
from tests.evaluation.test_measures import KEYS, make_answers


def test_the_risk_coverage_curve_is_that_of_sorted_rows():
    random = np.random.default_rng(0)
    confidence, wrong = random.random(40), random.random(40) < 0.4
    found = compute_selective_risk(confidence, wrong)[0]
    order = np.argsort(-confidence)
    for coverage, value in zip(COVERAGES, found, strict=True):
        kept = order[: round(coverage * 40)]
        assert value == pytest.approx(wrong[kept].mean())


def test_weights_are_repeated_rows():
    random = np.random.default_rng(1)
    confidence, wrong, counts = random.random(30), random.random(30) < 0.3, random.integers(0, 4, 30)
    weighted = compute_selective_risk(confidence, wrong, weights=counts[None].astype(float))
    repeated = compute_selective_risk(np.repeat(confidence, counts), np.repeat(wrong, counts))
    assert weighted == pytest.approx(repeated)


def test_a_ranking_that_puts_errors_last_has_the_smallest_area():
    coverage = measure_coverage(make_answers(), seed=0, resamples=100)
    assert coverage["error"]["value"][-1] == 0.25
    assert coverage["best"]["value"] <= coverage["area"]["value"]
    assert measure_coverage(make_answers(labels=None), seed=0, resamples=100) == {}


@pytest.fixture
def limits():
    answers = make_answers()
    return fit_sets(answers.probabilities, answers.labels, answers.groups, KEYS)


def test_sets_are_counted_by_label_and_subgroup(limits):
    members = np.array([[1, 1], [1, 0], [0, 1], [1, 1], [0, 1], [0, 1], [1, 0], [0, 1]], dtype=bool)
    answers = make_answers(members=members, undecided=members.sum(axis=1) > 1)
    first = np.arange(8) < 4
    sets = measure_sets(answers, limits, {"half": first, "nobody": np.zeros(8, dtype=bool)}, seed=0, resamples=200)
    slices = sets["slices"]
    assert slices["all"]["coverage"]["value"] == 6 / 8
    assert slices["labels/mel"]["coverage"]["value"] == 3 / 4
    assert slices["subgroups/half"]["size"]["value"] == 6 / 4
    assert slices["subgroups/half"]["undecided"]["value"] == 0.5
    assert slices["all"]["accuracy_decided"]["value"] == pytest.approx(5 / 6, abs=1e-4)
    assert slices["all"]["accuracy_undecided"]["value"] == 1 / 2
    assert sets["sizes"] == {"1": 6, "2": 2}
    assert "subgroups/nobody" not in slices
    assert sets["levels"]["mel"] == {"level": 0.75, "fitted_on": 3}


def test_without_labels_only_sizes_are_known_and_without_sets_nothing(limits):
    members = np.ones((8, 2), dtype=bool)
    answers = make_answers(members=members, undecided=np.ones(8, dtype=bool), labels=None)
    whole = measure_sets(answers, limits, {}, seed=0, resamples=100)["slices"]["all"]
    assert whole["undecided"]["value"] == 1
    assert "coverage" not in whole
    assert measure_sets(make_answers(), None, {}, seed=0, resamples=100) == {}

"""Figures of hand-made answers, where each can be counted on paper."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from secondlook.evaluation.intervals import bound_share
from secondlook.evaluation.measures import Answers, measure_answers
from secondlook.inference.bundle import OperatingPoint

KEYS = ("mel", "nv")


def make_point(name, threshold):
    return OperatingPoint(
        name=name,
        target=0.9,
        threshold=threshold,
        sensitivity=0.9,
        sensitivity_lower=0.8,
        specificity=0.5,
        positives=4,
        negatives=4,
        groups=8,
    )


POINTS = (make_point("sensitivity_90", 0.5), make_point("sensitivity_95", 0.2))


def make_answers(**changes):
    malignancy = np.array([0.9, 0.6, 0.3, 0.1, 0.55, 0.1, 0.1, 0.05])
    facts = {
        "keys": KEYS,
        "labels": np.array([0, 0, 0, 0, 1, 1, 1, 1]),
        "alarming": np.array([True] * 4 + [False] * 4),
        "predicted": np.array([0, 0, 1, 1, 1, 1, 1, 1]),
        "probabilities": np.stack([malignancy, 1 - malignancy], axis=1),
        "risk": malignancy,
        "triage": np.array(["urgent", "urgent", "refer", "routine", "urgent", "not_evaluable", "routine", "routine"]),
        "outlier": np.array([False] * 5 + [True] + [False] * 2),
        "groups": np.array(["a", "a", "b", "c", "d", "e", "f", "g"]),
    }
    return Answers(**(facts | changes))


@pytest.fixture
def measures():
    return measure_answers(make_answers(), POINTS, seed=0, resamples=500)


def test_named_label_and_most_probable_label_are_told_apart(measures):
    assert measures["accuracy"]["value"] == 6 / 8
    assert measures["accuracy_of_most_probable"]["value"] == 5 / 8
    assert measures["balanced_accuracy"]["value"] == (2 / 4 + 4 / 4) / 2
    assert measures["confusion_matrix"] == [[2, 2], [0, 4]]
    assert measures["confusion_shares"]["mel"]["nv"]["value"] == 0.5


def test_agreement_beyond_chance_is_measured_and_over_grades_where_labels_are_ordered(measures):
    by_chance = (4 * 2 + 4 * 6) / 8**2
    assert measures["kappa"]["value"] == (6 / 8 - by_chance) / (1 - by_chance)
    assert measures["matthews"]["value"] == pytest.approx((6 * 8 - 4 * 2 - 4 * 6) / (32 * 24) ** 0.5, abs=1e-4)
    assert measures["kappa"]["lower"] < 0.5 < measures["kappa"]["upper"]
    assert "quadratic_kappa" not in measures
    grades, named = np.array([0, 0, 1, 1, 2, 2, 2, 2]), np.array([0, 2, 1, 1, 2, 1, 2, 2])
    thirds = np.full((8, 3), 1 / 3)
    graded = make_answers(keys=("0", "1", "2"), labels=grades, predicted=named, probabilities=thirds, ordered=True)
    measured = measure_answers(graded, POINTS, seed=0, resamples=100)
    expected = cohen_kappa_score(grades, named, weights="quadratic")
    assert measured["quadratic_kappa"]["value"] == pytest.approx(expected, abs=1e-4)


def test_operating_points_apply_their_thresholds(measures):
    points = measures["risk"]["operating_points"]
    assert (points["sensitivity_90"]["threshold"], points["sensitivity_95"]["threshold"]) == (0.5, 0.2)
    assert points["sensitivity_90"]["sensitivity"]["value"] == 2 / 4
    assert points["sensitivity_95"]["sensitivity"]["value"] == 3 / 4
    assert points["sensitivity_95"]["specificity"]["value"] == 3 / 4
    assert points["sensitivity_90"]["ppv"]["value"] == pytest.approx(2 / 3, abs=1e-4)
    assert points["sensitivity_90"]["npv"]["value"] == 3 / 5
    assert measures["risk"]["auc"]["value"] == pytest.approx((4 + 4 + 3 + 1 + 2 * 0.5) / 16, abs=1e-4)


def test_triage_and_refusals_are_counted(measures):
    assert measures["triage_counts"]["alarming"] == {"urgent": 2, "refer": 1, "routine": 1, "not_evaluable": 0}
    assert measures["triage"]["other"]["routine"]["value"] == 0.5
    assert measures["refusals"]["outlier"]["value"] == measures["refusals"]["not_evaluable"]["value"] == 1 / 8


def test_a_share_of_all_or_nothing_has_the_exact_bounds_of_its_lesions(measures):
    lower, upper = bound_share(4, 4)
    assert measures["sensitivity"]["nv"] == {"value": 1.0, "lower": round(lower, 4), "upper": upper}
    lower, upper = bound_share(0, 3)
    assert measures["triage"]["alarming"]["not_evaluable"] == {"value": 0.0, "lower": 0.0, "upper": round(upper, 4)}


def test_without_labels_only_malignancy_and_triage_are_measured():
    measures = measure_answers(make_answers(labels=None), POINTS, seed=0, resamples=100)
    assert set(measures) == {"risk", "triage", "triage_counts", "refusals"}


def test_one_severity_alone_leaves_the_rest_undefined_and_the_json_clean():
    alone = make_answers(alarming=np.zeros(8, dtype=bool), labels=np.ones(8, dtype=int))
    measures = measure_answers(alone, POINTS, seed=0, resamples=100)
    nothing = {"value": None, "lower": None, "upper": None}
    assert measures["risk"]["auc"] == nothing
    assert measures["triage"]["alarming"]["urgent"] == nothing
    assert measures["auc"]["nv"] == nothing
    assert measures["balanced_accuracy"]["value"] == measures["sensitivity"]["nv"]["value"] == 6 / 8

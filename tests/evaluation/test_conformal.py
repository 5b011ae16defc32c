"""Prediction sets: the promised coverage on new groups, and honesty where there are too few of them."""

import numpy as np
import pytest

from secondlook.evaluation.conformal import bound_scores, fit_sets
from secondlook.inference.bundle import SetLimits
from secondlook.inference.predictor import choose_set

KEYS = ("one", "two", "three")


def draw_rows(random, groups, *, alike=0.0, pictures=1):
    """Return probabilities, labels and groups; pictures of one group resemble each other by ``alike`` in 0..1."""
    labels = np.repeat(random.integers(0, 3, groups), pictures)
    noise = np.sqrt(1 - alike) * random.normal(size=(groups * pictures, 3))
    noise += np.sqrt(alike) * np.repeat(random.normal(size=(groups, 3)), pictures, axis=0)
    scores = noise + 1.5 * (np.arange(3) == labels[:, None])
    odds = np.exp(scores)
    return odds / odds.sum(axis=1, keepdims=True), labels, np.repeat(np.arange(groups), pictures)


@pytest.mark.parametrize(("alike", "pictures"), [(0.0, 1), (0.9, 5)])
def test_sets_cover_each_label_of_new_groups_as_promised(alike, pictures):
    random = np.random.default_rng(0)
    covered = []
    for _ in range(150):
        limits = fit_sets(*draw_rows(random, 90, alike=alike, pictures=pictures), KEYS)
        fresh, labels, _ = draw_rows(random, 60, alike=alike, pictures=pictures)
        least = np.array([limit.least for limit in limits.labels])
        covered.append([(fresh[labels == k, k] >= least[k]).mean() for k in range(3)])
    shares = np.nanmean(covered, axis=0)
    assert shares == pytest.approx([0.91, 0.91, 0.91], abs=0.02)
    assert all(limit.level == 0.9 for limit in limits.labels)


def test_the_limit_is_the_quantile_of_conformal_prediction_where_each_group_has_one_picture():
    probabilities = np.random.default_rng(1).random(57)
    least, level, count = bound_scores(probabilities, np.arange(57), target=0.9)
    rank = int(np.ceil(0.9 * 58))
    assert least == pytest.approx(np.sort(1 - probabilities)[rank - 1] * -1 + 1, abs=1e-6)
    assert (level, count) == (0.9, 57)
    assert least <= np.sort(probabilities)[::-1][rank - 1]


def test_a_group_of_many_pictures_counts_once():
    probabilities, groups = np.r_[np.full(10, 0.1), np.linspace(0.5, 0.9, 18)], np.r_[np.zeros(10), np.arange(1, 19)]
    assert bound_scores(probabilities, groups, target=0.9) == (0.5, 0.9, 19)


def test_few_groups_promise_less_and_none_rules_nothing_out():
    assert bound_scores(np.array([0.4, 0.2, 0.6]), np.array(["a", "a", "b"]), target=0.9) == (0.2, 0.666667, 2)
    limits = fit_sets(np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([0, 0]), np.arange(2), ("one", "two"))
    assert [(limit.least, limit.level, limit.groups) for limit in limits.labels] == [(0.8, 0.666667, 2), (0, 0, 0)]


def test_a_picture_far_from_every_limit_gets_the_nearest_label():
    limits = SetLimits.model_validate(
        {
            "target": 0.9,
            "widest": 1,
            "labels": [
                {"label": "one", "least": 0.8, "level": 0.9, "groups": 9},
                {"label": "two", "least": 0.5, "level": 0.9, "groups": 9},
            ],
        }
    )
    assert choose_set({"one": 0.55, "two": 0.45}, limits) == ("two",)
    assert choose_set({"one": 0.8, "two": 0.2}, limits) == ("one",)
    assert choose_set({"one": 0.8, "two": 0.5}, limits) == ("one", "two")
    assert choose_set({"one": 0.8, "two": 0.2}, None) == ()


def test_what_is_no_calibration_is_refused():
    with pytest.raises(ValueError, match="probabilities N×2"):
        fit_sets(np.ones((3, 3)) / 3, np.zeros(3, dtype=int), np.arange(3), ("one", "two"))

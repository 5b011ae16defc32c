"""Subgroups: figures as counted, silence where there are too few, and the largest gap."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from secondlook.data.explore import Factor
from secondlook.evaluation.subgroups import measure_subgroups
from tests.evaluation.test_measures import POINTS, make_answers

ROWS = 200


def make_unequal():
    """Return answers that find every alarming picture of women, half of men's, and know of few others."""
    random = np.random.default_rng(0)
    alarming = np.arange(ROWS) % 2 == 0
    sex = np.where(np.arange(ROWS) % 4 < 2, "Female", "Male")
    sex[:12] = "Other"
    found = alarming & ((sex != "Male") | (np.arange(ROWS) % 8 < 4))
    risk = np.where(found, 0.9, np.where(alarming, 0.1, random.random(ROWS) * 0.3))
    answers = make_answers(
        labels=None,
        alarming=alarming,
        predicted=np.zeros(ROWS, dtype=int),
        risk=risk,
        triage=np.full(ROWS, "routine"),
        outlier=np.zeros(ROWS, dtype=bool),
        groups=np.arange(ROWS).astype(str),
    )
    return answers, Factor("sex", "Sex", {name: sex == name for name in ("Female", "Male", "Other")})


@pytest.fixture(scope="module")
def subgroups():
    answers, factor = make_unequal()
    return measure_subgroups(answers, [factor], POINTS[0], seed=0, resamples=300)


def test_figures_are_counted_and_small_groups_are_too_few_to_say(subgroups):
    answers, factor = make_unequal()
    found = {part["value"]: part for part in subgroups["factors"]["sex"]["values"]}
    for name in ("Female", "Male"):
        rows = factor.rows[name]
        flagged = answers.risk[rows & answers.alarming] >= 0.5
        assert found[name]["sensitivity"]["value"] == pytest.approx(flagged.mean(), abs=1e-4)
        auc = roc_auc_score(answers.alarming[rows], answers.risk[rows])
        assert found[name]["auc"]["value"] == pytest.approx(auc, abs=1e-4)
    assert found["Female"]["sensitivity"] == {"value": 1.0, "lower": pytest.approx(0.92, abs=0.02), "upper": 1.0}
    assert found["Other"]["groups"] == 12
    assert all(found["Other"][rate]["value"] is None for rate in ("auc", "sensitivity", "specificity"))


def test_the_largest_gap_is_named_with_its_interval(subgroups):
    gap = subgroups["gaps"]["sensitivity"]
    assert (gap["factor"], gap["high"], gap["low"]) == ("Sex", "Female", "Male")
    assert gap["gap"]["lower"] > 0.2
    assert gap["gap"]["value"] == pytest.approx(0.5, abs=0.05)
    assert subgroups["gaps"]["specificity"]["gap"]["value"] == 0


def test_one_group_of_each_factor_leaves_no_gap():
    answers, _ = make_unequal()
    everybody = Factor("site", "Site", {"Back": np.ones(ROWS, dtype=bool)})
    assert measure_subgroups(answers, [everybody], POINTS[0], seed=0, resamples=100)["gaps"]["sensitivity"] is None

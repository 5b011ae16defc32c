"""Exact bounds against SciPy; the bootstrap against plain resampling and against theory."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from secondlook.evaluation.intervals import bootstrap_measures, bound_share, draw_weights
from secondlook.evaluation.metrics import compute_auc


@given(st.integers(1, 3000).flatmap(lambda rows: st.tuples(st.integers(0, rows), st.just(rows))))
def test_exact_bounds_equal_scipy(counts):
    hits, rows = counts
    expected = binomtest(hits, rows).proportion_ci(0.95, method="exact")
    assert bound_share(hits, rows) == pytest.approx((expected.low, expected.high), abs=1e-9)
    one_sided = binomtest(hits, rows, alternative="greater").proportion_ci(0.95, method="exact")
    assert bound_share(hits, rows, side="lower") == pytest.approx((one_sided.low, 1.0), abs=1e-9)


@pytest.mark.parametrize(("hits", "rows", "level"), [(3, 2, 0.95), (0, 0, 0.95), (-1, 2, 0.95), (1, 2, 1.0)])
def test_senseless_counts_are_refused(hits, rows, level):
    with pytest.raises(ValueError, match="Expected"):
        bound_share(hits, rows, level=level)


def test_whole_groups_are_drawn_as_often_as_there_are_groups():
    groups = np.array(["b", "a", "b", "c", "b"])
    weights = draw_weights(groups, resamples=500, seed=3)
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, 0] == weights[:, 4]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert weights[:, 1].mean() == pytest.approx(1, abs=0.15)


def test_the_draw_depends_on_seed_and_names_but_not_on_the_order_of_rows():
    groups = np.array(["b", "a", "b", "c"])
    weights = draw_weights(groups, resamples=20, seed=1)
    order = [3, 2, 0, 1]
    np.testing.assert_array_equal(draw_weights(groups[order], resamples=20, seed=1), weights[:, order])
    assert (draw_weights(groups, resamples=20, seed=2) != weights).any()


def test_percentiles_equal_a_plain_loop():
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), 2)
    positive = np.repeat(random.random(60) < 0.4, 2)
    scores = random.random(120) + 0.5 * positive
    found = bootstrap_measures(lambda w: {"auc": compute_auc(positive, scores, weights=w)}, groups, resamples=300)
    loop = []
    for row in draw_weights(groups, resamples=300, seed=0):
        again = np.repeat(np.arange(120), row)
        loop.append(compute_auc(positive[again], scores[again]))
    assert (found["auc"].lower, found["auc"].upper) == pytest.approx(tuple(np.quantile(loop, [0.025, 0.975])))
    assert found["auc"].value == pytest.approx(float(compute_auc(positive, scores)))


def test_clustered_rows_give_a_wider_interval_than_the_same_rows_taken_for_independent():
    hits = np.repeat(np.random.default_rng(0).random(100) < 0.8, 5).astype(float)

    def measure(weights):
        return {"share": weights @ hits / weights.sum(axis=1)}

    whole = bootstrap_measures(measure, np.repeat(np.arange(100), 5))["share"]
    apart = bootstrap_measures(measure, np.arange(500))["share"]
    ratio = (whole.upper - whole.lower) / (apart.upper - apart.lower)
    assert ratio == pytest.approx(5**0.5, rel=0.15)


def test_a_figure_that_too_many_resamples_lack_has_a_value_but_no_bounds():
    groups = np.arange(20)
    positive = groups == 0

    def measure(weights):
        return {"auc": compute_auc(positive, groups.astype(float), weights=weights)}

    found = bootstrap_measures(measure, groups, resamples=200)["auc"]
    assert found.value == 0
    assert np.isnan([found.lower, found.upper]).all()


def test_one_lesion_alone_has_no_interval():
    found = bootstrap_measures(lambda w: {"one": w.sum(axis=1)}, np.array(["a", "a"]), resamples=50)["one"]
    assert found.value == 2
    assert np.isnan(found.lower)


def test_chunks_change_nothing(monkeypatch):
    values = np.random.default_rng(0).random(50)

    def measure(weights):
        return {"mean": weights @ values / weights.sum(axis=1)}

    whole = bootstrap_measures(measure, np.arange(50), resamples=100)
    monkeypatch.setattr("secondlook.evaluation.intervals.CHUNK_CELLS", 350)
    pieces = bootstrap_measures(measure, np.arange(50), resamples=100)
    assert pieces["mean"].lower == pytest.approx(whole["mean"].lower, abs=1e-12)
    assert pieces["mean"].upper == pytest.approx(whole["mean"].upper, abs=1e-12)

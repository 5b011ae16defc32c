import math

from secondlook.training.stopping import count_drops, has_stalled, is_best, score_epochs
from tests.training.tiny import make_recipe

NAN = float("nan")


def rows(*areas: float) -> list[dict[str, float]]:
    return [{"calibration_auc": area, "calibration_nll": 2 - area} for area in areas]


def test_scores_are_turned_so_that_higher_is_better() -> None:
    assert score_epochs(rows(0.5, NAN, 0.7), "auc") == [0.5, -math.inf, 0.7]
    assert score_epochs(rows(0.5, 0.7), "nll") == [-1.5, -1.3]


def test_the_best_epoch_is_better_than_all_before_and_the_first_of_equals() -> None:
    assert [is_best([3, 1, 3, 4, 4, 5][:count]) for count in range(7)] == [False, True, False, False, True, False, True]
    assert is_best([-math.inf])


def test_a_drop_comes_after_flat_epochs_in_a_row_and_counts_anew() -> None:
    scores = [1, 1, 1, 2, 1, 1, 1, 1, 1, 3, 0]
    assert [count_drops(scores[:count], 3) for count in range(12)] == [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    assert [count_drops(scores[:count], 2) for count in range(12)] == [0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 3]


def test_a_run_stalls_by_its_own_measure_or_the_recipes() -> None:
    flat = rows(0.9, 0.8, 0.8)
    assert not has_stalled(flat, make_recipe())
    assert has_stalled(flat, make_recipe(stop={"patience": 2}))
    assert not has_stalled(flat, make_recipe(stop={"patience": 3}))
    other = [row | {"calibration_nll": nll} for row, nll in zip(flat, (3, 2, 1), strict=True)]
    assert not has_stalled(other, make_recipe(stop={"patience": 2, "measure": "nll"}))
    assert not has_stalled(other, make_recipe(stop={"patience": 2}, measure="nll"))
    assert not has_stalled([], make_recipe(stop={"patience": 1}))

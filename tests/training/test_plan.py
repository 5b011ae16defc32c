from itertools import groupby

import numpy as np

from secondlook.training.dataset import draw_order
from secondlook.training.plan import count_steps_per_epoch, plan_steps
from tests.training.tiny import make_recipe

LABELS = np.arange(45) % 7
STAGES = [{"epochs": 2, "size_px": 32}, {"epochs": 1, "size_px": 48, "trainable": "head", "rate_scale": 0.1}]


def test_stages_follow_each_other_and_every_epoch_has_its_own_order() -> None:
    recipe = make_recipe(stages=STAGES)
    steps = list(plan_steps(recipe, LABELS))
    assert [step.number for step in steps] == list(range(15))
    for epoch, group in groupby(steps, key=lambda step: step.epoch):
        members = list(group)
        assert [step.ends_epoch for step in members] == [False] * 4 + [True]
        stage = STAGES[0] if epoch < 2 else STAGES[1]
        assert {step.size_px for step in members} == {(stage["size_px"], stage["size_px"])}
        assert {step.stage.trainable for step in members} == {stage.get("trainable", "all")}
        assert {step.stage.rate_scale for step in members} == {stage.get("rate_scale", 1.0)}
        order = draw_order(LABELS, balance="logit_adjustment", seed=recipe.seed, epoch=epoch)
        np.testing.assert_array_equal(np.concatenate([step.positions for step in members]), order[:40])


def test_a_plan_from_any_step_is_the_rest_of_the_whole_plan() -> None:
    recipe = make_recipe(stages=STAGES)
    whole = list(plan_steps(recipe, LABELS))
    for first in range(len(whole) + 1):
        rest = list(plan_steps(recipe, LABELS, first=first))
        assert [step.number for step in rest] == list(range(first, 15))
        for step, same in zip(rest, whole[first:], strict=True):
            assert (step.epoch, step.ends_epoch) == (same.epoch, same.ends_epoch)
            np.testing.assert_array_equal(step.positions, same.positions)


def test_fewer_pictures_than_a_batch_make_one_step() -> None:
    recipe = make_recipe(stages=[{"epochs": 1, "size_px": 32}])
    assert count_steps_per_epoch(recipe, np.arange(5)) == 1
    assert count_steps_per_epoch(recipe, np.arange(17)) == 2
    (step,) = plan_steps(recipe, np.arange(5))
    assert sorted(step.positions) == [0, 1, 2, 3, 4]


def test_generated_balance_makes_epochs_longer() -> None:
    labels = np.repeat([0, 1], [30, 5])
    recipe = make_recipe(loss={"balance": "generate"}, stages=[{"epochs": 2, "size_px": 32}])
    steps = list(plan_steps(recipe, labels))
    assert len(steps) == 2 * count_steps_per_epoch(recipe, labels) == 14
    seen = labels[np.concatenate([step.positions for step in steps[:7]])]
    assert abs((seen == 0).sum() - (seen == 1).sum()) <= 4

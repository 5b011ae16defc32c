"""The plan of a run: which pictures at which size in which step, known before anything starts."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from secondlook.imaging.resize import read_size
from secondlook.training.dataset import count_epoch_pictures, draw_order
from secondlook.training.recipe import Recipe
from secondlook.training.sections import Stage


@dataclass(frozen=True)
class Step:
    """One optimiser step of the plan."""

    number: int
    epoch: int
    size_px: tuple[int, int]
    stage: Stage
    positions: NDArray[np.int64]
    ends_epoch: bool
    ends_stage: bool


def plan_steps(recipe: Recipe, labels: NDArray[np.int64], *, first: int = 0) -> Iterator[Step]:
    """Yield the steps of a run from number ``first`` on; the plan depends on recipe and labels alone."""
    batch, per_epoch = recipe.optimiser.batch_size, count_steps_per_epoch(recipe, labels)
    stages = [stage for stage in recipe.stages for _ in range(stage.epochs)]
    ends = np.cumsum([stage.epochs for stage in recipe.stages]) - 1
    for epoch in range(first // per_epoch, len(stages)):
        stage = stages[epoch]
        order = draw_order(labels, balance=recipe.loss.balance, seed=recipe.seed, epoch=epoch)
        for number in range(max(first, epoch * per_epoch), (epoch + 1) * per_epoch):
            index = number - epoch * per_epoch
            yield Step(
                number=number,
                epoch=epoch,
                size_px=read_size(stage.size_px),
                stage=stage,
                positions=order[index * batch : (index + 1) * batch],
                ends_epoch=index == per_epoch - 1,
                ends_stage=index == per_epoch - 1 and epoch in ends,
            )


def count_steps_per_epoch(recipe: Recipe, labels: NDArray[np.int64]) -> int:
    """Return how many steps an epoch has; an incomplete last batch is left out unless it is the only one."""
    return max(1, count_epoch_pictures(labels, balance=recipe.loss.balance) // recipe.optimiser.batch_size)

import math
import random
from itertools import pairwise

import pytest
import torch

from secondlook.training.schedule import rate_at
from secondlook.training.sections import Optimiser


def rates(total: int = 200, **options: object) -> list[float]:
    optimiser = Optimiser.model_validate({"rate": 0.4, "warmup": 0.25, **options})
    return [rate_at(step, total=total, optimiser=optimiser) for step in range(total)]


@pytest.mark.parametrize("schedule", ["one_cycle", "cosine", "constant", "step", "plateau"])
def test_the_rate_rises_in_equal_steps_over_the_warmup_to_its_peak(schedule: str) -> None:
    rise = rates(schedule=schedule, drop_epochs=[9])[:51]
    assert rise[0] > 0
    assert rise[50] == pytest.approx(0.4)
    steps = [after - before for before, after in pairwise(rise)]
    assert steps == pytest.approx([0.4 / 51] * 50)


@pytest.mark.parametrize(("schedule", "floor"), [("one_cycle", 0.0), ("cosine", 0.004)])
def test_the_rate_falls_along_a_half_cosine(schedule: str, floor: float) -> None:
    fall = rates(schedule=schedule)[50:]
    assert fall == sorted(fall, reverse=True)
    assert fall[75] == pytest.approx((0.4 + floor) / 2)
    assert fall[25] == pytest.approx(floor + (0.4 - floor) * math.cos(math.pi / 12) ** 2)
    assert floor < fall[-1] < floor + 0.001


def test_a_constant_rate_stays() -> None:
    assert set(rates(schedule="constant", warmup=0)) == {0.4}


def test_there_may_be_no_warmup_and_a_single_step() -> None:
    assert rates(total=1, schedule="one_cycle", warmup=0) == [0.4]
    assert rates(schedule="one_cycle", warmup=0)[0] == 0.4


def test_steps_multiply_the_rate_after_given_epochs() -> None:
    optimiser = Optimiser(rate=0.1, warmup=0, schedule="step", drop_epochs=(4, 8, 12))
    got = [rate_at(epoch * 3, total=42, optimiser=optimiser, epoch=epoch) for epoch in range(14)]
    assert got == pytest.approx([0.1] * 4 + [0.01] * 4 + [0.001] * 4 + [0.0001] * 2)


def test_a_plateau_multiplies_the_rate_as_torch_does() -> None:
    optimiser = Optimiser(rate=0.4, warmup=0, schedule="plateau", drop_factor=0.5, patience=3, floor=0.03)
    rng = random.Random(3)  # noqa: S311  made-up measures
    scores = [rng.choice([0.1, 0.2, 0.3, 0.4, epoch / 50]) for epoch in range(50)]
    weight = torch.nn.Parameter(torch.zeros(1))
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        torch.optim.SGD([weight], lr=0.4), mode="max", factor=0.5, patience=2, threshold=0, min_lr=0.03, eps=0
    )  # torch drops after more than `patience` epochs
    seen = set()
    for epoch, score in enumerate(scores):
        assert rate_at(0, total=1, optimiser=optimiser, epoch=epoch, scores=scores[:epoch]) == pytest.approx(
            theirs.optimizer.param_groups[0]["lr"]
        )
        theirs.step(score)
        seen.add(theirs.optimizer.param_groups[0]["lr"])
    assert seen == {0.4, 0.2, 0.1, 0.05, 0.03}
    assert rate_at(0, total=1, optimiser=optimiser.model_copy(update={"floor": 1.0})) == 0.4

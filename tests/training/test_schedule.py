import math
from itertools import pairwise

import pytest

from secondlook.training.recipe import Optimiser
from secondlook.training.schedule import rate_at


def rates(total: int = 200, **options: object) -> list[float]:
    optimiser = Optimiser.model_validate({"rate": 0.4, "warmup": 0.25, **options})
    return [rate_at(step, total=total, optimiser=optimiser) for step in range(total)]


@pytest.mark.parametrize("schedule", ["one_cycle", "cosine", "constant"])
def test_the_rate_rises_in_equal_steps_over_the_warmup_to_its_peak(schedule: str) -> None:
    rise = rates(schedule=schedule)[:51]
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

"""The learning rate as a function of step and history, so that a resumed run needs no scheduler state."""

import math
from collections.abc import Sequence

from secondlook.training.sections import Optimiser
from secondlook.training.stopping import count_drops


def rate_at(step: int, *, total: int, optimiser: Optimiser, epoch: int = 0, scores: Sequence[float] = ()) -> float:
    """Return the learning rate of a step.

    All schedules rise linearly over the warm-up. ``one_cycle`` and ``cosine`` then fall along a half cosine, to nothing
    and to a hundredth respectively (Smith and Topin 2019, doi 10.1117/12.2520589; Loshchilov and Hutter 2017, arXiv
    1608.03983). ``step`` multiplies the rate by ``drop_factor`` after each of the ``drop_epochs``; ``plateau`` does so
    whenever ``patience`` epochs in a row were no better, but not below ``floor``.

    Args:
        step: Number of the step, from 0.
        total: Number of steps in the run.
        optimiser: Peak rate, schedule and warm-up.
        epoch: Number of the step's epoch, from 0.
        scores: Of every epoch done, higher is better; for ``plateau``.
    """
    warmup = optimiser.warmup * total
    if step < warmup:
        return optimiser.rate * (step + 1) / (warmup + 1)
    if optimiser.schedule == "constant":
        return optimiser.rate
    if optimiser.schedule == "step":
        return optimiser.rate * optimiser.drop_factor ** sum(after <= epoch for after in optimiser.drop_epochs)
    if optimiser.schedule == "plateau":
        dropped = optimiser.rate * optimiser.drop_factor ** count_drops(scores, optimiser.patience)
        return max(dropped, min(optimiser.floor, optimiser.rate))
    floor = 0.01 if optimiser.schedule == "cosine" else 0.0
    progress = (step - warmup) / max(1.0, total - warmup)
    return optimiser.rate * (floor + (1 - floor) * (1 + math.cos(math.pi * progress)) / 2)

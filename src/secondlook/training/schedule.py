"""The learning rate as a function of the step alone, so that a resumed run needs no scheduler state."""

import math

from secondlook.training.recipe import Optimiser


def rate_at(step: int, *, total: int, optimiser: Optimiser) -> float:
    """Return the learning rate of a step.

    ``one_cycle`` and ``cosine`` rise linearly over the warm-up and then fall along a half cosine, to nothing and
    to a hundredth respectively (Smith and Topin 2019, doi 10.1117/12.2520589; Loshchilov and Hutter 2017).

    Args:
        step: Number of the step, from 0.
        total: Number of steps in the run.
        optimiser: Peak rate, schedule and warm-up.
    """
    warmup = optimiser.warmup * total
    if step < warmup:
        return optimiser.rate * (step + 1) / (warmup + 1)
    if optimiser.schedule == "constant":
        return optimiser.rate
    floor = 0.01 if optimiser.schedule == "cosine" else 0.0
    progress = (step - warmup) / max(1.0, total - warmup)
    return optimiser.rate * (floor + (1 - floor) * (1 + math.cos(math.pi * progress)) / 2)

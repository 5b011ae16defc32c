"""Which epoch was best, when a rate drops and when a run ends: functions of the recorded history alone.

Since the history is in every checkpoint, a run that was killed decides as an unbroken one does.
"""

import math
from collections.abc import Mapping, Sequence

from secondlook.training.recipe import Recipe
from secondlook.training.sections import Measure

LOWER_IS_BETTER: frozenset[Measure] = frozenset({"nll"})


def score_epochs(history: Sequence[Mapping[str, float]], measure: Measure) -> list[float]:
    """Return a measure of every epoch on the calibration split, turned so that higher is better; -inf for undefined.

    Args:
        history: One row per epoch, as in ``history.csv``.
        measure: Which.
    """
    sense = -1 if measure in LOWER_IS_BETTER else 1
    values = [sense * row[f"calibration_{measure}"] for row in history]
    return [-math.inf if math.isnan(value) else value for value in values]


def is_best(scores: Sequence[float]) -> bool:
    """Tell whether the last epoch is better than every one before; the first one is."""
    return len(scores) == 1 or (len(scores) > 1 and scores[-1] > max(scores[:-1]))


def count_drops(scores: Sequence[float], patience: int) -> int:
    """Return how often ``patience`` epochs in a row were no better than the best before, each drop counting anew.

    Args:
        scores: Of every epoch done, higher is better.
        patience: Epochs without a better one before a drop.
    """
    drops, flat = 0, 0
    for number in range(1, len(scores) + 1):
        flat = 0 if is_best(scores[:number]) else flat + 1
        if flat == patience:
            drops, flat = drops + 1, 0
    return drops


def has_stalled(history: Sequence[Mapping[str, float]], recipe: Recipe) -> bool:
    """Tell whether the recipe's early stopping ends the run after these epochs."""
    if not recipe.stop.patience:
        return False
    return count_drops(score_epochs(history, recipe.stop.measure or recipe.measure), recipe.stop.patience) > 0

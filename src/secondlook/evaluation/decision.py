"""Is it worth acting on? Net benefit over acting on everybody and on nobody."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook.evaluation.intervals import bootstrap_measures
from secondlook.evaluation.measures import DIGITS, Answers, write_interval
from secondlook.evaluation.metrics import compute_share

Floats = NDArray[np.float64]
Nested = dict[str, Any]

THRESHOLDS = tuple(np.round(np.linspace(0.01, 0.6, 60), 2).tolist())


def compute_net_benefit(
    positive: NDArray[np.bool_], flagged: NDArray[np.bool_], threshold: float, *, weights: Floats | None = None
) -> Floats:
    """Compute the net benefit of acting on the flagged rows, in true positives per row.

    TP/n − FP/n · p/(1 − p), with p the probability from which on somebody would act, which says how many false alarms
    one true positive is worth (Vickers and Elkin 2006, doi 10.1177/0272989X06295361).

    Args:
        positive: bool N.
        flagged: bool N.
        threshold: p, from 0 to below 1.
        weights: whole numbers ≥ 0, R×N; each row counts once without them.

    Returns:
        float64 R.

    Raises:
        ValueError: The threshold is out of range.

    Example:
        >>> rows = np.array([True, False, False, False])
        >>> compute_net_benefit(rows, np.array([True, True, False, False]), 0.2).tolist()
        [0.1875]
    """
    if not 0 <= threshold < 1:
        raise ValueError(f"Expected a threshold from 0 to below 1, got {threshold}.")
    weights = np.ones((1, len(positive))) if weights is None else weights
    worth = (positive & flagged) - (~positive & flagged) * (threshold / (1 - threshold))
    return compute_share(weights @ worth, weights.sum(axis=-1))


def measure_decision(answers: Answers, *, seed: int, resamples: int) -> Nested:
    """Measure the decision curve of the risk, with 95 % bands from a bootstrap over groups.

    Returns:
        ``thresholds``; ``model`` (lists ``value``, ``lower``, ``upper``), and ``all``, acting on everybody; ``useful``:
        the thresholds at which the model's gain over the better of acting on everybody and on nobody lies above zero,
        interval included.
    """
    everybody = np.ones(len(answers.groups), dtype=bool)

    def measure(weights: Floats) -> dict[str, Floats]:
        figures: dict[str, Floats] = {}
        for threshold in THRESHOLDS:
            flagged = answers.risk >= threshold
            own = compute_net_benefit(answers.alarming, flagged, threshold, weights=weights)
            whole = compute_net_benefit(answers.alarming, everybody, threshold, weights=weights)
            figures |= {f"model {threshold}": own, f"all {threshold}": whole}
            figures[f"gain {threshold}"] = own - np.maximum(whole, 0)
        return figures

    found = bootstrap_measures(measure, answers.groups, seed=seed, resamples=resamples)
    model = [write_interval(found[f"model {threshold}"]) for threshold in THRESHOLDS]
    return {
        "thresholds": list(THRESHOLDS),
        "model": {side: [figure[side] for figure in model] for side in ("value", "lower", "upper")},
        "all": [round(found[f"all {threshold}"].value, DIGITS) for threshold in THRESHOLDS],
        "useful": [threshold for threshold in THRESHOLDS if found[f"gain {threshold}"].lower > 0],
    }

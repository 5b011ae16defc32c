"""Do probabilities hold what they say? Before and after scaling."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook.evaluation.intervals import bootstrap_measures
from secondlook.evaluation.measures import DIGITS, Answers, write_interval
from secondlook.evaluation.metrics import (
    compute_brier,
    compute_calibration_error,
    compute_log_loss,
    compute_share,
)
from secondlook.inference.predictor import soften

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Nested = dict[str, Any]

BINS = 10


def compute_adaptive_error(
    confidence: Floats, correct: Flags, *, bins: int = 15, weights: Floats | None = None
) -> Floats:
    """Compute the adaptive calibration error, over bins that hold equally many rows.

    The mean over the rows of |share correct − mean confidence| of their bin (Nixon, Dusenberry, Zhang, Jerfel and Tran
    2019, doi 10.48550/arXiv.1904.01685, for one probability in place of all labels'). The bins are those of the rows
    as they are, for resamples too; rows of equal confidence share a bin.

    Args:
        confidence: floats N in 0..1.
        correct: bool N.
        bins: Number of bins.
        weights: whole numbers ≥ 0, R×N; each row counts once without them.

    Returns:
        float64 R.

    Example:
        >>> compute_adaptive_error(np.array([0.6, 0.6, 0.9, 0.9]), np.array([True, False, True, True]), bins=2).tolist()
        [0.1]
    """
    weights = np.ones((1, len(confidence))) if weights is None else weights
    places = cut_equally(confidence, bins=bins)
    gaps = np.zeros((len(confidence), int(places.max()) + 1))
    gaps[np.arange(len(confidence)), places] = correct - confidence
    return np.round(compute_share(np.abs(weights @ gaps).sum(axis=-1), weights.sum(axis=-1)), 12)


def cut_equally(confidence: Floats, *, bins: int) -> NDArray[np.int64]:
    """Return the bin of every row, 0 … at most bins-1, each with equally many rows as far as ties allow."""
    _, number, counts = np.unique(confidence, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2
    return np.asarray(np.minimum((middle * bins / len(confidence)).astype(np.int64), bins - 1)[number])


def measure_reliability(answers: Answers, *, seed: int, resamples: int) -> Nested:
    """Measure how far probabilities lie from what they say, before scaling (where that is known) and after.

    Args:
        answers: What was true and what was answered.
        seed: Seed of the bootstrap.
        resamples: Number of resamples.

    Returns:
        ``risk`` and, where labels were measured, ``label`` (the highest probability against whether its label is true)
        → ``before`` and ``after`` → ``expected_calibration_error``, ``adaptive_calibration_error``, ``brier`` and, for
        labels, ``log_loss``; and ``bins``, ten with equally many pictures: ``confidence``, ``share`` with its bounds,
        and ``pictures``.
    """
    stages = {"after": answers.probabilities}
    if answers.scores is not None:
        stages = {"before": soften(answers.scores), **stages}
    nested: Nested = {"risk": {}}
    for stage, probabilities in stages.items():
        risk = answers.risk if stage == "after" else probabilities[:, answers.alarming_columns].sum(axis=1).clip(0, 1)
        nested["risk"][stage] = _measure_one(answers, risk, answers.alarming, seed=seed, resamples=resamples)
        if answers.labels is not None:
            top = probabilities.argmax(axis=1) == answers.labels
            nested.setdefault("label", {})[stage] = _measure_one(
                answers, probabilities.max(axis=1), top, seed=seed, resamples=resamples, whole=probabilities
            )
    return nested


def _measure_one(
    answers: Answers, confidence: Floats, correct: Flags, *, seed: int, resamples: int, whole: Floats | None = None
) -> Nested:
    places = cut_equally(confidence, bins=BINS)
    members = places[:, None] == np.unique(places)
    truth = answers.labels

    def measure(weights: Floats) -> dict[str, Floats]:
        figures = {
            "expected_calibration_error": compute_calibration_error(confidence, correct, weights=weights),
            "adaptive_calibration_error": compute_adaptive_error(confidence, correct, weights=weights),
        }
        if whole is None or truth is None:
            figures["brier"] = compute_brier(correct, confidence, weights=weights)
        else:
            figures["brier"] = compute_brier(np.arange(whole.shape[1]) == truth[:, None], whole, weights=weights)
            figures["log_loss"] = compute_log_loss(truth, whole, weights=weights)
        shares = compute_share(weights @ (members & correct[:, None]), weights @ members)
        return figures | {f"bin {place}": shares[:, place] for place in range(members.shape[1])}

    found = bootstrap_measures(measure, answers.groups, seed=seed, resamples=resamples)
    return {
        **{name: write_interval(interval) for name, interval in found.items() if not name.startswith("bin")},
        "bins": [
            {
                "confidence": round(float(confidence[rows].mean()), DIGITS),
                "share": write_interval(found[f"bin {place}"]),
                "pictures": int(rows.sum()),
            }
            for place, rows in enumerate(members.T)
        ],
    }

"""The few figures that models are compared by, each with its interval, from what a bundle answered."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from secondlook.evaluation.intervals import Interval, bootstrap_measures
from secondlook.evaluation.measures import Answers
from secondlook.evaluation.metrics import (
    compute_accuracy,
    compute_auc,
    compute_class_aucs,
    compute_confusion,
    compute_kappa,
    compute_log_loss,
    compute_macro,
    compute_rates,
)

Floats = NDArray[np.float64]

FIGURES: Mapping[str, str] = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "macro_auc": "AUC",
    "risk_auc": "AUC of the risk",
    "macro_f1": "F1",
    "kappa": "Kappa",
    "loss": "Loss",
}
LOWER_IS_BETTER = ("loss",)


def measure_summary(answers: Answers, weights: Floats) -> dict[str, Floats]:
    """Measure ``FIGURES``: name → float64 R for weights R×N (how often each row counts).

    Accuracies, F1 and kappa are those of the label that the bundle names; AUC and F1 are means over the labels, each
    against all others; kappa is quadratic where the labels are grades; the loss is the mean negative log-likelihood
    in nats. Two labels have one AUC, so that the AUC of the risk is left out there.

    Raises:
        ValueError: The pictures are of another task than the bundle.
    """
    if answers.labels is None:
        raise ValueError("Expected pictures of the bundle's own task.")
    classes = len(answers.keys)
    present = np.isin(np.arange(classes), answers.labels)
    confusion = compute_confusion(answers.labels, answers.predicted, classes=classes, weights=weights)
    rates = compute_rates(confusion)
    figures = {
        "accuracy": compute_accuracy(confusion),
        "balanced_accuracy": compute_macro(rates["sensitivity"], present),
        "macro_auc": compute_macro(compute_class_aucs(answers.labels, answers.probabilities, weights=weights), present),
        "risk_auc": compute_auc(answers.alarming, answers.risk, weights=weights),
        "macro_f1": compute_macro(rates["f1"], present),
        "kappa": compute_kappa(confusion, quadratic=answers.ordered),
        "loss": compute_log_loss(answers.labels, answers.probabilities, weights=weights),
    }
    if classes == 2:
        del figures["risk_auc"]
    return figures


def bound_summary(answers: Answers, *, seed: int, resamples: int) -> dict[str, Interval]:
    """Return ``FIGURES`` with 95 % intervals from a bootstrap over groups."""
    return bootstrap_measures(
        lambda weights: measure_summary(answers, weights), answers.groups, seed=seed, resamples=resamples
    )


def stack_interval(interval: Interval) -> str:
    """Return a figure above its interval, narrow enough for seven columns on a terminal: ``0.912`` over ``.89–.93``."""
    if math.isnan(interval.value):
        return "–"
    if math.isnan(interval.lower):
        return f"{interval.value:.3f}\ntoo few"
    return f"{interval.value:.3f}\n{_shorten(interval.lower)}–{_shorten(interval.upper)}"


def _shorten(value: float) -> str:
    return f"{value:.2f}".replace("0.", ".", 1) if abs(value) < 0.995 else f"{value:.1f}"

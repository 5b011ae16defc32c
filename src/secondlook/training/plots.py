"""Pictures of a run: loss, measures and learning rate over the epochs."""

import math
import os
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

CURVES = (
    ("Loss in training (nats)", ("loss",)),
    ("On the calibration split", ("calibration_auc", "calibration_balanced_accuracy", "calibration_quadratic_kappa")),
    ("Negative log-likelihood, calibration", ("calibration_nll",)),
    ("Learning rate", ("rate",)),
)


def plot_history(history: Sequence[dict[str, float]], file: Path) -> None:
    """Draw the history of a run as a PNG, replacing an earlier one atomically.

    Args:
        history: One row per epoch, as in ``history.csv``.
        file: Where the picture goes.
    """
    figure = Figure(figsize=(10, 6), layout="constrained")
    epochs = [row["epoch"] for row in history]
    for axes, (title, names) in zip(figure.subplots(2, 2).flat, CURVES, strict=True):
        shown = [name for name in names if name in history[-1]]
        for name in shown:
            axes.plot(
                epochs,
                [row.get(name, math.nan) for row in history],
                marker=".",
                label=name.removeprefix("calibration_"),
            )
        axes.set_title(title)
        axes.set_xlabel("Epoch")
        axes.grid(alpha=0.3)
        if len(shown) > 1:
            axes.legend()
    save_figure(figure, file)


def save_figure(figure: Figure, file: Path) -> None:
    """Write a figure as a PNG, replacing an earlier one atomically."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{os.getpid()}.{file.name}")
    figure.savefig(temporary, format="png", dpi=100)
    temporary.replace(file)

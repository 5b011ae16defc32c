"""Pictures of a cross-validated run: the folds' histories, and the ROC curves of folds and ensemble."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from secondlook.evaluation.curves import trace_roc
from secondlook.evaluation.measures import Answers
from secondlook.evaluation.metrics import compute_auc
from secondlook.training.plots import save_figure

# Told apart by people with any colour vision, and on paper (Okabe and Ito 2008).
ENSEMBLE, TOGETHER, MEAN = "#d55e00", "#000000", "#0072b2"
FOLD = "#8a8f98"
HISTORIES = (
    ("loss", "Loss in training (nats)"),
    ("calibration_nll", "Negative log-likelihood, calibration"),
    ("calibration_auc", "AUC, calibration"),
    ("calibration_balanced_accuracy", "Balanced accuracy, calibration"),
)
Pick = Callable[[Answers], tuple[NDArray[np.bool_], NDArray[np.float64]]]


def plot_folds(histories: Sequence[Sequence[dict[str, float]]], file: Path) -> None:
    """Draw how every fold learned, and their mean, as a PNG.

    Args:
        histories: One history per fold, as in ``history.csv``; they may differ in length.
        file: Where the picture goes.
    """
    figure = Figure(figsize=(10, 6.5), layout="constrained")
    shortest = min(map(len, histories))
    styles = ("-", "--", "-.", ":")
    for axes, (name, title) in zip(figure.subplots(2, 2).flat, HISTORIES, strict=True):
        for number, history in enumerate(histories):
            epochs, values = [row["epoch"] for row in history], [row[name] for row in history]
            style = styles[number % len(styles)]
            axes.plot(epochs, values, color=FOLD, linestyle=style, linewidth=1, label=f"fold {number + 1}")
        mean = np.mean([[row[name] for row in history[:shortest]] for history in histories], axis=0)
        axes.plot(range(1, shortest + 1), mean, color=MEAN, linewidth=2.2, marker=".", label="mean")
        axes.set_title(title, fontsize=11)
        axes.set_xlabel("Epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 8), frameon=False)
    save_figure(figure, file)


def plot_rocs(folds: Sequence[Answers], together: Answers, ensemble: Answers, file: Path) -> None:
    """Draw ROC curves as a PNG: of the risk, and of each label against all others where there are more than two.

    Args:
        folds: What each fold's bundle answered about its own fold.
        together: The same, in one.
        ensemble: What the ensemble answered about the split test.
        file: Where the picture goes.
    """
    panels = list_panels(ensemble.keys)
    columns = min(4, len(panels))
    rows = math.ceil(len(panels) / columns)
    figure = Figure(figsize=(max(5.0, 3.4 * columns), 3.6 * rows + 0.6), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).flat
    for (title, pick), axes in zip(panels, grid, strict=False):
        for one in folds:
            draw_roc(axes, *pick(one), color=FOLD, linewidth=0.8)
        out = draw_roc(axes, *pick(together), color=TOGETHER, linestyle="--", linewidth=1.4)
        area = draw_roc(axes, *pick(ensemble), color=ENSEMBLE, linewidth=2.2)
        axes.axline((0, 0), slope=1, color=FOLD, linestyle=":", linewidth=0.8)
        axes.set_title(f"{title}\nAUC: out of fold {out}, ensemble {area}", fontsize=10)
        axes.set_xlabel("1 − specificity")
        axes.set_ylabel("Sensitivity")
    for axes in list(grid):
        axes.axis("off")
    figure.legend(
        [*(figure.axes[0].lines[place] for place in (0, len(folds), len(folds) + 1))],
        ["each fold, by the network that had not seen it", "all folds together", "ensemble, on the split test"],
        loc="outside lower center",
        ncols=3 if columns > 2 else 1,
        frameon=False,
    )
    save_figure(figure, file)


def list_panels(keys: Sequence[str]) -> list[tuple[str, Pick]]:
    """Return what is drawn: the title of each panel, and what picks its truth and scores from answers."""
    panels: list[tuple[str, Pick]] = [("Risk", lambda answers: (answers.alarming, answers.risk))]
    if len(keys) > 2:
        panels += [(key, pick_label(number)) for number, key in enumerate(keys)]
    return panels


def pick_label(number: int) -> Pick:
    """Return what picks one label against all others."""
    return lambda answers: (np.equal(np.asarray(answers.labels), number), answers.probabilities[:, number])


def draw_roc(
    axes: Axes, positive: NDArray[np.bool_], scores: NDArray[np.float64], *, color: str, **style: str | float
) -> str:
    """Draw one curve and return its area in words."""
    false_alarms, sensitivity = trace_roc(positive, scores)
    axes.plot(false_alarms, sensitivity, color=color, **style)  # type: ignore[arg-type]
    axes.set_aspect("equal")
    axes.grid(alpha=0.3)
    area = float(compute_auc(positive, scores))
    return "–" if math.isnan(area) else f"{area:.3f}"

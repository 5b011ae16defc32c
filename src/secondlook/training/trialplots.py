"""The picture of a search: how the trials went, and what each value had to do with it."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from secondlook.training.plots import save_figure

# Told apart by people with any colour vision, and by their shape (Okabe and Ito 2008).
STYLES = {
    "complete": {"color": "#0072b2", "marker": "o"},
    "pruned": {"color": "#8a8f98", "marker": "x"},
    "diverged": {"color": "#d55e00", "marker": "^"},
}
COLUMNS = 3


class Trial(Protocol):
    """What is drawn of a trial."""

    @property
    def number(self) -> int:
        """From 1 on."""

    @property
    def state(self) -> str:
        """One of ``STYLES``."""

    @property
    def value(self) -> float:
        """The measure; NaN for none."""

    @property
    def changes(self) -> Mapping[str, Any]:
        """What was tried."""


def plot_trials(tried: Sequence[Trial], best: Trial, file: Path, *, measure: str) -> None:
    """Draw the measure of every trial over its number and over each value tried, as a PNG.

    Args:
        tried: Every trial.
        best: The best of them, which is marked.
        file: Where the picture goes.
        measure: Its name.
    """
    keys = list(best.changes)
    rows = math.ceil((len(keys) + 1) / COLUMNS)
    figure = Figure(figsize=(10, 3.1 * rows + 0.5), layout="constrained")
    grid = list(figure.subplots(rows, COLUMNS, squeeze=False).flat)
    draw_values(grid[0], [(one.number, one) for one in tried], best.number, best)
    grid[0].set_xlabel("Trial")
    for axes, key in zip(grid[1:], keys, strict=False):
        draw_key(axes, key, tried, best)
    for axes in grid[len(keys) + 1 :]:
        axes.axis("off")
    figure.supylabel(f"{measure} on the calibration split", fontsize=10)
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    save_figure(figure, file)


def draw_key(axes: Axes, key: str, tried: Sequence[Trial], best: Trial) -> None:
    """Draw the measure over one value: along a line for numbers, side by side for words."""
    values = [one.changes[key] for one in tried if key in one.changes]
    axes.set_xlabel(key)
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        if min(values) > 0 and max(values) / min(values) > 20:
            axes.set_xscale("log")
        places = {one.number: one.changes[key] for one in tried if key in one.changes}
    else:
        words = sorted({str(value) for value in values})
        axes.set_xticks(range(len(words)), words, rotation=20)
        places = {one.number: words.index(str(one.changes[key])) for one in tried if key in one.changes}
    draw_values(axes, [(places[one.number], one) for one in tried if one.number in places], places[best.number], best)


def draw_values(axes: Axes, placed: Sequence[tuple[float, Trial]], place: float, best: Trial) -> None:
    """Draw trials where they are placed, the best one ringed."""
    for state, style in STYLES.items():
        points = [(x, one.value) for x, one in placed if one.state == state and not math.isnan(one.value)]
        if points:
            x, y = zip(*points, strict=True)
            axes.scatter(x, y, label=state, s=28, alpha=0.85, c=style["color"], marker=style["marker"])
    axes.scatter([place], [best.value], s=130, facecolors="none", edgecolors="#000000", linewidths=1.4, label="best")
    axes.grid(alpha=0.3)

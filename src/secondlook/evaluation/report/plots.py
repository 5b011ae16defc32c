"""Drawings as SVG that any page and any PDF shows alike: letters are paths, no font is needed."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from secondlook.errors import SecondlookError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

Range = tuple[float | None, float | None]

INK, SOFT = "#17252a", "#6d7f86"
# Okabe and Ito 2008, "Color Universal Design": told apart with any kind of colour vision; yellow is too pale on white.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#8c6d1f")
DASHES = ("-", "--", "-.", ":")
WIDTH_INCHES, HEIGHT_INCHES = 5.2, 4.0
FOREST_INCHES, LINE_INCHES = 6.6, 0.24
PANELS_ACROSS, PANELS_INCHES, PANEL_INCHES = 4, 8.6, 1.75
STYLE = {
    "svg.fonttype": "path",
    "svg.hashsalt": "secondlook",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": "#d3dcda",
    "legend.frameon": False,
}


@dataclass(frozen=True)
class Line:
    """A line of a drawing.

    Attributes:
        name: Shown in the legend; empty for a line without an entry.
        x: Numbers N.
        y: Numbers N.
        lower: Lower bounds N of ``y``, or none.
        upper: Upper bounds N, or none.
        soft: Whether it is drawn thin and grey, to compare with.
        dots: Whether its points are marked.
    """

    name: str
    x: ArrayLike
    y: ArrayLike
    lower: ArrayLike | None = None
    upper: ArrayLike | None = None
    soft: bool = False
    dots: bool = False


@dataclass(frozen=True, slots=True)
class Reach:
    """A line of a forest plot: name, value with bounds (None where undefined), and whether it is said softly."""

    name: str
    value: float | None
    lower: float | None
    upper: float | None
    soft: bool = False


@dataclass(frozen=True)
class Panel:
    """One small drawing of many that share their vertical axis: a name, what its places are, and a line with bounds."""

    name: str
    places: Sequence[str]
    x: str
    line: Line


def draw_panels(panels: Sequence[Panel], *, y: str, reference: float | None = None) -> str:
    """Return many small drawings side by side, so that every line can be followed by itself.

    Args:
        panels: What to draw; points stand at equal distances, with their places' names below.
        y: Name of the vertical axis, which they share.
        reference: Where a dashed line stands.

    Raises:
        SecondlookError: matplotlib is not installed.
    """
    rows = -(-len(panels) // PANELS_ACROSS)
    with _open_sheet(PANELS_INCHES, PANEL_INCHES * rows) as drawing:
        grid = drawing.subplots(rows, PANELS_ACROSS, sharey=True, squeeze=False)
        for axes, panel in zip(grid.flat, panels, strict=False):
            _draw_line(axes, panel.line, 0)
            if reference is not None:
                axes.axhline(reference, color=SOFT, linewidth=0.9, linestyle="--")
            axes.set_xticks(range(len(panel.places)), panel.places, fontsize=7)
            axes.set_title(panel.name, fontsize=9)
            axes.set_xlabel(panel.x, fontsize=7)
            axes.grid(linewidth=0.6)
        for axes in grid.flat[len(panels) :]:
            axes.remove()
        drawing.supylabel(y, fontsize=9)
        return write_drawing(drawing)


def draw_lines(
    lines: Sequence[Line],
    *,
    x: str,
    y: str,
    x_range: Range | None = None,
    y_range: Range | None = None,
    legend: bool = True,
) -> str:
    """Return lines with their bands, each with its own colour and dash.

    Args:
        lines: What to draw.
        x: Name of the horizontal axis.
        y: Name of the vertical axis.
        x_range: Its ends; as the data need them without.
        y_range: Likewise.
        legend: Whether names are listed.

    Raises:
        SecondlookError: matplotlib is not installed.
    """
    with open_drawing(WIDTH_INCHES, HEIGHT_INCHES) as (drawing, axes):
        number = 0
        for line in lines:
            if line.soft:
                axes.plot(line.x, line.y, color=SOFT, linewidth=0.9, linestyle="--", label=line.name or None)
                continue
            _draw_line(axes, line, number)
            number += 1
        axes.set(xlabel=x, ylabel=y)
        axes.set_xlim(*(x_range or (None, None)))
        axes.set_ylim(*(y_range or (None, None)))
        axes.grid(linewidth=0.6)
        if legend and any(line.name for line in lines):
            # Below the axes it hides nothing, however many lines there are.
            drawing.legend(loc="outside lower center", ncols=2, fontsize=8)
        return write_drawing(drawing)


def draw_forest(
    reaches: Sequence[Reach], *, x: str, reference: float | None = None, x_range: Range | None = None
) -> str:
    """Return one line per value with its interval, the first on top; a line without a value is a heading.

    Args:
        reaches: What to draw.
        x: Name of the horizontal axis.
        reference: Where a dashed line stands.
        x_range: Ends of the axis.

    Raises:
        SecondlookError: matplotlib is not installed.
    """
    with open_drawing(FOREST_INCHES, 0.9 + LINE_INCHES * len(reaches)) as (drawing, axes):
        places = np.arange(len(reaches))[::-1]
        for place, reach in zip(places.tolist(), reaches, strict=True):
            if reach.value is not None:
                _draw_reach(axes, place, reach)
        if reference is not None:
            axes.axvline(reference, color=SOFT, linewidth=0.9, linestyle="--")
        axes.set_yticks(places, [reach.name for reach in reaches])
        for label, reach in zip(axes.get_yticklabels(), reaches, strict=True):
            label.set_fontweight("bold" if reach.value is None and not reach.soft else "normal")
            label.set_color(SOFT if reach.soft else INK)
        axes.set(xlabel=x, ylim=(-0.7, len(reaches) - 0.3))
        axes.tick_params(axis="y", length=0)
        axes.set_xlim(*(x_range or (None, None)))
        axes.grid(axis="x", linewidth=0.6)
        return write_drawing(drawing)


def _draw_line(axes: "Axes", line: Line, number: int) -> None:
    colour, dash = COLOURS[number % len(COLOURS)], DASHES[number // len(COLOURS) % len(DASHES)]
    marks: dict[str, Any] = {"marker": "o", "markersize": 4} if line.dots else {}
    axes.plot(line.x, line.y, color=colour, linestyle=dash, linewidth=1.6, label=line.name or None, **marks)
    if line.lower is not None and line.upper is not None:
        axes.fill_between(line.x, line.lower, line.upper, color=colour, alpha=0.13, linewidth=0)


def _draw_reach(axes: "Axes", place: int, reach: Reach) -> None:
    colour = SOFT if reach.soft else COLOURS[0]
    if reach.lower is not None and reach.upper is not None:
        axes.plot([reach.lower, reach.upper], [place, place], color=colour, linewidth=1.6, solid_capstyle="butt")
    face = "white" if reach.soft else colour
    axes.plot([reach.value or 0], [place], "o", color=colour, markersize=5, markerfacecolor=face)


@contextmanager
def open_drawing(width_inches: float, height_inches: float) -> "Iterator[tuple[Drawing, Axes]]":
    """Give an empty drawing and its axes, in the report's style for as long as it is drawn and written.

    Raises:
        SecondlookError: matplotlib is not installed.
    """
    with _open_sheet(width_inches, height_inches) as drawing:
        yield drawing, drawing.subplots()


@contextmanager
def _open_sheet(width_inches: float, height_inches: float) -> "Iterator[Drawing]":
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure as Drawing
    except ImportError as error:
        raise SecondlookError(
            "A report is drawn by matplotlib, which is not installed here: pip install 'secondlook[report]'. "
            "Without a folder for the report the figures are measured and printed all the same."
        ) from error
    with rc_context(STYLE):  # type: ignore[arg-type]
        yield Drawing(figsize=(width_inches, height_inches), layout="constrained")


def write_drawing(drawing: "Drawing") -> str:
    """Return a drawing as SVG; equal drawings give equal text."""
    stream = io.StringIO()
    drawing.savefig(stream, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    return stream.getvalue()

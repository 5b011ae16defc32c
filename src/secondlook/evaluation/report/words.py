"""Figures and names in words, as the report's sections use them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from secondlook.conditions import Task
from secondlook.data.wording import count
from secondlook.evaluation.report.plots import Line, Reach
from secondlook.evaluation.report.section import Cell, Table
from secondlook.evaluation.scope import count_groups

TOO_FEW = "too few to say"
MINUS = "\N{MINUS SIGN}"
UNIT = "\N{NO-BREAK SPACE}%"
Measured = Mapping[str, float | None]


def write_cell(cell: Cell, *, percent: bool = False) -> str:
    """Return a cell of a table for a reader, for example ``0.912 (0.894–0.928)`` or ``91.2 % (89.4–92.8)``."""
    if cell is None:
        return "–"
    if isinstance(cell, Mapping):
        return write_measured(cell, percent=percent)
    if isinstance(cell, float):
        return write_percent(cell) if percent else f"{cell:.3f}"
    return f"{cell:,}" if isinstance(cell, int) else cell


def write_measured(figure: Measured, *, percent: bool = False) -> str:
    """Return a measured figure with its interval; a dash where it is undefined."""
    value, lower, upper = (figure.get(side) for side in ("value", "lower", "upper"))
    if value is None:
        return "–"
    text = write_percent(value) if percent else f"{value:.3f}"
    if lower is None or upper is None:
        return f"{text} (too few)".replace("-", MINUS)
    bounds = (f"{100 * bound:.1f}" if percent else f"{bound:.3f}" for bound in (lower, upper))
    joint = " to " if lower < 0 else "–"
    return f"{text} ({joint.join(bounds)})".replace("-", MINUS)


def write_percent(share: float) -> str:
    """Return a share in per cent with one digit, for example ``91.2 %``."""
    return f"{100 * share:.1f}{UNIT}"


def write_threshold(threshold: float) -> str:
    """Return a threshold on a probability in per cent with two digits."""
    return f"{100 * threshold:.2f}{UNIT}"


def count_words(pictures: int, groups: int, task: Task) -> str:
    """Return a number of pictures and of patients or lesions, for example ``999 pictures of 729 patients``."""
    return f"{count(pictures, 'picture', 'pictures')} of {count_groups(task, groups)}"


def name_label(task: Task, key: str) -> str:
    """Return what a curve or row is about: a label's name, the risk's, or the mean of all."""
    if key == "risk":
        return task.risk["en"]
    if key == "macro":
        return "Mean of all labels"
    return task.find_label(key).names["en"]


def name_point(name: str, task: Task) -> str:
    """Return an operating point's name for a reader: from which triage on it asks for."""
    if name == "sensitivity_95":
        return f"refer (aims at 95{UNIT} sensitivity)"
    return f"{'urgent' if task.urgency == 'urgent' else 'stricter'} (aims at 90{UNIT} sensitivity)"


def list_curve(curve: Mapping[str, Any], places: Sequence[float], *, name: str, **style: Any) -> Line | None:
    """Return a curve of the evidence as a line to draw, without its undefined places; nothing where all are."""
    kept = [place for place, value in enumerate(curve["value"]) if value is not None]
    if not kept:
        return None
    bounded = all(curve[side][place] is not None for side in ("lower", "upper") for place in kept)
    sides = {side: [curve[side][place] for place in kept] for side in ("value", "lower", "upper")}
    band: dict[str, Any] = {"lower": sides["lower"], "upper": sides["upper"]} if bounded else {}
    return Line(name, [places[place] for place in kept], sides["value"], **band, **style)


def sheet_curves(
    name: str, caption: str, place: str, curves: Mapping[str, Mapping[str, Any]], grid: Sequence[float]
) -> Table:
    """Return curves as the table that becomes their CSV: curve, place, value and bounds."""
    rows = [
        (key, x, curve["value"][number], curve["lower"][number], curve["upper"][number])
        for key, curve in curves.items()
        for number, x in enumerate(grid)
    ]
    return Table(name, caption, ("curve", place, "value", "lower", "upper"), tuple(rows))


def reach(name: str, figure: Measured, *, soft: bool = False) -> Reach:
    """Return a measured figure as a line of a forest plot."""
    return Reach(name, figure.get("value"), figure.get("lower"), figure.get("upper"), soft=soft)


def join_words(words: Iterable[str]) -> str:
    """Return words as a list in a sentence: ``a, b and c``."""
    listed = list(words)
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}" if listed else "none"

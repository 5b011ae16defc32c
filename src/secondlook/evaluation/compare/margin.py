"""Is a model not worse than the first by more than a margin that was named beforehand?"""

import math
from collections.abc import Iterator
from html import escape

from rich.box import SIMPLE
from rich.table import Table

from secondlook.evaluation.compare.measure import Comparison
from secondlook.evaluation.compare.report import name_figures, write_change
from secondlook.evaluation.figures import draw_figure, draw_heads
from secondlook.evaluation.intervals import Interval
from secondlook.evaluation.paired import Verdict, judge_margin
from secondlook.evaluation.summary import LOWER_IS_BETTER

MARKS = {"not worse": "clean", "worse": "doubt", "not shown": "unknown", "too few": "unknown"}
COLOURS = {"not worse": "green", "worse": "red"}


def list_verdicts(comparison: Comparison) -> Iterator[tuple[str, str, Interval, Verdict]]:
    """Yield model, name of the figure, difference and verdict; nothing where no margin was named.

    The loss has no place here, for its unit is none that a margin of the others fits.
    """
    if comparison.margin is None:
        return
    names = {key: name for key, name in name_figures(comparison).items() if key not in LOWER_IS_BETTER}
    for model in comparison.models[1:]:
        for key, name in names.items():
            if key in model.differences:
                interval = model.differences[key].interval
                yield model.name, name, interval, judge_margin(interval, comparison.margin)


def describe_margin(comparison: Comparison) -> str:
    """Return how the verdicts are reached, in sentences."""
    first = comparison.models[0].name
    return (
        f"Not worse than {first} by more than {comparison.margin:g}: all of the 95 % interval of the difference lies "
        f"above −{comparison.margin:g}. Worse: all of it lies below. Else nothing is shown, and more patients are "
        "needed. A "
        "margin counts only if it was chosen before the figures were seen."
    )


def draw_verdicts(comparison: Comparison) -> Table:
    """Return the verdicts as a table for a terminal."""
    table = Table(
        title=f"Not worse than {comparison.models[0].name} by more than {comparison.margin:g}?",
        box=SIMPLE,
        pad_edge=False,
    )
    for heading in ("Model", "Figure", "Difference (95 % interval)", "Verdict"):
        table.add_column(heading, justify="right" if heading.startswith("Diff") else "left", overflow="fold")
    for model, name, interval, verdict in list_verdicts(comparison):
        colour = COLOURS.get(verdict)
        table.add_row(model, name, _write_interval(interval), f"[{colour}]{verdict}[/]" if colour else verdict)
    return table


def render_verdicts(comparison: Comparison) -> str:
    """Return the verdicts as HTML."""
    lines = [
        f'<tr><th scope="row">{escape(model)}<small>{escape(name)}</small></th><td>{_write_interval(interval)}</td>'
        f'<td><span class="mark {MARKS[verdict]}">{verdict}</span></td></tr>'
        for model, name, interval, verdict in list_verdicts(comparison)
    ]
    heads = draw_heads(("", "Difference (95 % interval)", "Verdict"))
    title = f"Not worse by more than {comparison.margin:g}?"
    return f"<p>{escape(describe_margin(comparison))}</p>" + draw_figure(
        "shares", heads, lines, title=title, caption=title
    )


def _write_interval(interval: Interval) -> str:
    if math.isnan(interval.lower):
        return write_change(interval.value)
    return f"{write_change(interval.value)} ({write_change(interval.lower)} to {write_change(interval.upper)})"

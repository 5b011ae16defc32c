"""Figures on a page, each of them a table: what is drawn is also written, for eyes, ears, paper and phones alike."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from secondlook.data.wording import count
from secondlook.evaluation.intervals import Interval
from secondlook.evaluation.shares import Column, Composition

Mark = tuple[str, str]
AXIS = (0.4, 1.0)
UNIT = "\N{NO-BREAK SPACE}%"


@dataclass(frozen=True, slots=True)
class Reach:
    """A line of a figure of intervals: its name and detail, what was measured, and a mark (style and words)."""

    name: str
    detail: str
    interval: Interval
    mark: Mark


def write_percent(share: float) -> str:
    """Return a share in per cent, for example ``38 %``; small ones keep one digit more."""
    percent = 100 * share
    return f"{percent:.1f}{UNIT}" if 0 < percent < 10 or 99 < percent < 100 else f"{percent:.0f}{UNIT}"


def write_bounds(interval: Interval) -> str:
    """Return the bounds of a share in per cent, for example ``36–40``."""
    if np.isnan(interval.lower):
        return "too few"
    return f"{write_percent(interval.lower)}–{write_percent(interval.upper)}".replace(UNIT, "")


def write_auc(interval: Interval) -> str:
    """Return an AUC with its interval, for example ``0.71 (0.66–0.75)``."""
    if np.isnan(interval.lower):
        return f"{interval.value:.2f} (too few)"
    return f"{interval.value:.2f} ({interval.lower:.2f}–{interval.upper:.2f})"


def draw_bars(composition: Composition, *, title: str, caption: str) -> str:
    """Return one bar per value, over all pictures, with its share, interval, pictures, and patients or lesions."""
    lines = [
        f'<tr><th scope="row">{escape(value)}<small>{_write_count(pictures[0], groups[0])}</small></th>'
        f'<td class="bar"><span style="--share:{shares[0].value:.4f}"></span>'
        f"{write_percent(shares[0].value)} ({write_bounds(shares[0])})</td></tr>"
        for value, shares, pictures, groups in zip(
            composition.factor.rows, composition.shares, composition.pictures, composition.groups, strict=True
        )
    ]
    heads = draw_heads(("", "Share of all pictures (95 % interval)"))
    return draw_figure("bars", heads, lines, title=title, caption=caption)


def draw_shares(
    composition: Composition, name_label: Callable[[str], str], *, title: str, caption: str, note: str
) -> str:
    """Return a table of values by class whose cells are tinted by the share of the class that has the value."""
    lines = []
    for value, shares, pictures in zip(composition.factor.rows, composition.shares, composition.pictures, strict=True):
        cells = [
            f'<td style="--share:{share.value:.4f}">{number:,} ({write_percent(share.value)})'
            f"<small>{write_bounds(share)}</small></td>"
            for share, number in zip(shares[1:], pictures[1:], strict=True)
        ]
        lines.append(f'<tr><th scope="row">{escape(value)}</th>{"".join(cells)}</tr>')
    heads = [_head_column(column, name_label) for column in composition.columns if column.label]
    return draw_figure(
        "shares", draw_heads(("", *heads)), lines, title=title, caption=caption, note=note, columns=len(heads)
    )


def draw_matrix(
    rows: Sequence[tuple[str, Sequence[Interval]]],
    heads: Sequence[str],
    *,
    limit: float,
    title: str,
    caption: str,
    note: str,
) -> str:
    """Return a table of AUCs, tinted by their distance from chance; those wholly above the limit are framed."""
    lines = []
    for name, intervals in rows:
        cells = [
            f"<td{' class=told' if interval.lower > limit else ''} "
            f'style="--share:{max(0.0, 2 * interval.value - 1):.4f}">{interval.value:.2f}'
            f"<small>{_write_plain_bounds(interval)}</small></td>"
            for interval in intervals
        ]
        lines.append(f'<tr><th scope="row">{escape(name)}</th>{"".join(cells)}</tr>')
    top = draw_heads(("", *map(escape, heads)))
    return draw_figure("shares matrix", top, lines, title=title, caption=caption, note=note, columns=len(heads))


def draw_reaches(reaches: Iterable[Reach], *, chance: float, limit: float, title: str, caption: str, note: str) -> str:
    """Return one line per interval on a common axis, with the figure in words and a mark beside it."""
    lines = []
    for reach in reaches:
        interval, (style, words) = reach.interval, reach.mark
        lower, upper = (interval.value if np.isnan(end) else end for end in (interval.lower, interval.upper))
        marks = {"value": interval.value, "lower": lower, "upper": upper, "limit": limit, "chance": chance}
        places = ";".join(f"--{name}:{_place(number)}" for name, number in marks.items())
        lines.append(
            f'<tr><th scope="row">{escape(reach.name)}<small>{escape(reach.detail)}</small></th>'
            f'<td class="plot"><span style="{places}" aria-hidden="true">'
            '<span class="limit"></span><span class="line"></span><span class="dot"></span></span>'
            f'<b>{write_auc(interval)}</b> <span class="mark {style}">{escape(words)}</span></td></tr>'
        )
    axis = "".join(
        f'<span style="inset-inline-start:{_place(number)}">{words}</span>'
        for number, words in ((chance, "guessing"), (1.0, "certain"))
    )
    heads = (
        '<tr><th scope="col">Known to the model</th><th scope="col" class="axis">AUC (95 % interval)'
        f'<span aria-hidden="true">{axis}</span></th></tr>'
    )
    return draw_figure("reach", heads, lines, title=title, caption=caption, note=note)


def _place(number: float) -> str:
    low, high = AXIS
    return f"{100 * (min(max(number, low), high) - low) / (high - low):.2f}%"


def _write_plain_bounds(interval: Interval) -> str:
    return "too few" if np.isnan(interval.lower) else f"{interval.lower:.2f}–{interval.upper:.2f}"


def _head_column(column: Column, name_label: Callable[[str], str]) -> str:
    name = escape(name_label(column.label or ""))
    return f"{name}<small>{_write_count(column.pictures, column.groups)}</small>"


def _write_count(pictures: int, groups: int) -> str:
    return f"{count(pictures, 'picture', 'pictures')} of {groups:,}" if pictures else "no picture"


def draw_heads(heads: Iterable[str]) -> str:
    """Return the row of headings of a table, each HTML; an empty one heads nothing."""
    cells = (f'<th scope="col">{head}</th>' if head else "<td></td>" for head in heads)
    return f"<tr>{''.join(cells)}</tr>"


def draw_figure(
    style: str,
    heads: str,
    lines: Iterable[str],
    *,
    title: str,
    caption: str,
    note: str = "",
    columns: int | None = None,
) -> str:
    """Return a table with its caption above it, outside of what scrolls; those with a column per class scroll."""
    name = escape(f"{title}: {caption}")
    width = f' style="--columns:{columns}"' if columns else ""
    table = (
        f'<table class="{style}"{width} aria-label="{name}"><thead>{heads}</thead>\n'
        f"<tbody>{chr(10).join(lines)}</tbody></table>"
    )
    if columns:
        table = f'<div class="scroll" role="group" aria-label="{name}" tabindex="0">{table}</div>'
    small = f"<small>{escape(note)}</small>" if note else ""
    return f'<figure><figcaption class="title">{escape(caption)}{small}</figcaption>{table}</figure>'

"""The tables of the report as CSV files, one each."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from secondlook.evaluation.report.section import Cell, Section, Table

BOUNDS = ("value", "lower", "upper")


def list_sheets(sections: Sequence[Section]) -> dict[str, str]:
    """Return the CSV text of every table and curve, by file name."""
    return {f"{sheet.name}.csv": dump_sheet(sheet) for section in sections for sheet in section.list_sheets()}


def dump_sheet(table: Table) -> str:
    """Return a table as CSV; a measured figure becomes three columns, and what is undefined is empty."""
    wide = [any(isinstance(row[place], Mapping) for row in table.rows) for place in range(len(table.heads))]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    heads = (
        name for head, spread in zip(table.heads, wide, strict=True) for name in _name_columns(head, spread=spread)
    )
    writer.writerow(list(heads))
    for row in table.rows:
        writer.writerow(
            [value for cell, spread in zip(row, wide, strict=True) for value in _spread_cell(cell, spread=spread)]
        )
    return text.getvalue()


def _name_columns(head: str, *, spread: bool) -> Iterator[str]:
    yield head
    if spread:
        yield from (f"{head} {side}".strip() for side in BOUNDS[1:])


def _spread_cell(cell: Cell, *, spread: bool) -> Iterator[str | int | float | None]:
    if isinstance(cell, Mapping):
        yield from (cell.get(side) for side in BOUNDS)
        return
    yield cell
    if spread:
        yield from (None, None)

"""What a section of the report is: words, drawn figures, tables and pictures, each table a CSV file as well.

Every section is one module of this package with one function

    def write_section(source: Source) -> Section | None

which reads the evidence and returns nothing where the evidence does not hold what it is about;
``secondlook.evaluation.report.order`` lists them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from secondlook.conditions import Task
from secondlook.evaluation.answers import Answered

Cell = str | int | float | Mapping[str, float | None] | None


@dataclass(frozen=True, slots=True)
class Source:
    """What sections are written from.

    Attributes:
        evidence: ``evidence.json`` as plain values; what was not measured is missing or empty.
        task: The bundle's task.
        answered: The pictures with what was answered about them, for sections that show some; none where the report
            is written from evidence alone.
    """

    evidence: Mapping[str, Any]
    task: Task
    answered: Answered | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; it is written to ``NAME.csv`` too.

    Attributes:
        name: File name of its CSV without suffix, unique in the report: small letters, digits and hyphens.
        caption: What it holds, shown above it.
        heads: One heading for each column.
        rows: As many cells each. A cell is text, a number, nothing, or a measured figure
            ``{"value", "lower", "upper"}``, which becomes three columns of the CSV.
        note: How to read it, shown below the caption.
        percent: Whether figures are shares, written in per cent.
    """

    name: str
    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    percent: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing, with the points that it is drawn from.

    Attributes:
        caption: What it shows, shown above it.
        alternative: The same in words, for who cannot see it: what stands on the axes, and what can be read off.
        svg: The drawing, as :mod:`secondlook.evaluation.report.plots` makes it.
        points: What is drawn; goes to its CSV, not to the page.
        wide: Whether it needs the width of a sheet of paper.
    """

    caption: str
    alternative: str
    svg: str
    points: Table
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture of the data, read from its file when the page is written; it goes to the page and the PDF alone.

    Attributes:
        path: The file.
        caption: One line or two below it.
    """

    path: Path
    caption: str


@dataclass(frozen=True, slots=True)
class Gallery:
    """Pictures side by side under a heading."""

    caption: str
    pictures: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One section of the report.

    Attributes:
        key: Anchor on the page, unique: small letters, digits and hyphens.
        title: Heading.
        intro: What was asked and how to read the answer, in plain sentences; paragraphs are parted by an empty line.
        verdict: The answer in a sentence or two, shown in a frame; empty for none.
        doubtful: Whether the verdict is a warning.
        figures: Drawings.
        tables: Tables.
        galleries: Pictures of the data.
    """

    key: str
    title: str
    intro: str
    verdict: str = ""
    doubtful: bool = False
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    galleries: tuple[Gallery, ...] = ()

    def list_sheets(self) -> tuple[Table, ...]:
        """Return everything that becomes a CSV file: the points of the figures, and the tables."""
        return (*(figure.points for figure in self.figures), *self.tables)

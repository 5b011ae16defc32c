"""`secondlook compare`: models side by side, and whether a difference could be chance."""

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from secondlook.cli.data import track_on_stderr
from secondlook.cli.files import check_file

if TYPE_CHECKING:
    from secondlook.evaluation.compare.measure import Comparison

WIDTH = 140


class Format(StrEnum):
    """How a comparison is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def compare(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUNS", help="Run folders; or bundles, by folder or shipped name.")
    ],
    manifests: Annotated[
        list[Path] | None,
        typer.Option(
            "--manifest",
            metavar="CSV",
            help="Measure all models of its task on this manifest (repeat, one of each task); without it each run on "
            "its own split.csv.",
        ),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to write it to standard output.")] = Format.TABLE,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="HTML", callback=check_file, help="Also write a page, one file, to be opened."
        ),
    ] = None,
    train_groups: Annotated[
        int,
        typer.Option(min=0, metavar="N", help="Most patients or lesions of the split train to measure; 0 for all."),
    ] = 500,
    margin: Annotated[
        float | None,
        typer.Option(help="Also say whether each is worse than the first by no more than this, for example 0.02."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of samples and bootstrap.")] = 0,
    resamples: Annotated[int, typer.Option(min=100, help="Number of bootstrap resamples.")] = 2000,
) -> None:
    """Compare trained models: every figure with its interval, what each costs, and what could be chance.

    The first one of each task is what the others are compared with: the AUC by DeLong's test, everything else by a
    bootstrap over patients or lesions. A model measured on other test pictures is marked, and no difference is computed
    for it.

    \b
        secondlook compare runs/skin runs/r5-mobilenetv2 -o models.html
        secondlook compare runs/* -o models.html
        secondlook compare skin my-bundle --manifest ham10000.csv --format csv
    """  # noqa: D301  \b keeps the lines of the example apart
    from secondlook.data.manifest import read_manifest
    from secondlook.evaluation.compare.measure import compare_models
    from secondlook.evaluation.compare.page import write_comparisons
    from secondlook.evaluation.compare.report import dump_csv, dump_json, list_marks
    from secondlook.evaluation.compare.runs import find_candidates, part_tasks
    from secondlook.evaluation.paired import check_margin

    check_margin(margin)
    parts = part_tasks(find_candidates(runs, [read_manifest(file) for file in manifests or []]))
    comparisons = [
        compare_models(
            candidates, train_groups=train_groups, margin=margin, seed=seed, resamples=resamples, track=track_on_stderr
        )
        for candidates in parts
    ]
    if output is not None:
        write_comparisons(comparisons, output)
    if form is Format.TABLE:
        print_tables(comparisons)
    else:
        sys.stdout.write(dump_json(comparisons) if form is Format.JSON else dump_csv(comparisons))
    told = Console(stderr=True)
    for mark in (mark for comparison in comparisons for model in comparison.models for mark in list_marks(model)):
        told.print(f"[yellow]{mark}[/]", highlight=False)
    if output is not None:
        told.print(f"Wrote {output.name}.")


def print_tables(comparisons: "Sequence[Comparison]") -> None:
    """Print the tables of each task's models."""
    from secondlook.evaluation.compare.margin import draw_verdicts, list_verdicts
    from secondlook.evaluation.compare.report import draw_tables

    screen = Console(width=None if sys.stdout.isatty() else WIDTH)
    for comparison in comparisons:
        if len(comparisons) > 1:
            screen.rule(comparison.task.names["en"])
        for table in draw_tables(comparison):
            screen.print(table)
        if any(True for _ in list_verdicts(comparison)):
            screen.print(draw_verdicts(comparison))

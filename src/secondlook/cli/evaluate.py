"""`secondlook evaluate`: measure a bundle, and prove that its evidence can be reproduced."""

import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import Progress

if TYPE_CHECKING:
    from secondlook.inference.bundle import Evidence

Item = TypeVar("Item")


def evaluate(
    bundle: Annotated[str, typer.Argument(help="A bundle's folder, or the name of a shipped one, for example skin.")],
    manifest: Annotated[Path, typer.Argument(help="A manifest (CSV): the pictures and what they show.")],
    split: Annotated[str, typer.Option(help="Which split is measured, where the manifest has splits.")] = "test",
    refuse: Annotated[
        Path | None, typer.Option(help="A folder of foreign pictures, to measure which share is refused.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Write the evidence as JSON to stdout.")] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the evidence as JSON to a file.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Compare with the bundle's own evidence; exit 1 on a difference.")
    ] = False,
    tolerance: Annotated[
        float, typer.Option(min=0, help="Greatest difference that --check accepts; other processors round differently.")
    ] = 0.0,
    allow_leak: Annotated[
        bool, typer.Option("--allow-leak", help="Measure in spite of a leak between splits; every figure is marked.")
    ] = False,
    finish: Annotated[
        bool,
        typer.Option("--finish", help="Make a draft a bundle: calibrate it, measure it, write its card, seal it."),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    resamples: Annotated[int, typer.Option(min=100, help="Number of bootstrap resamples.")] = 2000,
) -> None:
    """Measure a bundle through the predictor that serves, with 95 % intervals from a bootstrap over lesions.

    Give the whole manifest that the bundle was trained from: the split test is measured, and the others are searched
    for leaks. A manifest without splits is measured whole. To prove that a bundle's evidence holds:

        secondlook evaluate skin ham10000.csv --check
    """
    from secondlook.data.manifest import read_manifest
    from secondlook.errors import InputError
    from secondlook.evaluation.evidence import dump_evidence, replace_file
    from secondlook.evaluation.run import evaluate_bundle, finish_manifest
    from secondlook.inference.bundle import find_bundle, open_bundle, read_facts

    if check and finish:
        raise typer.BadParameter("--check compares with evidence that --finish writes anew; give one of them.")
    if refuse is not None and not refuse.is_dir():
        raise InputError(f"Expected a folder of pictures for --refuse, {refuse.name!r} is none.")
    folder, data = find_bundle(bundle), read_manifest(manifest)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:

        def track(items: Iterable[Item], description: str, total: int) -> Iterable[Item]:
            return progress.track(items, total=total, description=description)

        measure = finish_manifest if finish else partial(evaluate_bundle, split=split)
        evidence = measure(
            folder, data, refuse=refuse, allow_leak=allow_leak, seed=seed, resamples=resamples, track=track
        )
    print_evidence(evidence, read_facts(folder).task, console)
    if json:
        sys.stdout.write(dump_evidence(evidence))
    if output is not None:
        replace_file(output, dump_evidence(evidence).encode())
    stored = open_bundle(folder).evidence
    if check and (stored is None or not print_check(stored, evidence, tolerance, console)):
        raise typer.Exit(1)


def print_evidence(evidence: "Evidence", task: str, console: Console) -> None:
    """Print the tables of a bundle of this task, and what could not be measured."""
    from secondlook.conditions import find_task
    from secondlook.evaluation.tables import draw_tables

    for table in draw_tables(evidence, find_task(task)):
        console.print(table)
    notes: Any = evidence.manifest["notes"]
    for note in notes:
        console.print(f"[yellow]{note}[/]", highlight=False)


def print_check(stored: "Evidence", measured: "Evidence", tolerance: float, console: Console) -> bool:
    """Compare with the bundle's own evidence, print what differs, and return whether nothing does."""
    from secondlook.evaluation.evidence import compare_evidence, has_outside

    differences = compare_evidence(stored, measured, tolerance=tolerance)
    for line in differences:
        console.print(f"  - {line}", highlight=False)
    if differences:
        console.print(f"[bold red]Not reproduced:[/] {len(differences)} entries differ from the bundle's evidence.")
        return False
    skipped = has_outside(stored) and not has_outside(measured)
    rest = " The refused share of foreign pictures was not measured again; add --refuse for that." if skipped else ""
    console.print(f"[bold green]Reproduced:[/] every entry equals the bundle's evidence.{rest}", highlight=False)
    return True

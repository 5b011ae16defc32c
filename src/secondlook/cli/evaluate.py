"""`secondlook evaluate`: measure a bundle, and prove that its evidence can be reproduced."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import Progress

from secondlook.cli.files import check_file, check_folder, explain_failure
from secondlook.errors import InputError, SecondlookError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from secondlook.evaluation.answers import Answered
    from secondlook.evaluation.parts import Wishes
    from secondlook.evaluation.strangers import Strangers
    from secondlook.inference.bundle import Evidence

Item = TypeVar("Item")

# What a part of the evidence asks for before it is measured again.
NEEDED = {
    "measures.refusals.outside": "--refuse",
    "outside": "--outside",
    "outliers": "--near or --far",
    "attack": "--attack",
}


def evaluate(
    bundle: Annotated[str, typer.Argument(help="A bundle's folder, or the name of a shipped one, for example skin.")],
    manifest: Annotated[Path, typer.Argument(help="A manifest (CSV): the pictures and what they show.")],
    split: Annotated[str, typer.Option(help="Which split is measured, where the manifest has splits.")] = "test",
    refuse: Annotated[
        Path | None, typer.Option(help="A folder of foreign pictures, to measure which share is refused.")
    ] = None,
    near: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=PATH", help="Pictures much like the bundle's that it is not for: folder or CSV."),
    ] = None,
    far: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=PATH", help="Pictures of anything else: a folder or a manifest (CSV)."),
    ] = None,
    outside: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=CSV", help="A further manifest as an outside test, with labels or without."),
    ] = None,
    prevalence: Annotated[
        list[float] | None, typer.Option(help="A share of the diseased to state predictive values for, such as 0.02.")
    ] = None,
    masks: Annotated[
        Path | None, typer.Option(help="A folder of masks of what matters in each picture, to hold heatmaps against.")
    ] = None,
    attack: Annotated[
        Path | None, typer.Option(help="The attack.json of `secondlook attack` on this bundle, to be in its evidence.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave out robustness, repeatability and the truth of explanations.")
    ] = False,
    every: Annotated[
        bool, typer.Option("--every-picture", help="Measure these on every picture, not on a sample; takes hours.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Write the evidence as JSON to stdout.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            callback=lambda path: check_file(path) if path and path.suffix == ".json" else check_folder(path),
            help="Write a report (HTML, PDF, CSV) into a folder; or FILE.json alone.",
        ),
    ] = None,
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
    for leaks. A manifest without splits is measured whole. To write a report, and to prove that evidence holds:

    \b
        secondlook evaluate skin ham10000.csv -o report/
        secondlook evaluate skin ham10000.csv --check
    """  # noqa: D301  \b keeps the lines of the example apart
    from secondlook.data.manifest import read_manifest
    from secondlook.evaluation.evidence import dump_evidence
    from secondlook.evaluation.run import examine_bundle, finish_manifest
    from secondlook.inference.bundle import find_bundle, open_bundle, read_facts

    if check and finish:
        raise typer.BadParameter("--check compares with evidence that --finish writes anew; give one of them.")
    require_folders({"--refuse": refuse, "--masks": masks})
    folder, data = find_bundle(bundle), read_manifest(manifest)
    wishes: Wishes = {
        "refuse": refuse,
        "strangers": (*find_kinds(near, near=True), *find_kinds(far, near=False)),
        "outside": {name: read_manifest(path, labelled=False) for name, path in split_pairs(outside, "--outside")},
        "masks": masks,
        "attack": attack,
        "prevalences": check_prevalences(prevalence),
        "quick": quick,
        "every": every,
        "seed": seed,
        "resamples": resamples,
    }
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:

        def track(items: Iterable[Item], description: str, total: int) -> Iterable[Item]:
            return progress.track(items, total=total, description=description)

        if finish:
            evidence, answered = finish_manifest(folder, data, allow_leak=allow_leak, track=track, **wishes)
        else:
            evidence, answered = examine_bundle(folder, data, split=split, allow_leak=allow_leak, track=track, **wishes)
    task = read_facts(folder).task
    print_evidence(evidence, task, console)
    if json:
        sys.stdout.write(dump_evidence(evidence))
    if output is not None:
        try:
            write_output(output, evidence, task, answered, console)
        except SecondlookError:
            # It may be hours of work.
            console.print("[yellow]The evidence is on standard output instead.[/]")
            sys.stdout.write("" if json else dump_evidence(evidence))
            raise
    stored = open_bundle(folder).evidence
    if check and (stored is None or not print_check(stored, evidence, tolerance, console)):
        raise typer.Exit(1)


def require_folders(options: "Mapping[str, Path | None]") -> None:
    """Refuse an option that names no folder, before any work.

    Raises:
        InputError: One does not.
    """
    for option, path in options.items():
        if path is not None and not path.is_dir():
            raise InputError(f"Expected a folder of pictures for {option}, {path.name!r} is none.")


def split_pairs(options: list[str] | None, name: str) -> "list[tuple[str, Path]]":
    """Return the names and paths of options written as ``NAME=PATH``."""
    pairs = [option.partition("=") for option in options or ()]
    wrong = [label for label, sign, path in pairs if not (label and sign and path)]
    if wrong:
        raise typer.BadParameter(f"Expected NAME=PATH, got {wrong[0]!r}.", param_hint=name)
    names = [label for label, _, _ in pairs]
    if len(set(names)) < len(names):
        raise typer.BadParameter("Expected a different name for each.", param_hint=name)
    return [(label, Path(path)) for label, _, path in pairs]


def find_kinds(options: list[str] | None, *, near: bool) -> "list[Strangers]":
    """Return the kinds of pictures that a bundle is not for."""
    from secondlook.evaluation.strangers import find_strangers

    pairs = split_pairs(options, "--near" if near else "--far")
    return [find_strangers(name, place, near=near) for name, place in pairs]


def check_prevalences(shares: list[float] | None) -> tuple[float, ...]:
    """Return the prevalences asked for."""
    if any(not 0 < share < 1 for share in shares or ()):
        raise typer.BadParameter("Expected a share above 0 and below 1, such as 0.02.", param_hint="--prevalence")
    return tuple(shares or ())


def write_output(output: Path, evidence: "Evidence", task: str, answered: "Answered", console: Console) -> None:
    """Write the evidence to a JSON file, or a whole report into a folder; say what could not be written."""
    from secondlook.data.files import replace_file
    from secondlook.evaluation.evidence import dump_evidence
    from secondlook.evaluation.report.write import write_report

    if output.suffix == ".json":
        with explain_failure(output):
            replace_file(output, dump_evidence(evidence).encode())
        return
    for sentence in write_report(output, evidence, task=task, answered=answered):
        console.print(f"[yellow]{sentence}[/]", highlight=False)
    console.print(f"Wrote the report into {output.name}.", highlight=False)


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
    from secondlook.evaluation.evidence import compare_evidence, list_skipped

    differences = compare_evidence(stored, measured, tolerance=tolerance)
    for line in differences:
        console.print(f"  - {line}", highlight=False)
    if differences:
        console.print(f"[bold red]Not reproduced:[/] {len(differences)} entries differ from the bundle's evidence.")
        return False
    skipped = list_skipped(stored, measured)
    options = ", ".join(dict.fromkeys(NEEDED.get(part, "no --quick") for part in skipped))
    rest = f" Not measured again: {', '.join(skipped)}; that needs {options}." if skipped else ""
    console.print(f"[bold green]Reproduced:[/] every entry equals the bundle's evidence.{rest}", highlight=False)
    return True

"""`secondlook router`: make what leads a picture to its task, and measure it."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from secondlook.cli.data import track_on_stderr
from secondlook.cli.evaluate import find_kinds
from secondlook.cli.files import check_folder

router_app = typer.Typer(help="Make and measure the router, which leads a picture to its task.", no_args_is_help=True)

Manifests = Annotated[list[Path], typer.Argument(metavar="MANIFESTS", help="A manifest (CSV) with splits per task.")]


@router_app.command("fit")
def fit(
    manifests: Manifests,
    output: Annotated[Path, typer.Option(callback=check_folder, help="Folder for router.json and router.npz.")],
) -> None:
    """Learn from the splits train what the pictures of each task look like; take the limits from calibration."""
    from secondlook.data.manifest import read_manifest
    from secondlook.evaluation.routing import fit_router

    console = Console(stderr=True)
    facts = fit_router([read_manifest(path) for path in manifests], output, track=track_on_stderr)
    for one in facts.tasks:
        console.print(f"{one.task}: {one.pictures} pictures of {one.groups} patients or lesions", highlight=False)
    console.print(f"Written to {output.name}. Measure it: secondlook router measure …", highlight=False)


@router_app.command("measure")
def measure(
    manifests: Manifests,
    far: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=PATH", help="Pictures of no task: a folder or a manifest; may be repeated."),
    ] = None,
    near: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=PATH", help="Pictures of a task from elsewhere; may be repeated."),
    ] = None,
    router: Annotated[Path | None, typer.Option(help="The router's folder; default: the shipped one.")] = None,
    bundle: Annotated[
        str,
        typer.Option(help="Bundles that answer, by name or folder, separated by commas; default: all shipped ones."),
    ] = "",
    keep: Annotated[bool, typer.Option("--keep", help="Write the figures into router.json.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Write the figures as JSON to stdout.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of halves and bootstrap.")] = 0,
    resamples: Annotated[int, typer.Option(min=100, help="Number of bootstrap resamples.")] = 2000,
) -> None:
    """Measure where pictures of the splits test are led, and strangers, and which share is refused in the end."""
    import json as writer

    from secondlook.data.manifest import read_manifest
    from secondlook.evaluation.routing import measure_routing, write_facts
    from secondlook.evaluation.strangers import draw_strangers
    from secondlook.inference.auto import load_auto
    from secondlook.inference.router import SHIPPED, load_router

    folder = router or SHIPPED
    kinds = [*find_kinds(near, near=True), *find_kinds(far, near=False), *draw_strangers()]
    auto = load_auto(split_names(bundle), router=load_router(folder))
    console = Console(stderr=True)
    tables = [read_manifest(path) for path in manifests]
    measured = measure_routing(auto, tables, kinds, seed=seed, resamples=resamples, track=track_on_stderr)
    console.print(draw_routing(measured))
    if keep:
        write_facts(folder, load_router(folder).facts.model_copy(update={"measured": measured}))
    if json:
        sys.stdout.write(writer.dumps(measured, indent=2) + "\n")


def split_names(names: str) -> tuple[str, ...]:
    """Return what commas separate."""
    return tuple(part.strip() for part in names.split(",") if part.strip())


def draw_routing(measured: dict[str, Any]) -> Table:
    """Return a table with one row per set and one column per task."""
    tasks = list(next(iter(measured["sets"].values()))["led"])
    table = Table(
        title="Led to, or in the end refused: per cent, with 95 % intervals",
        box=SIMPLE,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for heading in ("Pictures", "Number", *tasks, "Refused"):
        table.add_column(heading, overflow="fold")
    for name, one in measured["sets"].items():
        cells = [write_cell(one["led"][task]) for task in tasks]
        table.add_row(name, f"{one['pictures']} of {one['groups']}", *cells, write_cell(one["refused"]))
    return table


def write_cell(figure: dict[str, float | None]) -> str:
    """Return a share in per cent, and its bounds below, where it has some."""
    value, lower, upper = (
        "–" if share is None else f"{100 * share:.1f}".removesuffix(".0")
        for share in (figure["value"], figure["lower"], figure["upper"])
    )
    return value if "–" in (lower, upper) else f"{value}\n{lower}–{upper}"

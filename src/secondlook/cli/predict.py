"""`secondlook predict`: a bundle's answer for each picture, as a table, JSON or CSV."""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from secondlook.cli.files import (
    Format,
    check_folder,
    check_output,
    choose_format,
    explain_failure,
    find_common_folder,
    find_pictures,
    open_output,
)
from secondlook.cli.records import Record, describe_prediction, write_csv, write_json, write_table
from secondlook.cli.router import split_names
from secondlook.errors import InputError

if TYPE_CHECKING:
    from secondlook.imaging.read import Picture
    from secondlook.inference.auto import Unplaced
    from secondlook.inference.predictor import Prediction, Predictor
    from secondlook.inference.router import Route

MAX_WORKERS = 8
HEATMAP_SIDE_PX = 1024
KINDS = {
    "class_activation": "places whose sum gives the answer",
    "head_by_place": "what the model says of each place by itself",
    "occlusion": "found by hiding one part of the picture after another",
}
AUTO, USUAL = "auto", "skin"

Ask = Callable[[Path], "tuple[Prediction | Unplaced, Route | None]"]


WRITERS = {Format.TABLE: write_table, Format.JSON: write_json, Format.CSV: write_csv}


def predict(
    paths: Annotated[list[str], typer.Argument(metavar="PATHS", help="Pictures, folders (with all below) or globs.")],
    bundle: Annotated[
        str, typer.Option(help="A bundle by shipped name or folder; several, separated by commas, for --task auto.")
    ] = "",
    task: Annotated[
        str, typer.Option(help="auto (each picture's own task), skin, chest or knee; default: the bundle's, else skin.")
    ] = "",
    router: Annotated[Path | None, typer.Option(help="For --task auto: a router's folder instead of ours.")] = None,
    form: Annotated[
        Format | None, typer.Option("--format", help="Default: by the output file's suffix, else table.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(callback=check_output, help="Write here instead of to standard output.")
    ] = None,
    heatmaps: Annotated[
        Path | None,
        typer.Option(callback=check_folder, help="Also write each picture with its heatmap as PNG here."),
    ] = None,
    heatmap_label: Annotated[
        str,
        typer.Option(metavar="LABEL", help="Whose heatmap: where the picture speaks for this label; default: its own."),
    ] = "",
) -> None:
    """Say for each picture what the model recognises, how likely it is a disease, and what to do next.

    A picture that cannot be read is reported, in its own row, and does not stop the rest; the exit code is then 1.
    It supports a decision; it does not diagnose.
    """
    pictures = find_pictures(paths)
    ask, predictors = choose_predictors(bundle, task=task, router=router)
    console = Console(stderr=True)
    check_label(heatmap_label, predictors.values())
    records = answer_all(ask, pictures, heatmaps=heatmaps, label=heatmap_label, console=console)
    with open_output(output) as stream:
        WRITERS[form or choose_format(output)](records, predictors, stream)
    failed = sum(record["error"] is not None for record in records)
    kinds = dict.fromkeys(KINDS[one.bundle.facts.graph.map] for one in predictors.values())
    kind = f" Heatmaps: {'; '.join(kinds)}." if heatmaps else ""
    console.print(f"{len(records) - failed} read, {failed} not read.{kind}", highlight=False)
    if failed:
        raise typer.Exit(1)


def choose_predictors(bundle: str, *, task: str, router: Path | None) -> "tuple[Ask, dict[str, Predictor]]":
    """Return what answers a picture, and the bundles behind it by task.

    Raises:
        InputError: The task is unknown, or no bundle is for it.
        BundleError: A bundle or the router cannot be trusted or read.
    """
    if router is not None and task != AUTO:
        raise typer.BadParameter("A router leads pictures to tasks; give --task auto too.", param_hint="--router")
    if task == AUTO:
        return ask_auto(split_names(bundle), router)
    from secondlook.inference.predictor import load_predictor

    predictor = load_predictor(find_name(bundle, task))
    return lambda path: (predictor.predict(path), None), {predictor.task.key: predictor}


def ask_auto(names: tuple[str, ...], folder: Path | None) -> "tuple[Ask, dict[str, Predictor]]":
    """Return what leads a picture to its task and answers it there, and the bundles by task."""
    from secondlook.inference.auto import load_auto
    from secondlook.inference.router import SHIPPED, load_router

    auto = load_auto(names, router=load_router(folder or SHIPPED))

    def ask(path: Path) -> "tuple[Prediction | Unplaced, Route | None]":
        looked = auto.look(path)
        return looked.prediction, looked.route

    return ask, dict(auto.predictors)


def find_name(bundle: str, task: str) -> str:
    """Return the bundle that was named, if it is for the task, or else the first shipped one that is.

    Raises:
        InputError: There is none.
    """
    from secondlook.inference.bundle import find_bundle, list_bundles, read_facts

    if bundle and not task:
        return bundle
    known = {name: read_facts(find_bundle(name)).task for name in ([bundle] if bundle else list_bundles())}
    for name, its in known.items():
        if its == (task or USUAL):
            return name
    tasks = ", ".join(sorted({*known.values()}))
    raise InputError(f"Expected a task, auto or one that a bundle here is for ({tasks}); got {task!r}.")


def check_label(label: str, predictors: "Iterable[Predictor]") -> None:
    """Refuse a label that none of the bundles knows."""
    known = [key for predictor in predictors for key in predictor.task.keys]
    if label and label not in known:
        raise typer.BadParameter(f"Expected one of {', '.join(known)}; got {label!r}.", param_hint="--heatmap-label")


def answer_all(
    ask: Ask, pictures: Sequence[Path], *, heatmaps: Path | None, label: str, console: Console
) -> list[Record]:
    """Return one record per picture, in order; report those that cannot be read."""
    root = find_common_folder(pictures)
    columns = (TextColumn("Looking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    progress = Progress(
        *columns, console=console, transient=True, redirect_stdout=False, disable=not console.is_terminal
    )

    def answer(path: Path) -> Record:
        target = heatmaps / f"{path.absolute().relative_to(root)}.png" if heatmaps else None
        return answer_one(ask, path, heatmap=target, label=label)

    records = []
    # Reading and inference both let go of the interpreter's lock, so each core works on a picture of its own.
    # When it is interrupted, `map` cancels what has not begun.
    with ThreadPoolExecutor(count_workers()) as pool, progress:
        for record in progress.track(pool.map(answer, pictures), total=len(pictures)):
            if record["error"] is not None:
                console.print(Text.assemble((f"{record['image']}: ", "red"), record["error"]), soft_wrap=True)
            records.append(record)
    return records


def count_workers() -> int:
    """Return how many pictures to work on at once: the cores that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MAX_WORKERS)


def answer_one(ask: Ask, path: Path, *, heatmap: Path | None, label: str) -> Record:
    """Return the record of one picture, its error filled in when it cannot be read; write its heatmap if asked."""
    from secondlook.imaging.read import read_picture
    from secondlook.inference.auto import Unplaced

    image = os.fsencode(path).decode("utf-8", "replace")
    try:
        prediction, route = ask(path)
        # For looking at, more pixels are wanted than for predicting.
        shown = read_picture(path, target_px=HEATMAP_SIDE_PX // 2) if heatmap else None
    except InputError as error:
        return {"image": image, "error": str(error)}
    if heatmap and shown and not isinstance(prediction, Unplaced):
        write_heatmap(shown, prediction, heatmap, label=label)
    return {"image": image, **describe_prediction(prediction, route), "error": None}


def write_heatmap(picture: "Picture", prediction: "Prediction", path: Path, *, label: str) -> None:
    """Write a picture with the heatmap of a label over it as PNG, its longer side at most 1,024 pixels.

    The label is the one that the bundle names where the one asked for is none of the picture's task.

    Raises:
        InputError: The file cannot be written.
    """
    import numpy as np
    from PIL import Image

    from secondlook.data.files import replace_file
    from secondlook.explanation.overlay import blend_overlay, encode_png

    small = Image.fromarray(picture.pixels)
    small.thumbnail((HEATMAP_SIDE_PX, HEATMAP_SIDE_PX))
    with explain_failure(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        heatmap = prediction.heatmaps.get(label, prediction.heatmap)
        replace_file(path, encode_png(blend_overlay(np.asarray(small), heatmap, seen=prediction.seen)))

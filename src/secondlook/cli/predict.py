"""`secondlook predict`: a bundle's answer for each picture, as a table, JSON or CSV."""

import csv
import glob
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from secondlook.errors import InputError

if TYPE_CHECKING:
    from secondlook.imaging.read import Picture
    from secondlook.inference.predictor import Prediction, Predictor

PICTURE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".heic", ".heif"}
    | {".dcm", ".dicom", ".dic"}
)
SNIFFED_BYTES = 132
MAX_WORKERS = 8
HEATMAP_SIDE_PX = 1024
PLAIN_WIDTH = 160
KINDS = {
    "class_activation": "places whose sum gives the answer",
    "head_by_place": "what the model says of each place by itself",
    "occlusion": "found by hiding one part of the picture after another",
}
COLOURS = {"urgent": "bold red", "refer": "yellow", "routine": "green", "not_evaluable": "magenta"}

Record = dict[str, Any]


class Format(StrEnum):
    """How answers are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def predict(
    paths: Annotated[list[str], typer.Argument(metavar="PATHS", help="Pictures, folders (with all below) or globs.")],
    bundle: Annotated[
        str, typer.Option(help="A shipped bundle's name, such as skin, chest or knee, or a bundle folder.")
    ] = "skin",
    form: Annotated[
        Format | None, typer.Option("--format", help="Default: by the output file's suffix, else table.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Write here instead of to standard output.")] = None,
    heatmaps: Annotated[Path | None, typer.Option(help="Also write each picture with its heatmap as PNG here.")] = None,
) -> None:
    """Say for each picture what the model recognises, how likely it is a disease, and what to do next.

    A picture that cannot be read is reported, in its own row, and does not stop the rest; the exit code is then 1.
    It supports a decision; it does not diagnose.
    """
    check_output(output)
    pictures = find_pictures(paths)
    from secondlook.inference.predictor import load_predictor

    predictor = load_predictor(bundle)
    console = Console(stderr=True)
    records = answer_all(predictor, pictures, heatmaps=heatmaps, console=console)
    with open_output(output) as stream:
        WRITERS[form or choose_format(output)](records, predictor, stream)
    failed = sum(record["error"] is not None for record in records)
    kind = f" Heatmaps: {KINDS[predictor.bundle.facts.graph.map]}." if heatmaps else ""
    console.print(f"{len(records) - failed} read, {failed} not read.{kind}", highlight=False)
    if failed:
        raise typer.Exit(1)


def check_output(output: Path | None) -> None:
    """Refuse an output that could only fail after all the work."""
    if output is None:
        return
    if not output.absolute().parent.is_dir():
        raise typer.BadParameter(f"There is no folder for {output.name}; make it first.", param_hint="--output")
    if output.exists() and not output.is_file():
        raise typer.BadParameter(f"{output.name} is there and no plain file; choose another.", param_hint="--output")


def choose_format(output: Path | None) -> Format:
    """Return the format that the output's name asks for, else a table."""
    suffix = output.suffix.lower() if output else ""
    return {".csv": Format.CSV, ".json": Format.JSON}.get(suffix, Format.TABLE)


def find_pictures(paths: Sequence[str]) -> list[Path]:
    """Return the files that paths, folders and globs stand for, each once, sorted.

    A name that is no file and matches nothing stays in the list, so that it is reported like any unreadable picture.

    Raises:
        InputError: Nothing at all was found.
    """
    found: set[Path] = set()
    for path in paths:
        # Path.glob takes no absolute pattern.
        matches = [path] if Path(path).exists() else glob.glob(path, recursive=True) or [path]  # noqa: PTH207
        for match in map(Path, matches):
            found.update(walk_folder(match) if match.is_dir() else [match])
    if not any(path.exists() for path in found):
        raise InputError(f"Expected pictures, found none in: {', '.join(paths)}. Check the names.")
    return sorted(found, key=str)


def walk_folder(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder that are pictures by name or by content, without hidden ones."""
    unreadable: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=unreadable.append):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files = [Path(parent, name) for name in names if not name.startswith(".")]
        yield from (path for path in files if path.suffix.lower() in PICTURE_SUFFIXES or looks_like_picture(path))
    yield from (Path(error.filename) for error in unreadable)


def looks_like_picture(path: Path) -> bool:
    """Return whether a file's first bytes are a picture's."""
    from secondlook.imaging.signature import find_format

    try:
        with path.open("rb") as stream:
            find_format(stream.read(SNIFFED_BYTES))
    except (InputError, OSError):
        return False
    return True


def answer_all(
    predictor: "Predictor", pictures: Sequence[Path], *, heatmaps: Path | None, console: Console
) -> list[Record]:
    """Return one record per picture, in order; report those that cannot be read."""
    root = find_common_folder(pictures)
    columns = (TextColumn("Looking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    progress = Progress(
        *columns, console=console, transient=True, redirect_stdout=False, disable=not console.is_terminal
    )

    def answer(path: Path) -> Record:
        target = heatmaps / f"{path.absolute().relative_to(root)}.png" if heatmaps else None
        return answer_one(predictor, path, heatmap=target)

    records = []
    # Reading and inference both let go of the interpreter's lock, so each core works on a picture of its own.
    # When it is interrupted, `map` cancels what has not begun.
    with ThreadPoolExecutor(count_workers()) as pool, progress:
        for record in progress.track(pool.map(answer, pictures), total=len(pictures)):
            if record["error"] is not None:
                console.print(Text.assemble((f"{record['image']}: ", "red"), record["error"]), soft_wrap=True)
            records.append(record)
    return records


def find_common_folder(pictures: Sequence[Path]) -> Path:
    """Return the deepest folder that holds all pictures."""
    return Path(os.path.commonpath([path.absolute().parent for path in pictures]))


def count_workers() -> int:
    """Return how many pictures to work on at once: the cores that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MAX_WORKERS)


def answer_one(predictor: "Predictor", path: Path, *, heatmap: Path | None) -> Record:
    """Return the record of one picture, its error filled in when it cannot be read; write its heatmap if asked."""
    from secondlook.imaging.read import read_picture

    image = os.fsencode(path).decode("utf-8", "replace")
    try:
        prediction = predictor.predict(path)
        # For looking at, more pixels are wanted than for predicting.
        shown = read_picture(path, target_px=HEATMAP_SIDE_PX // 2) if heatmap else None
    except InputError as error:
        return {"image": image, "error": str(error)}
    if heatmap and shown:
        write_heatmap(shown, prediction, heatmap)
    return {"image": image, **describe_prediction(prediction), "error": None}


def write_heatmap(picture: "Picture", prediction: "Prediction", path: Path) -> None:
    """Write a picture with the heatmap of its label over it as PNG, its longer side at most 1,024 pixels.

    Raises:
        InputError: The file cannot be written.
    """
    import numpy as np
    from PIL import Image

    from secondlook.explanation.overlay import blend_overlay, encode_png

    small = Image.fromarray(picture.pixels)
    small.thumbnail((HEATMAP_SIDE_PX, HEATMAP_SIDE_PX))
    with explain_failure(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(blend_overlay(np.asarray(small), prediction.heatmap, seen=prediction.seen)))


def describe_prediction(prediction: "Prediction") -> Record:
    """Return a prediction as JSON has it, under the names that the API uses."""
    return {
        "task": prediction.task,
        "label": prediction.label,
        "probabilities": dict(prediction.probabilities),
        "risk": prediction.risk,
        "malignancy": prediction.malignancy,
        "triage": prediction.triage,
        "reasons": [
            {"code": reason.code, "text": reason.describe(), "figures": dict(reason.figures)}
            for reason in prediction.reasons
        ],
        "quality": {
            "evaluable": prediction.quality.evaluable,
            "flags": [
                {"code": flag.code, "figure": flag.figure, "limit": flag.limit, "text": flag.describe("en")}
                for flag in prediction.quality.flags
            ],
        },
        "prediction_set": list(prediction.prediction_set),
        "undecided": prediction.undecided,
        "outlier_score": prediction.outlier_score,
        "heatmap_kind": prediction.heatmap_kind,
        "bundle": {
            "name": prediction.bundle.name,
            "version": prediction.bundle.version,
            "hash": prediction.bundle.sha256,
        },
    }


def write_json(records: Sequence[Record], _predictor: "Predictor", stream: TextIO) -> None:
    """Write an array with one object per picture."""
    json.dump(records, stream, indent=2, ensure_ascii=False)
    stream.write("\n")


def write_csv(records: Sequence[Record], predictor: "Predictor", stream: TextIO) -> None:
    """Write one row per picture, with a probability column per label of the task."""
    shares = [f"p_{key}" for key in predictor.task.keys]
    columns = ["image", "task", "label", "malignancy", "triage", *shares, "outlier", "quality", "error"]
    writer = csv.DictWriter(stream, columns, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for record in records:
        row = dict(record)
        if record["error"] is None:
            row.update({f"p_{key}": value for key, value in record["probabilities"].items()})
            row.update(outlier=record["outlier_score"], quality=list_flags(record))
        writer.writerow(row)


def write_table(records: Sequence[Record], predictor: "Predictor", stream: TextIO) -> None:
    """Write a table for reading."""
    facts, shares = predictor.bundle.facts, predictor.usual_shares
    table = Table(
        *("Picture", "Triage", predictor.task.risk["en"], "Label"),
        caption=f"{facts.name} {facts.version}, {predictor.bundle.sha256[:12]}. Supports a decision; is no diagnosis.",
        caption_justify="left",
    )
    for record in records:
        name = Text(record["image"], overflow="fold")
        if record["error"] is not None:
            table.add_row(name, Text("not read", "red"), "", Text(record["error"]))
            continue
        triage = record["triage"]
        share = f"{record['probabilities'][record['label']]:.1%} (usual share {shares[record['label']]:.1%})"
        note = "" if triage != "not_evaluable" else f" ({explain_refusal(record)})"
        verdict = Text(triage.replace("_", " ") + note, COLOURS[triage])
        label = predictor.task.find_label(record["label"]).names["en"]
        table.add_row(name, verdict, f"{record['risk']:.1%}", f"{label}, {share}")
    Console(file=stream, width=None if stream.isatty() else PLAIN_WIDTH).print(table)


def list_flags(record: Record) -> str:
    """Return the codes of the quality flags, or ok."""
    return ";".join(flag["code"] for flag in record["quality"]["flags"]) or "ok"


def explain_refusal(record: Record) -> str:
    """Return in few words why a picture is not evaluable."""
    return "quality: " + list_flags(record) if not record["quality"]["evaluable"] else "unlike the calibration pictures"


WRITERS = {Format.TABLE: write_table, Format.JSON: write_json, Format.CSV: write_csv}


@contextmanager
def open_output(path: Path | None) -> Iterator[TextIO]:
    """Give standard output, or a file that appears under its name only when it is whole.

    Raises:
        InputError: The file cannot be written.
    """
    if path is None:
        if isinstance(sys.stdout, io.TextIOWrapper) and not sys.stdout.isatty():
            sys.stdout.reconfigure(encoding="utf-8")
        yield sys.stdout
        return
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with explain_failure(path):
            with temporary.open("w", encoding="utf-8", newline="") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def explain_failure(path: Path) -> Iterator[None]:
    """Turn a failure to write into a sentence.

    Raises:
        InputError: Writing failed.
    """
    try:
        yield
    except OSError as error:
        raise InputError(f"Cannot write {path.name}: {error.strerror}. Choose another place, or free some.") from error

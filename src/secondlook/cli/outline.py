"""`secondlook outline`: find lesions in photographs, measure their outlines, and measure how well that works."""

import csv
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from typer.core import TyperGroup

from secondlook.cli.data import track_on_stderr
from secondlook.cli.files import (
    Format,
    check_file,
    check_folder,
    check_output,
    choose_format,
    explain_failure,
    find_common_folder,
    find_pictures,
    open_output,
)
from secondlook.errors import InputError, RecipeError

if TYPE_CHECKING:
    from secondlook.data.masks import Masked
    from secondlook.evaluation.outlines import Agreement
    from secondlook.explanation.abcd import Outline
    from secondlook.explanation.segmentation import ColourRange, Method, Segment

Record = dict[str, Any]

READ_PX = 512
PLAIN_WIDTH = 160
COLUMNS = ("image", "method", "asymmetry", "irregularity", "colours", "diameter_px", "diameter_mm", "area_share", "cut",
           "error")  # fmt: skip


class PicturesFirst(TyperGroup):
    """A group that takes pictures where it is given no command: `outline PATHS` is `outline draw PATHS`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `draw` in front unless a command or a call for help stands there."""
        if args and args[0] not in (*self.commands, "--help"):
            args = ["draw", *args]
        return super().parse_args(ctx, args)


outline_app = typer.Typer(
    name="outline",
    cls=PicturesFirst,
    no_args_is_help=True,
    help="Find the lesion in photographs of skin and measure its outline. `outline PATHS` means `outline draw PATHS`.",
)

Network = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Use a network of your own, from `secondlook outline train`.")
]


@outline_app.command()
def draw(
    paths: Annotated[list[str], typer.Argument(metavar="PATHS", help="Pictures, folders (with all below) or globs.")],
    method: Annotated[
        str | None, typer.Option(help="How to find the lesion: network (default), walk, kmeans or otsu.")
    ] = None,
    colour_range: Annotated[
        str | None,
        typer.Option(
            metavar="R-R,G-G,B-B", help="Take colours between these for lesion, 0 to 255: 60-170,30-120,20-110."
        ),
    ] = None,
    network: Network = None,
    pixels_per_mm: Annotated[
        float | None,
        typer.Option(
            min=0.01, help="Pixels of the original file that one millimetre spans, as counted on a ruler in it."
        ),
    ] = None,
    form: Annotated[
        Format | None, typer.Option("--format", help="Default: by the output file's suffix, else table.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(callback=check_output, help="Write here instead of to standard output.")
    ] = None,
    drawings: Annotated[
        Path | None,
        typer.Option(callback=check_folder, help="Also write each picture with its outline and figures as PNG here."),
    ] = None,
) -> None:
    """Outline the lesion in each picture, and give four figures of the outline.

    ASYMMETRY: share of the area without a mirror image across two axes at right angles; 0 is symmetric.
    BORDER irregularity: border length squared over 4π times the area; 1 is a circle.
    COLOURS: which of white, red, light brown, dark brown, blue-grey and black make up a twentieth or more of it.
    DIAMETER: the greatest width, in pixels; in millimetres for DICOM files that state them, or with --pixels-per-mm.

    They are figures of the outline, not of a disease. A picture without a lesion that can be found has none; one that
    cannot be read is reported in its own row, and the exit code is then 1.

    \b
        secondlook outline mole.jpg --drawings drawn
        secondlook outline photos --format csv --output outlines.csv
        secondlook outline mole.jpg --colour-range 60-170,30-120,20-110
    """  # noqa: D301  \b keeps the lines of the example apart
    name, segment = choose_segment(method, colour_range, network)
    pictures = find_pictures(paths)
    root, console = find_common_folder(pictures), Console(stderr=True)
    records = []
    for path in track_on_stderr(pictures, "Outlining", len(pictures)):
        target = drawings / f"{path.absolute().relative_to(root)}.png" if drawings else None
        record = outline_one(path, segment, mm_per_px=1 / pixels_per_mm if pixels_per_mm else None, drawing=target)
        if record["error"] is not None:
            console.print(Text.assemble((f"{record['image']}: ", "red"), record["error"]), soft_wrap=True)
        records.append({**record, "method": name})
    with open_output(output) as stream:
        WRITERS[form or choose_format(output)](records, stream)
    found = sum(record.get("outline") is not None for record in records)
    failed = sum(record["error"] is not None for record in records)
    console.print(
        f"{found} outlined, {len(records) - found - failed} without a lesion that was found, {failed} not read."
    )
    if failed:
        raise typer.Exit(1)


def choose_segment(method: str | None, colour_range: str | None, network: Path | None) -> "tuple[str, Segment]":
    """Return the method's name and function.

    Raises:
        InputError: There is no such method.
    """
    from secondlook.explanation.segmentation import DEFAULT, OutlineNetwork, find_method

    if sum(choice is not None for choice in (method, colour_range, network)) > 1:
        raise typer.BadParameter("Give one of --method, --colour-range and --network.", param_hint="--method")
    if network is not None:
        return "network", OutlineNetwork(network)
    if colour_range is not None:
        return "range", parse_range(colour_range)
    return method or DEFAULT, find_method(method or DEFAULT).segment


def parse_range(text: str) -> "ColourRange":
    """Return the colour range that a text such as ``60-170,30-120,20-110`` gives."""
    from secondlook.explanation.segmentation import ColourRange

    found = re.fullmatch(r"(\d+)-(\d+),(\d+)-(\d+),(\d+)-(\d+)", text.replace(" ", ""))
    ends = [int(end) for end in found.groups()] if found else []
    low, high = ends[::2], ends[1::2]
    if not ends or any(not one <= other <= 255 for one, other in zip(low, high, strict=True)):
        raise typer.BadParameter(
            f"Expected least and greatest red, green and blue, 0 to 255, such as 60-170,30-120,20-110; got {text!r}.",
            param_hint="--colour-range",
        )
    return ColourRange((low[0], low[1], low[2]), (high[0], high[1], high[2]))


def outline_one(path: Path, segment: "Segment", *, mm_per_px: float | None, drawing: Path | None) -> Record:
    """Return the record of one picture, its error filled in when it cannot be read; write its drawing if asked.

    Raises:
        InputError: The drawing cannot be written.
    """
    from secondlook.data.files import replace_file
    from secondlook.explanation.abcd import outline_picture
    from secondlook.explanation.overlay import encode_png
    from secondlook.explanation.sketch import sketch_outline
    from secondlook.imaging.read import read_picture

    try:
        picture = read_picture(path, target_px=READ_PX)
    except InputError as error:
        return {"image": str(path), "outline": None, "error": str(error)}
    outline = outline_picture(picture, segment=segment, mm_per_px=mm_per_px)
    if drawing and outline:
        with explain_failure(drawing):
            drawing.parent.mkdir(parents=True, exist_ok=True)
            replace_file(drawing, encode_png(sketch_outline(picture.pixels, outline)))
    return {"image": str(path), "outline": outline and describe_outline(outline), "error": None}


def describe_outline(outline: "Outline") -> Record:
    """Return an outline as JSON has it."""
    width, height = outline.size
    return {
        "asymmetry": outline.asymmetry,
        "axis_degrees": outline.axis_degrees,
        "irregularity": outline.irregularity,
        "colours": dict(outline.colours),
        "present": list(outline.present),
        "diameter_px": outline.diameter_px,
        "diameter_mm": outline.diameter_mm,
        "area_share": outline.area_share,
        "cut": outline.cut,
        "border": [[round(x / width, 5), round(y / height, 5)] for x, y in outline.border.tolist()],
    }


def write_json(records: Sequence[Record], stream: TextIO) -> None:
    """Write an array with one object per picture."""
    json.dump(records, stream, indent=2, ensure_ascii=False)
    stream.write("\n")


def write_csv(records: Sequence[Record], stream: TextIO) -> None:
    """Write one row per picture."""
    writer = csv.DictWriter(stream, COLUMNS, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for record in records:
        outline = record["outline"] or {}
        writer.writerow({**outline, **record, "colours": ";".join(outline.get("present", ()))})


def write_table(records: Sequence[Record], stream: TextIO) -> None:
    """Write a table for reading."""
    table = Table(
        *("Picture", "Asymmetry", "Border", "Colours", "Diameter", "Note"),
        caption="Of the outline, not of the disease.",
        caption_justify="left",
    )
    for record in records:
        name, outline = Text(record["image"], overflow="fold"), record["outline"]
        if outline is None:
            table.add_row(name, "", "", "", "", Text(record["error"] or "no lesion found"))
            continue
        known = "" if outline["diameter_mm"] is None else f", {outline['diameter_mm']:.1f} mm"
        table.add_row(
            name,
            f"{outline['asymmetry']:.2f}",
            f"{outline['irregularity']:.2f}",
            f"{len(outline['present'])}: {', '.join(outline['present']).replace('_', ' ')}",
            f"{outline['diameter_px']:.0f} px{known}",
            "cut off at the edge" if outline["cut"] else "",
        )
    Console(file=stream, width=None if stream.isatty() else PLAIN_WIDTH).print(table)


WRITERS = {Format.TABLE: write_table, Format.JSON: write_json, Format.CSV: write_csv}

Manifest = Annotated[Path, typer.Argument(metavar="MANIFEST", help="A manifest, see `secondlook data import`.")]
Masks = Annotated[
    Path, typer.Option(metavar="DIR", help="Masks by experts, white on black: NAME_segmentation.png for NAME.jpg.")
]
Seed = Annotated[int, typer.Option(min=0, help="Seed.")]


@outline_app.command()
def measure(
    manifest: Manifest,
    masks: Masks,
    split: Annotated[
        str | None,
        typer.Option(help="Which split to measure, or `all`; default: test, or all where there is no split."),
    ] = None,
    method: Annotated[
        list[str] | None, typer.Option(help="Measure this method; may be repeated; default: all.")
    ] = None,
    network: Network = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="HTML", callback=check_file, help="Also write a page, with the worst failures."
        ),
    ] = None,
    worst: Annotated[
        int, typer.Option(min=0, help="How many failures the page shows; 0 for none, and no picture.")
    ] = 24,
    as_json: Annotated[bool, typer.Option("--json", help="Write the figures as JSON to standard output.")] = False,
    seed: Seed = 0,
    resamples: Annotated[int, typer.Option(min=100, help="Number of bootstrap resamples.")] = 2000,
) -> None:
    """Measure outlines against masks that experts drew: Jaccard and Dice with 95 % intervals, and time.

    The network learned from masks of the split train, so its figures count on other splits only. A mask of other
    proportions than its picture is left out, and that is said.

    \b
        secondlook data import ham10000 ham10000 --output ham.csv
        secondlook data split ham.csv --output ham.csv
        secondlook outline measure ham.csv --masks ham10000/masks_200x150 -o outlines.html
    """  # noqa: D301
    from secondlook.evaluation.outlinepage import write_outlines
    from secondlook.evaluation.outlines import measure_methods

    methods = choose_methods(method, network)
    masked, name = find_masked(manifest, masks, split)
    agreements = measure_methods(masked, methods, seed=seed, resamples=resamples, track=track_on_stderr)
    if output is not None:
        write_outlines(agreements, methods, masked, output, split=name, worst=worst, seed=seed, resamples=resamples)
    if as_json:
        json.dump(describe_agreements(agreements, masked, name), sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        print_agreements(agreements, masked, name)
    for note in masked.notes:
        Console(stderr=True).print(note)


def choose_methods(names: list[str] | None, network: Path | None) -> "dict[str, Method]":
    """Return methods by name, all of them by default; a network of the user's own stands in for the shipped one.

    Raises:
        InputError: There is no such method.
    """
    from secondlook.explanation.segmentation import METHODS, OutlineNetwork, find_method

    methods = {name: find_method(name) for name in names or METHODS}
    if network is not None:
        methods["network"] = replace(METHODS["network"], segment=OutlineNetwork(network))
    return methods


def describe_agreements(agreements: "Mapping[str, Agreement]", masked: "Masked", split: str | None) -> Record:
    """Return what was measured as JSON has it."""
    return {
        "split": split or "all",
        "pictures": len(masked.masks),
        "groups": int(masked.manifest.frame["group"].nunique()),
        "methods": {
            name: {
                **{key: asdict(figure) for key, figure in one.figures.items()},
                "milliseconds": round(one.milliseconds, 2),
            }
            for name, one in agreements.items()
        },
    }


def print_agreements(agreements: "Mapping[str, Agreement]", masked: "Masked", split: str | None) -> None:
    """Print a table of what was measured."""
    from secondlook.evaluation.outlines import FIGURES
    from secondlook.evaluation.summary import stack_interval

    table = Table("Method", *FIGURES.values(), "ms", title=f"{len(masked.masks)} pictures, split {split or 'all'}")
    for name, one in agreements.items():
        table.add_row(name, *(stack_interval(one.figures[key]) for key in FIGURES), f"{one.milliseconds:.1f}")
    Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH).print(table)


def find_masked(manifest: Path, masks: Path, split: str | None) -> "tuple[Masked, str | None]":
    """Return the pictures of a split that have masks, and the split's name; nothing for all pictures.

    Raises:
        DatasetError: The manifest cannot be read, has no such split, or no picture has a mask.
    """
    from secondlook.data.manifest import read_manifest
    from secondlook.data.masks import find_masks

    rows = read_manifest(manifest)
    name = split or ("test" if "split" in rows.frame else "all")
    return find_masks(rows if name == "all" else rows.select(name), masks), None if name == "all" else name


@outline_app.command()
def train(
    manifest: Manifest,
    masks: Masks,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", callback=check_folder, help="Where the network goes.")
    ],
    split: Annotated[str, typer.Option(help="The split to learn from.")] = "train",
    epochs: Annotated[int, typer.Option(min=1, help="How often each picture is learned from.")] = 10,
    licence: Annotated[str, typer.Option(help="Licence of the weights, as the data's asks.")] = "CC-BY-NC-4.0",
    seed: Seed = 0,
) -> None:
    """Train the small network that outlines lesions; it needs the extra `train`.

    It takes a few minutes of one core for 8,000 pictures. Measure it on a split that it has not seen.
    """
    try:
        from secondlook.training.outlines import train_outliner
    except ModuleNotFoundError as error:
        raise RecipeError(
            f"Training needs {error.name}, which a plain install leaves out: pip install 'secondlook[train]'."
        ) from error
    from secondlook.data.fingerprint import data_fingerprint

    masked, _ = find_masked(manifest, masks, split)
    console = Console(stderr=True)
    train_outliner(
        masked,
        output,
        epochs=epochs,
        seed=seed,
        fingerprint=data_fingerprint(masked.manifest),
        licence=licence,
        track=track_on_stderr,
        tell=console.print,
    )
    console.print(f"Wrote {output.name}.")

"""`secondlook reference`: build a set of confirmed cases, search it, and measure what the search is worth."""

import csv
import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from secondlook.cli.data import track_on_stderr
from secondlook.cli.files import Format, check_folder
from secondlook.errors import DatasetError

PLAIN_WIDTH = 120

reference_app = typer.Typer(
    name="reference",
    no_args_is_help=True,
    help="Find similar confirmed cases in a reference set that you build from your own manifest. It holds no pictures.",
)

Bundle = Annotated[str, typer.Option(help="The bundle to look with: a shipped one's name, or a folder.")]
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="A reference set.")]
ManifestFile = Annotated[Path, typer.Argument(metavar="MANIFEST", help="A manifest, see `secondlook data import`.")]
Count = Annotated[int, typer.Option(min=1, help="How many cases, each of another patient or lesion.")]


@reference_app.command()
def build(
    manifest: ManifestFile,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", callback=check_folder, help="Where the set goes.")
    ],
    bundle: Bundle = "skin",
    split: Annotated[str | None, typer.Option(help="Take the pictures of this split alone.")] = None,
    standard: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Take only cases confirmed in this way, such as histo; may be repeated."),
    ] = None,
) -> None:
    """Look at every picture of a manifest through a bundle, and keep what it sees with label and reference standard.

    The folder holds numbers, labels and the names that the manifest has for pictures and patients, but no picture. It
    belongs to the bundle's graph: after a new training, build it again.

    \b
        secondlook reference build ham.csv -o cases --split train --standard histo
        secondlook reference search cases mole.jpg
    """  # noqa: D301  \b keeps the lines of the example apart
    from secondlook.data.manifest import Manifest, read_manifest
    from secondlook.data.wording import count
    from secondlook.explanation.similar import build_reference
    from secondlook.inference.predictor import load_predictor

    rows = read_manifest(manifest)
    if split is not None:
        rows = rows.select(split)
    if standard:
        kinds = rows.frame["reference"] if "reference" in rows.frame else rows.frame["label"].where(lambda _: False)
        chosen = rows.frame[kinds.isin(standard)].reset_index(drop=True)
        if chosen.empty:
            there = ", ".join(sorted(kinds.dropna().astype(str).unique())) or "none"
            raise DatasetError(f"Expected cases confirmed by {', '.join(standard)}; the manifest has: {there}.")
        rows = Manifest(chosen, rows.root, rows.task)
    facts, unread = build_reference(load_predictor(bundle), rows, output, track=track_on_stderr)
    left = f" {unread} could not be read." if unread else ""
    held = count(facts.pictures, "picture", "pictures")
    whose = count(facts.groups, "patient or lesion", "patients or lesions")
    Console(stderr=True).print(f"Wrote {output.name}: {held} of {whose}.{left}")


@reference_app.command()
def search(
    folder: Folder,
    picture: Annotated[Path, typer.Argument(metavar="PICTURE", help="The picture to find cases like.")],
    bundle: Bundle = "skin",
    count: Count = 5,
    form: Annotated[Format, typer.Option("--format", help="How to write the cases.")] = Format.TABLE,
) -> None:
    """Show the confirmed cases that look most like a picture to the bundle, with how each was confirmed.

    Similarity is the cosine between what the graph makes of both pictures: 1 for the same picture. It is no
    probability, and a similar case may have another disease.
    """
    from dataclasses import asdict

    from secondlook.explanation.similar import open_reference
    from secondlook.inference.predictor import load_predictor

    predictor, cases = load_predictor(bundle), open_reference(folder)
    cases.check_bundle(predictor.bundle)
    found = [asdict(case) for case in cases.find_nearest(predictor.predict(picture).embedding, count=count)]
    if form is Format.JSON:
        json.dump(found, sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
    elif form is Format.CSV:
        writer = csv.DictWriter(sys.stdout, list(found[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)
    else:
        table = Table("Similarity", "Label", "Confirmed by", "Picture", caption="Similar to the model; no diagnosis.")
        for case in found:
            name = predictor.task.find_label(str(case["label"])).names["en"]
            image = Path(str(case["image"])).name  # a long path would push the name off the page; CSV and JSON have it
            table.add_row(f"{case['similarity']:.3f}", name, str(case["reference"]) or "–", image)
        Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH).print(table)


@reference_app.command()
def measure(
    folder: Folder,
    manifest: ManifestFile,
    bundle: Bundle = "skin",
    split: Annotated[
        str | None, typer.Option(help="The split to measure; default: test, or all where there is no split.")
    ] = None,
    count: Count = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Write the figures as JSON.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    resamples: Annotated[int, typer.Option(min=100, help="Number of bootstrap resamples.")] = 2000,
) -> None:
    """Measure how often similar cases have the picture's own label, with 95 % intervals, against cases at random.

    Pictures of patients or lesions that the set holds are left out.
    """
    from dataclasses import asdict

    from secondlook.data.manifest import read_manifest
    from secondlook.evaluation.neighbours import FIGURES, measure_neighbours
    from secondlook.explanation.similar import open_reference
    from secondlook.inference.predictor import load_predictor

    rows = read_manifest(manifest)
    if split or "split" in rows.frame:
        rows = rows.select(split or "test")
    figures = measure_neighbours(
        load_predictor(bundle),
        open_reference(folder),
        rows,
        count=count,
        seed=seed,
        resamples=resamples,
        track=track_on_stderr,
    )
    if as_json:
        json.dump({name: asdict(figure) for name, figure in figures.items()}, sys.stdout, indent=2)
        sys.stdout.write("\n")
        return
    table = Table("", "Share (95 % interval)", title=f"{count} nearest cases")
    for name, figure in figures.items():
        table.add_row(FIGURES[name], f"{figure.value:.1%} ({figure.lower:.1%} to {figure.upper:.1%})")
    Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH).print(table)

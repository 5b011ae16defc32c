"""`secondlook data explore`: what is in a data set, on one page."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from secondlook.cli.data import ManifestFile, tell, track_on_stderr
from secondlook.cli.files import check_file


def explore(
    manifest: ManifestFile,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="HTML",
            callback=check_file,
            help="Page to write; default: the manifest's name with .html.",
        ),
    ] = None,
    pictures: Annotated[
        int,
        typer.Option(min=0, metavar="N", help="Sample pictures per class; 0 for a page that shows no patient."),
    ] = 6,
    seed: Annotated[int, typer.Option(min=0, help="Seed of samples, folds and intervals.")] = 0,
) -> None:
    """Write a page about a data set: counts, what is missing, sample pictures, and shortcuts to the class.

    A shortcut is something besides the disease that tells the class: the frame's size, the border, how the file was
    saved. A small model tries to guess the class from these alone. Its verdict is printed, too.
    All pictures are read, about 2 minutes for 10,000 small ones. The page is one file and needs no network.
    """
    from secondlook.data.manifest import read_manifest
    from secondlook.errors import InputError
    from secondlook.evaluation.overview import describe_shortcuts, explore_manifest, write_overview

    page = output or manifest.with_suffix(".html")
    if page.resolve() == manifest.resolve():
        raise InputError(f"Expected another name for the page than that of the manifest, {manifest.name}.")
    overview = explore_manifest(read_manifest(manifest), name=manifest.stem, seed=seed, track=track_on_stderr)
    write_overview(overview, page, samples=pictures, seed=seed)
    sys.stdout.write(describe_shortcuts(overview) + "\n")
    shows = " It shows pictures of patients: do not commit or publish it." if pictures else ""
    tell(f"Wrote {page.name}.{shows}", style="yellow" if pictures else "")

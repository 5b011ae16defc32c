"""`secondlook data`: from pictures on disk to a manifest that is split without a leak."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table
from rich.text import Text
from typer.core import TyperCommand

from secondlook.cli.files import check_file

if TYPE_CHECKING:
    from secondlook.data.leakage import LeakReport
    from secondlook.data.manifest import Manifest

Item = TypeVar("Item")

data_app = typer.Typer(
    help="Import data sets, check and split them, and audit the splits for leaks. "
    "The usual order is import, split, audit.",
    no_args_is_help=True,
)

SourceName = Annotated[
    str, typer.Argument(metavar="SOURCE", help="Layout of the data set, such as ham10000; all are drawn above.")
]
ManifestFile = Annotated[Path, typer.Argument(metavar="MANIFEST", help="A manifest CSV.")]
Output = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="CSV", callback=check_file, help="Manifest to write, replaced atomically."),
]
Quick = Annotated[bool, typer.Option("--quick", help="Only look whether pictures are there; do not read them.")]


class ImportCommand(TyperCommand):
    """The import command, whose help draws the layout of every source; they load only when help is shown."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Add the sources to the help."""
        from secondlook.data.sources import SOURCES

        drawn = [f"\b\n{source.name}: {source.summary}\n{source.layout}" for source in SOURCES.values()]
        self.help = "\n\n".join([self.help or "", "Sources and the layouts they expect:", *map(escape, drawn)])
        super().format_help(ctx, formatter)


@data_app.command("import", cls=ImportCommand)
def import_data(
    source: SourceName,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the data set.")],
    output: Output,
    task: Annotated[
        str | None, typer.Option(help="Task that the labels belong to; by default the usual one of the source.")
    ] = None,
    group_pattern: Annotated[
        str | None,
        typer.Option(metavar="REGEX", help="Finds the patient or lesion in LABEL/NAME, for sources made of folders."),
    ] = None,
    keep_split: Annotated[
        bool | None,
        typer.Option(
            "--keep-split/--split-anew",
            help="Keep the split that the data set comes with, or leave it to `data split`; "
            "by default as drawn for each source.",
        ),
    ] = None,
    drop_unknown_labels: Annotated[
        bool, typer.Option("--drop-unknown-labels", help="Leave out labels that the task does not have.")
    ] = False,
    quick: Quick = False,
) -> None:
    """Turn a data set on disk into a manifest: one row per picture with its label and its group.

    Every missing, duplicate, unreadable or unknown item is listed at once, and nothing is written then.
    Groups (patients or lesions) are what splits keep whole; where none are known, each picture is its own.
    """
    from secondlook.data.manifest import write_manifest
    from secondlook.data.sources import find_source, read_folder
    from secondlook.data.sources.layout import Options

    options = Options(task, group_pattern, drop_unknown_labels, keep_split)
    manifest, notes = read_folder(find_source(source), folder, options, decode=not quick, track=track_on_stderr)
    write_manifest(manifest, output)
    for note in notes:
        tell(note, style="yellow")
    preview(manifest, output)


@data_app.command()
def check(
    path: Annotated[Path, typer.Argument(metavar="MANIFEST|DIR", help="A manifest CSV, or the folder of a data set.")],
    source: Annotated[
        str | None, typer.Option(help="Layout of the folder; by default the source that it looks like.")
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(help="Task that a folder's labels belong to; by default the usual one of its source."),
    ] = None,
    quick: Quick = False,
) -> None:
    """Check a manifest, or the folder of a data set, and its pictures; every fault is listed.

    Missing, duplicate, unreadable and unknown items, and groups in two splits. Of a folder it says which source it
    looks like and what it lacks; nothing is written.
    """
    from secondlook.data.check import check_manifest
    from secondlook.data.manifest import read_manifest
    from secondlook.data.sources import explain_folder, find_source, read_folder, recognise_folder
    from secondlook.data.sources.layout import Options

    if not path.is_dir():
        found = read_manifest(path)
        check_manifest(found, decode=not quick, track=track_on_stderr)
        preview(found, path)
        return
    layout = find_source(source) if source else recognise_folder(path)
    if layout is None:
        raise explain_folder(path)
    tell(f"Read as the source {layout.name}: {layout.summary}")
    found, notes = read_folder(layout, path, Options(task), decode=not quick, track=track_on_stderr)
    for note in notes:
        tell(note, style="yellow")
    preview(found, found.root)


@data_app.command()
def split(
    manifest: ManifestFile,
    output: Output,
    train: Annotated[float, typer.Option(help="Share of the pictures to train on.")] = 0.8,
    calibration: Annotated[float, typer.Option(help="Share to calibrate and choose thresholds on.")] = 0.1,
    test: Annotated[float, typer.Option(help="Share to measure once, at the end.")] = 0.1,
    folds: Annotated[
        int | None, typer.Option(help="Write a `fold` column (0 … K-1) for cross-validation instead.", metavar="K")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same split.")] = 0,
    by: Annotated[
        Literal["group", "picture"],
        typer.Option(help="`picture` LEAKS on purpose: it parts the pictures of a lesion, to measure what that fakes."),
    ] = "group",
    merge_near_duplicates: Annotated[
        bool,
        typer.Option("--merge-near-duplicates", help="First unite groups that share a picture or a near-duplicate."),
    ] = False,
) -> None:
    """Split a manifest into train, calibration and test, groups whole and labels in proportion.

    The split depends on the seed and on the groups and labels, never on the order of the rows.
    """
    from secondlook.data.leakage import audit_manifest, merge_groups
    from secondlook.data.manifest import Manifest, read_manifest, write_manifest
    from secondlook.data.split import fold_manifest, split_manifest
    from secondlook.errors import InputError

    if folds and by == "picture":
        raise InputError("Expected --folds or --by picture, got both; folds are always made by group.")
    given = read_manifest(manifest)
    if merge_near_duplicates:
        merged = merge_groups(audit_manifest(given, track=track_on_stderr))
        before, after = given.frame["group"].nunique(), merged.frame["group"].nunique()
        tell(f"United {before} groups into {after}.")
        given = merged
    if folds:
        frame = given.frame.assign(fold=fold_manifest(given, folds=folds, seed=seed))
        made = Manifest(frame, given.root, given.task)
    else:
        if "split" in given.frame:
            tell(f"The split that {manifest.name} had is replaced.", style="yellow")
        fractions = {"train": train, "calibration": calibration, "test": test}
        made = split_manifest(given, fractions=fractions, seed=seed, by=by)
    write_manifest(made, output)
    preview(made, output)
    if by == "picture":
        tell("This split ignores patients and lesions: it LEAKS. Every figure measured on it is marked.", "bold red")


@data_app.command()
def audit(
    manifest: ManifestFile,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", callback=check_file, help="Write a page that shows the pairs side by side, to open offline."
        ),
    ] = None,
    drop_leaks: Annotated[
        str | None,
        typer.Option(
            metavar="SPLITS",
            help="Write, to --output, the manifest without touched pictures of these splits, "
            "for example calibration,test. Every picture of a touched group goes.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="CSV", callback=check_file, help="Manifest for --drop-leaks to write."),
    ] = None,
) -> None:
    """Look for a leak: a group, a file, a picture or a near-duplicate that lies in two splits; exit 1 if there is one.

    Near-duplicates are pictures that match after re-saving, recolouring, flips, quarter turns and shifts of up to an
    eighth of the frame, or after the central square was cut out. Another zoom or a free rotation is not found. X-rays,
    which resemble each other, have to match more closely. The comparison takes about half a minute for
    10,000 small pictures and is kept in the user's cache folder.
    With --drop-leaks, the exit code is that of the manifest that was written.
    """
    from secondlook.data.gallery import write_gallery
    from secondlook.data.leakage import audit_manifest
    from secondlook.data.leakage import drop_leaks as drop
    from secondlook.data.manifest import read_manifest, write_manifest

    splits = parse_splits(drop_leaks, output)
    given = read_manifest(manifest)
    report = audit_manifest(given, track=track_on_stderr)
    print_report(report)
    if html:
        write_gallery(report, html)
        shows = "It shows pictures of patients: do not commit or publish it."
        tell(f"Wrote {html.name}. {shows if report.leaks or report.cousins else 'It has no pair to show.'}")
    if splits and output:
        cleaned = drop(report, splits)
        write_manifest(cleaned, output)
        tell(f"Left out {len(given) - len(cleaned)} of {len(given)} pictures.")
        preview(cleaned, output)
        report = audit_manifest(cleaned)
    if report.leaks:
        raise typer.Exit(1)


def parse_splits(text: str | None, output: Path | None) -> list[str]:
    """Return the splits that --drop-leaks names.

    Raises:
        InputError: One is unknown, or only one of --drop-leaks and --output is given.
    """
    from secondlook.data.manifest import SPLITS
    from secondlook.errors import InputError

    if (text is None) != (output is None):
        raise InputError("Expected --drop-leaks and --output together, got one of them.")
    names = [name.strip() for name in (text or "").split(",") if name.strip()]
    unknown = [name for name in names if name not in SPLITS]
    if unknown or (text is not None and not names):
        raise InputError(f"Expected splits, some of {','.join(SPLITS)}; got {text!r}.")
    return names


def print_report(report: LeakReport) -> None:
    """Print what an audit found on stdout, one line for each pair."""
    from secondlook.data.leakage import describe_pair

    lines = [report.summary(), *(f"leak: {describe_pair(pair)}" for pair in report.leaks)]
    lines += [f"same split, other group: {describe_pair(pair)}" for pair in report.cousins]
    lines += [f"labels contradict each other: {describe_pair(pair)}" for pair in report.contradictions]
    sys.stdout.write("\n".join(lines) + "\n")


def preview(manifest: Manifest, path: Path) -> None:
    """Show on stderr how many pictures of each label are in each split or fold."""
    from secondlook.conditions import find_task
    from secondlook.data.wording import count

    frame = manifest.frame
    column = next((name for name in ("split", "fold") if name in frame), None)
    parts = list(dict.fromkeys(sorted(frame[column], key=order_parts))) if column else []
    table = Table("label", *(str(part) for part in parts), "all")
    for label in [*find_task(manifest.task).keys, None]:
        rows = frame if label is None else frame[frame["label"] == label]
        counts = [int((rows[column] == part).sum()) for part in parts] if column else []
        table.add_row(label or "all", *map(str, counts), str(len(rows)), style="bold" if label is None else None)
    groups = count(frame["group"].nunique(), "group", "groups")
    Console(stderr=True).print(Text(f"{path.name}: {count(len(frame), 'picture', 'pictures')} in {groups}"), table)


def order_parts(part: object) -> tuple[int, str]:
    """Return a key that sorts splits from train to test, and folds by number."""
    from secondlook.data.manifest import SPLITS

    return (SPLITS.index(str(part)) if part in SPLITS else len(SPLITS), str(part).zfill(6))


def tell(text: str, style: str = "") -> None:
    """Say something on stderr."""
    Console(stderr=True).print(Text(text, style))


def track_on_stderr(items: Iterable[Item], description: str, total: int) -> Iterable[Item]:
    """Show a progress bar on stderr while items come."""
    return track(items, description, total=total, console=Console(stderr=True), transient=True)

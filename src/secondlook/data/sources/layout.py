"""What every source shares: the options, the scan of a folder, and how a scan becomes a manifest."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from secondlook.conditions import find_task
from secondlook.data.check import list_faults
from secondlook.data.fingerprint import Track, track_silently
from secondlook.data.manifest import Manifest
from secondlook.errors import DatasetError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".heic"})


@dataclass(frozen=True)
class Options:
    """What a reader may be told.

    Attributes:
        task: Key of the task that the labels belong to.
        group_pattern: Regular expression that finds the group in a picture's ``class/name``; all of its
            parenthesised parts together, or the whole match, are the group.
        drop_unknown_labels: Leave out pictures whose label the task does not have, instead of refusing them.
    """

    task: str = "skin"
    group_pattern: str | None = None
    drop_unknown_labels: bool = False


@dataclass
class Scan:
    """What a reader found in a folder.

    Attributes:
        frame: Rows of the manifest, also those whose picture is missing.
        root: Folder that the paths are relative to.
        faults: What is wrong, beyond what :func:`secondlook.data.check.list_faults` sees in the manifest.
        notes: What a person should know but need not mend.
    """

    frame: pd.DataFrame
    root: Path
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Source:
    """A layout that a data set comes in.

    Attributes:
        name: As the command line has it.
        summary: One sentence.
        layout: Drawing of the folder, for ``--help``.
        scan: Reads the folder; raises DatasetError only when it is not this layout at all.
    """

    name: str
    summary: str
    layout: str
    scan: Callable[[Path, Options], Scan]


def settle_scan(
    scan: Scan, options: Options, *, decode: bool = False, track: Track = track_silently
) -> tuple[Manifest, list[str]]:
    """Return the manifest of a scan and the notes to show.

    Raises:
        DatasetError: Anything is missing, duplicate, unreadable or unknown; every fault is listed.
    """
    frame, notes = scan.frame, list(scan.notes)
    if options.drop_unknown_labels:
        known = frame["label"].isin(find_task(options.task).keys)
        counts = frame["label"][~known].value_counts()
        if len(counts):
            left = ", ".join(f"{label} {count}" for label, count in counts.items())
            notes.append(f"Left out pictures with labels that the task {options.task} does not have: {left}.")
        frame = frame[known].reset_index(drop=True)
    manifest = Manifest(frame, scan.root, options.task)
    faults = [*scan.faults, *list_faults(manifest, decode=decode, track=track)]
    if faults:
        raise DatasetError(
            f"Expected a whole data set in {scan.root.name}; found {len(faults)} faults. Rows count in the manifest, "
            "the header being row 1.",
            faults,
        )
    return manifest, notes


def read_table(path: Path, columns: Iterable[str] = ()) -> pd.DataFrame:
    """Read a CSV, or a table with tabs, as text; an empty cell is missing.

    Raises:
        DatasetError: The file cannot be read as a table or lacks a column.
    """
    try:
        with path.open(encoding="utf-8-sig") as stream:
            separator = "\t" if "\t" in stream.readline() else ","
        table = pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8-sig")
    except (OSError, pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DatasetError(
            f"Expected a table; {path.name} cannot be read as one: {error.__class__.__name__}."
        ) from error
    missing = [name for name in columns if name not in table]
    if missing:
        raise DatasetError(f"Expected the columns {', '.join(columns)}; {path.name} lacks {', '.join(missing)}.")
    return table


def find_pictures(folder: Path) -> list[Path]:
    """Return the picture files below a folder, sorted; hidden ones are left out."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith(".")
    )


def index_pictures(root: Path, folders: Iterable[Path]) -> tuple[dict[str, str], list[str]]:
    """Return the path relative to ``root`` of every picture by its name without suffix, and names that occur twice."""
    index: dict[str, str] = {}
    faults = []
    for path in (path for folder in folders for path in find_pictures(folder)):
        relative = path.relative_to(root).as_posix()
        if index.setdefault(path.stem, relative) != relative:
            faults.append(f"{relative}: a picture of this name is also {index[path.stem]}")
    return index, faults


def note_unlisted(index: Iterable[str], listed: Iterable[str]) -> list[str]:
    """Return a note when a folder holds pictures that no row lists."""
    count = len(set(index) - set(listed))
    return [f"{count} pictures are in the folder but in no row; they are left out."] if count else []


def to_numbers(column: "pd.Series[str]") -> pd.Series:
    """Return a column of text as numbers; text that is no number stays, for the check to name it."""
    numbers = pd.to_numeric(column, errors="coerce")
    wrong = column.notna() & numbers.isna()
    return numbers.astype(object).where(~wrong, column) if wrong.any() else numbers

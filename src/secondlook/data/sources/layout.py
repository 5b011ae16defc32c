"""What every source shares: the options, the scan of a folder, and how tables and pictures are found in it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from secondlook.data.tables import read_csv
from secondlook.data.wording import count
from secondlook.errors import DatasetError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".heic", ".dcm", ".dicom"})


PLACE = "place"  # a column of a scan: where a person finds the row, "row 7 of the sheet"; else the picture is named


@dataclass(frozen=True)
class Options:
    """What a reader may be told.

    Attributes:
        task: Key of the task that the labels belong to; None for the first that the source has.
        group_pattern: Regular expression that finds the group in a picture's ``class/name``; all of its
            parenthesised parts together, or the whole match, are the group.
        drop_unknown_labels: Leave out pictures whose label the task does not have, instead of refusing them.
        keep_split: Whether the split that the data set comes with is kept; None for what the source does by itself.
    """

    task: str | None = None
    group_pattern: str | None = None
    drop_unknown_labels: bool = False
    keep_split: bool | None = None


@dataclass
class Scan:
    """What a reader found in a folder.

    Attributes:
        frame: Rows of the manifest, also those whose picture is missing; ``split`` is the data set's own.
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
        tasks: Keys of the tasks that its labels can belong to, the usual one first.
        recognise: Tells at a glance whether a folder has this layout, without reading what is in it.
        scan: Reads the folder for a settled task; raises DatasetError only when it is not this layout at all.
        keeps_split: Whether a split that the data set comes with is kept unless the options say otherwise.
    """

    name: str
    summary: str
    layout: str
    tasks: tuple[str, ...]
    recognise: Callable[[Path], bool]
    scan: Callable[[Path, Options], Scan]
    keeps_split: bool = True


def read_table(path: Path, columns: Iterable[str] = (), *, empty_lines: bool = False) -> pd.DataFrame:
    """Read a CSV, or a table with semicolons or tabs, as text; an empty cell is missing.

    Args:
        path: The file.
        columns: Columns that it must have.
        empty_lines: Whether an empty line is a row without a value, so that rows count as an editor counts them.

    Raises:
        DatasetError: The file cannot be read as a table or lacks a column.
    """
    try:
        table = read_csv(path, wanted="a table", dtype=str, empty_lines=empty_lines)
    except OSError as error:
        raise DatasetError(f"Expected a table; {path.name} cannot be opened: {error.strerror}.") from error
    missing = [name for name in columns if name not in table]
    if missing:
        raise DatasetError(f"Expected the columns {', '.join(columns)}; {path.name} lacks {', '.join(missing)}.")
    return table


def list_folders(folder: Path) -> list[Path]:
    """Return the folders in a folder, sorted; hidden ones are left out.

    Raises:
        DatasetError: The folder cannot be listed.
    """
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as error:
        raise DatasetError(f"Expected a folder; {folder.name} cannot be listed: {error.strerror}.") from error


def find_pictures(folder: Path) -> list[Path]:
    """Return the picture files below a folder, sorted; hidden ones are left out."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith(".")
    )


def holds_picture(folder: Path) -> bool:
    """Tell whether there is any picture file below a folder."""
    return any(path.suffix.lower() in SUFFIXES for path in folder.rglob("*"))


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
    spare = len(set(index) - set(listed))
    return [f"{count(spare, 'picture', 'pictures')} in the folder but in no row: left out."] if spare else []


def to_numbers(column: "pd.Series[str]") -> pd.Series:
    """Return a column of text as numbers; text that is no number stays, for the check to name it."""
    numbers = pd.to_numeric(column, errors="coerce")
    wrong = column.notna() & numbers.isna()
    return numbers.astype(object).where(~wrong, column) if wrong.any() else numbers

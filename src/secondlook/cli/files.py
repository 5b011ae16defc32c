"""Which pictures a command works on, and where and how it writes its answers."""

import glob
import io
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TextIO

import typer

from secondlook.data.files import replace_file
from secondlook.errors import InputError

PICTURE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".heic", ".heif"}
    | {".dcm", ".dicom", ".dic"}
)
SNIFFED_BYTES = 132


class Format(StrEnum):
    """How answers are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def check_file(path: Path | None) -> Path | None:
    """Refuse, as an option's callback, a file that could only fail to be written after all the work."""
    if path is not None:
        if path.exists() and not path.is_file():
            raise typer.BadParameter(f"{path.name} is there and no plain file; choose another.")
        if path.exists() and looks_like_picture(path):
            # A shell that fills in `--output *.jpg` names a picture here.
            raise typer.BadParameter(f"{path.name} is a picture, which would be lost; choose another name.")
        try_writing(path.absolute().parent)
    return path


def check_output(path: Path | None) -> Path | None:
    """Refuse a file, as above, also where its folder is missing."""
    if path is not None and not path.absolute().parent.is_dir():
        raise typer.BadParameter(f"There is no folder for {path.name}; make it first.")
    return check_file(path)


def check_folder(path: Path | None) -> Path | None:
    """Refuse, as an option's callback, a folder that could only fail to be written after all the work."""
    if path is not None:
        if path.exists() and not path.is_dir():
            raise typer.BadParameter(f"{path.name} is there and no folder; name another one.")
        try_writing(path.absolute())
    return path


def try_writing(folder: Path) -> None:
    """Refuse a folder that takes no file; of one that is yet to be made, the nearest that is there is asked."""
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        raise typer.BadParameter(
            f"Cannot write in {nearest.name or nearest}: {error.strerror}. Name another place."
        ) from error


def choose_format(output: Path | None) -> Format:
    """Return the format that the output's name asks for, else a table."""
    suffix = output.suffix.lower() if output else ""
    return {".csv": Format.CSV, ".json": Format.JSON}.get(suffix, Format.TABLE)


def find_pictures(paths: Sequence[str]) -> list[Path]:
    """Return the files that paths, folders and globs stand for, each once, sorted.

    A name that is no file and matches nothing stays in the list, so that it is reported like any unreadable picture.

    Raises:
        InputError: Nothing at all was found, or a name is empty, which would be the folder that one is in.
    """
    if "" in paths:
        raise InputError("Expected pictures, folders or globs, got an empty name. Check the variable that it is from.")
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


def find_common_folder(pictures: Sequence[Path]) -> Path:
    """Return the deepest folder that holds all pictures."""
    return Path(os.path.commonpath([path.absolute().parent for path in pictures]))


@contextmanager
def open_output(path: Path | None) -> Iterator[TextIO]:
    """Give standard output, or a file that appears under its name only when it is whole.

    Raises:
        InputError: The file cannot be written; what it would hold, maybe hours of work, then goes to standard output.
    """
    if path is None:
        yield find_stdout()
        return
    text = io.StringIO(newline="")
    yield text
    try:
        replace_file(path.resolve(), text.getvalue().encode(), scrap=f".{os.getpid()}.tmp")
    except OSError as error:
        find_stdout().write(text.getvalue())
        raise InputError(
            f"Cannot write {path.name}: {error.strerror}. What it would hold is on standard output instead."
        ) from error


def find_stdout() -> TextIO:
    """Return standard output, in UTF-8 where a program reads it."""
    if isinstance(sys.stdout, io.TextIOWrapper) and not sys.stdout.isatty():
        sys.stdout.reconfigure(encoding="utf-8")
    return sys.stdout


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

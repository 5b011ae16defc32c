"""The manifest: a table with one row per picture, written and read as CSV."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from secondlook.data.tables import read_csv
from secondlook.errors import DatasetError

REQUIRED = ("image", "label", "group")
SPLITS = ("train", "calibration", "test")


@dataclass(frozen=True)
class Manifest:
    """A table of pictures and the folder that its paths are relative to.

    Attributes:
        frame: One row per picture. ``image`` (path relative to ``root``), ``label`` and ``group`` (patient or
            lesion) are always there; ``study``, ``split``, ``fold`` and metadata (``age_years``, ``sex``,
            ``site``, ``skin_tone``, ``reference``) where known. What is not known is missing, never a stand-in.
        root: Folder of the pictures.
        task: Key of the task that the labels belong to.
    """

    frame: pd.DataFrame
    root: Path
    task: str = field(default="skin")

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.frame)

    def paths(self) -> list[Path]:
        """Return the picture files in the order of the rows."""
        return [self.root / str(name) for name in self.frame["image"]]

    def select(self, split: str) -> "Manifest":
        """Return the rows of one split.

        Raises:
            DatasetError: The manifest has no split, or none of that name.
        """
        if "split" not in self.frame:
            raise DatasetError("Expected a manifest with a `split` column; run `secondlook data split` first.")
        rows = self.frame[self.frame["split"] == split]
        if rows.empty:
            names = ", ".join(sorted(self.frame["split"].dropna().unique()))
            raise DatasetError(f"Expected rows of the split {split!r}; the manifest has only: {names}.")
        return Manifest(rows.reset_index(drop=True), self.root, self.task)


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write a manifest as CSV, its pictures' paths relative to the CSV's folder; replace the file atomically.

    Raises:
        DatasetError: The file cannot be written; a file that was there before is as it was.
    """
    frame = manifest.frame.copy()
    folder = path.resolve().parent
    root = manifest.root.resolve()
    frame["image"] = [Path(os.path.relpath(root / str(name), folder)).as_posix() for name in frame["image"]]
    frame.insert(0, "task", manifest.task)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8", newline="") as stream:
            frame.to_csv(stream, index=False)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise DatasetError(
            f"Expected to write the manifest {path.name}: {error.strerror}. Choose another place, or free some."
        ) from error


def read_manifest(path: Path, *, labelled: bool = True) -> Manifest:
    """Read a manifest from CSV, its cells parted by commas, semicolons or tabs.

    Args:
        path: The file.
        labelled: Whether it has to say what the pictures show, and of whom they are. Otherwise a missing label is
            missing, and a picture without a group is one of its own.

    Raises:
        DatasetError: The file is missing, is no CSV, or lacks a required column.
    """
    text = dict.fromkeys(("task", "image", "label", "group", "study", "split"), str)
    wanted = "a CSV manifest, as `secondlook data import` writes it"
    try:
        frame = read_csv(path, wanted=wanted, dtype=text)
    except FileNotFoundError:
        raise DatasetError(f"Expected a manifest, found no file {path.name}.") from None
    except OSError as error:
        raise DatasetError(f"Expected a manifest; {path.name} cannot be opened: {error.strerror}.") from error
    if not labelled and "image" in frame:
        frame = frame.reindex(columns=[*dict.fromkeys([*frame.columns, *REQUIRED])])
        frame["group"] = frame["group"].where(frame["group"].notna(), "picture " + frame["image"].astype(str))
    missing = [name for name in REQUIRED if name not in frame]
    if missing:
        raise DatasetError(
            f"Expected the columns {', '.join(REQUIRED)}; {path.name} lacks {', '.join(missing)}. `secondlook data "
            "import` makes such a manifest. Where nobody knows what the pictures show, `secondlook evaluate … "
            "--outside NAME=MANIFEST` still measures how they are answered."
        )
    if frame.empty:
        raise DatasetError(f"Expected a manifest with a row for each picture; {path.name} has a header alone.")
    tasks = sorted(frame["task"].dropna().unique()) if "task" in frame else ["skin"]
    if len(tasks) != 1:
        raise DatasetError(f"Expected one task for all rows of {path.name}, got {', '.join(tasks) or 'none'}.")
    return Manifest(frame.drop(columns="task", errors="ignore"), path.resolve().parent, tasks[0])

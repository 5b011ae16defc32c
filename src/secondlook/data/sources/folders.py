"""Folders named after labels, with or without folders named after splits above them."""

import re
from pathlib import Path

import pandas as pd

from secondlook.data.sources.layout import Options, Scan, Source, find_pictures
from secondlook.errors import DatasetError

SPLITS = {
    "train": "train",
    "training": "train",
    "val": "calibration",
    "valid": "calibration",
    "validation": "calibration",
    "calibration": "calibration",
    "test": "test",
    "testing": "test",
}


def scan_folders(root: Path, options: Options) -> Scan:
    """Read labels, and splits where there are any, from the names of the folders.

    Raises:
        DatasetError: There are no folders of pictures, or the group's pattern is no regular expression.
    """
    pattern = compile_pattern(options.group_pattern)
    folders = list_folders(root)
    split_folders = [folder for folder in folders if folder.name.lower() in SPLITS]
    if split_folders and len(split_folders) != len(folders):
        others = ", ".join(folder.name for folder in folders if folder not in split_folders)
        raise DatasetError(
            f"Expected either labels or splits as folders of {root.name}; beside splits there are: {others}."
        )
    classes = [(SPLITS[split.name.lower()], folder) for split in split_folders for folder in list_folders(split)]
    rows, faults = [], []
    for split, folder in classes or [("", folder) for folder in folders]:
        for path in find_pictures(folder):
            name = f"{folder.name}/{path.name}"
            group = find_group(pattern, name)
            if pattern and not group:
                faults.append(f"{path.relative_to(root).as_posix()}: the group's pattern does not match {name}")
            row = {"image": path.relative_to(root).as_posix(), "label": folder.name.lower()}
            row["group"] = group or row["image"]
            rows.append({**row, "split": split} if split else row)
    if not rows:
        raise DatasetError(f"Expected folders of pictures named after labels in {root.name}; found no picture.")
    return Scan(pd.DataFrame(rows), root, faults, [] if pattern else [UNGROUPED])


UNGROUPED = (
    "No group is known: each picture is its own group, so a split may part pictures of one patient. "
    "Where file names tell the patient, say how with --group-pattern; `secondlook data audit` finds look-alikes."
)


def list_folders(folder: Path) -> list[Path]:
    """Return the folders in a folder, sorted; hidden ones are left out.

    Raises:
        DatasetError: The folder cannot be listed.
    """
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as error:
        raise DatasetError(f"Expected a folder; {folder.name} cannot be listed: {error.strerror}.") from error


def compile_pattern(text: str | None) -> re.Pattern[str] | None:
    """Return the compiled pattern.

    Raises:
        DatasetError: It is no regular expression.
    """
    try:
        return re.compile(text) if text else None
    except re.error as error:
        raise DatasetError(f"Expected a regular expression for the group, got {text!r}: {error}.") from error


def find_group(pattern: re.Pattern[str] | None, name: str) -> str:
    """Return the group that the pattern finds in ``class/name``; empty where it finds none."""
    match = pattern.search(name) if pattern else None
    if match is None:
        return ""
    return "-".join(part for part in match.groups() if part) or match.group()


FOLDERS = Source(
    name="folders",
    summary="Folders named after labels, with or without split folders above them.",
    layout="""\
DIR/LABEL/*.jpg          nv/, mel/ … (task skin), benign/, malignant/ (mole)
DIR/SPLIT/LABEL/*.jpg    SPLIT is train, val (becomes calibration) or test
--group-pattern finds the patient or lesion in LABEL/NAME, for example
'patient_(\\d+)'.""",
    scan=scan_folders,
)

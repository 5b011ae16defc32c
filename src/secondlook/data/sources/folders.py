"""Folders named after labels, with or without folders named after splits above them."""

from pathlib import Path

import pandas as pd

from secondlook.conditions import TASKS
from secondlook.data.sources.layout import Options, Scan, Source, find_pictures, list_folders
from secondlook.data.sources.tree import compile_pattern, find_group
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


def recognise_folders(root: Path) -> bool:
    """Tell whether a folder, or one named after a split in it, holds a folder named after a label of any task."""
    labels = {key for task in TASKS.values() for key in task.keys}
    inner = list_folders(root) if root.is_dir() else []
    parts = [folder for folder in inner if folder.name.lower() in SPLITS]
    return any(folder.name.lower() in labels for part in parts or [root] for folder in list_folders(part))


FOLDERS = Source(
    name="folders",
    summary="Folders named after labels, with or without split folders above them.",
    layout="""\
DIR/LABEL/*.jpg          LABEL is one of the task: nv, mel … (skin)
DIR/SPLIT/LABEL/*.jpg    SPLIT is train, val (becomes calibration) or test
--group-pattern finds the patient or lesion in LABEL/NAME, for example
'patient_(\\d+)'.""",
    tasks=tuple(TASKS),
    recognise=recognise_folders,
    scan=scan_folders,
)

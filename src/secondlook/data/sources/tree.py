"""Folders named after splits, and in them folders named after labels."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from secondlook.data.sources.layout import Options, Scan, find_pictures, list_folders
from secondlook.errors import DatasetError


@dataclass(frozen=True)
class Tree:
    """The folders that a data set is laid out in; the case of their names does not matter.

    Attributes:
        splits: Split by the name of its folder; the first one is always there.
        labels: Label by the name of its folder; all of them are in every split.
        group_pattern: Finds the group (patient) in ``class/name``; None where no name tells one.
        names: How the files are named, for a person.
    """

    splits: Mapping[str, str]
    labels: Mapping[str, str]
    group_pattern: str | None = None
    names: str = ""


UNGROUPED = (
    "This data set tells no patient or lesion: each picture is its own group. `secondlook data split "
    "--merge-near-duplicates` keeps look-alikes together; where two pictures of one lesion differ, nothing can."
)


def recognise_tree(root: Path, tree: Tree) -> bool:
    """Tell whether one of the split folders holds a folder for every label."""
    parts = match_folders(root, tree.splits) if root.is_dir() else {}
    return any(len(match_folders(part, tree.labels)) == len(tree.labels) for part in parts.values())


def match_folders(folder: Path, names: Mapping[str, str]) -> dict[str, Path]:
    """Return the folders in a folder that are named so, by their expected name."""
    there = {path.name.lower(): path for path in list_folders(folder)}
    return {name: there[name.lower()] for name in names if name.lower() in there}


def scan_tree(root: Path, tree: Tree, options: Options) -> Scan:
    """List the pictures of a tree with their label, group and split.

    A pattern in the options goes before that of the layout.

    Raises:
        DatasetError: There is none of the folders, or the group's pattern is no regular expression.
    """
    pattern = compile_pattern(options.group_pattern or tree.group_pattern)
    parts = match_folders(root, tree.splits)
    if not any(match_folders(part, tree.labels) for part in parts.values()):
        there = sorted({folder.name for place in parts.values() or [root] for folder in list_folders(place)})
        raise DatasetError(
            f"Expected in {root.name} the folders {', '.join(tree.splits)}, in each of them {', '.join(tree.labels)}; "
            f"found {', '.join(there) or 'no folder'}."
        )
    rows, faults = [], []
    for name, part in parts.items():
        listed, wrong = scan_part(part, tree, pattern)
        rows += [{**row, "image": f"{part.name}/{row['image']}", "split": tree.splits[name]} for row in listed]
        faults += [f"{part.name}/{fault}" for fault in wrong]
    frame = pd.DataFrame(rows, columns=["image", "label", "group", "split"])
    frame["group"] = frame["group"].fillna(frame["image"])
    return Scan(frame, root, faults, note_others(root, parts) + ([] if pattern else [UNGROUPED]))


def scan_part(part: Path, tree: Tree, pattern: re.Pattern[str] | None) -> tuple[list[dict[str, str | None]], list[str]]:
    """Return the pictures of a split folder, with label and group, and what is wrong with it."""
    classes = match_folders(part, tree.labels)
    rows: list[dict[str, str | None]] = []
    faults = [f"{name}: expected a folder of this name, found none" for name in tree.labels if name not in classes]
    strays = [folder.name for folder in list_folders(part) if folder not in classes.values()]
    faults += [f"{name}: expected only folders named {', '.join(tree.labels)}" for name in strays]
    for name, folder in classes.items():
        pictures = find_pictures(folder)
        faults += [] if pictures else [f"{folder.name}: no picture"]
        for path in pictures:
            image = path.relative_to(part).as_posix()
            group = find_group(pattern, f"{folder.name}/{path.name}") or None
            if pattern and not group:
                expected = tree.names if pattern.pattern == tree.group_pattern else pattern.pattern
                faults.append(f"{image}: its name tells no group; expected {expected}")
            rows.append({"image": image, "label": tree.labels[name], "group": group})
    return rows, faults


def note_others(root: Path, parts: Mapping[str, Path]) -> list[str]:
    """Return a note on folders that are no part of the layout."""
    others = [folder.name for folder in list_folders(root) if folder not in parts.values()]
    return [f"Folders that are no part of this layout are left aside: {', '.join(others)}."] if others else []


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

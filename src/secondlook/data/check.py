"""What may be wrong with a manifest, all of it at once."""

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd

from secondlook.conditions import find_task
from secondlook.data.fingerprint import THREADS, Track, track_silently
from secondlook.data.manifest import REQUIRED, SPLITS, Manifest
from secondlook.data.wording import count
from secondlook.errors import DatasetError, InputError
from secondlook.imaging.read import read_picture

SMALLEST_DECODE_PX = 64
OLDEST_YEARS = 120
Places = Mapping[Any, str]  # where a person finds each row


def check_manifest(manifest: Manifest, *, decode: bool = True, track: Track = track_silently) -> None:
    """Refuse a manifest with anything wrong in it.

    Args:
        manifest: With or without splits.
        decode: Read every picture, not only look whether its file is there.
        track: Shows progress.

    Raises:
        DatasetError: Something is wrong; every fault is listed with its row, the header being row 1.
    """
    faults = list_faults(manifest, decode=decode, track=track)
    if faults:
        raise DatasetError(
            f"Expected a sound manifest of the task {manifest.task}; found {count(len(faults), 'fault', 'faults')}.",
            faults,
        )


def list_faults(
    manifest: Manifest, *, decode: bool, places: Sequence[str] | None = None, track: Track = track_silently
) -> list[str]:
    """Return every missing, duplicate, unreadable or unknown item of a manifest, one line each.

    Args:
        manifest: With or without splits.
        decode: Read every picture, not only look whether its file is there.
        places: Where a person finds each row; by default its number in the CSV, the header being row 1.
        track: Shows progress.
    """
    frame = manifest.frame.reset_index(drop=True)
    if frame.empty:
        return ["the manifest has no row"]
    named = dict(enumerate(places if places is not None else [f"row {row + 2}" for row in range(len(frame))]))
    return [
        *find_gaps(frame, named),
        *find_duplicates(frame, manifest.root, named),
        *find_unknown_labels(frame, manifest.task, named),
        *find_wrong_ages(frame, named),
        *find_wrong_splits(frame, named),
        *find_unusable_pictures(manifest, named, decode=decode, track=track),
    ]


def find_gaps(frame: pd.DataFrame, places: Places) -> Iterator[str]:
    """Yield rows without a picture, label or group."""
    for column in REQUIRED:
        for row in frame.index[frame[column].isna()]:
            yield f"{places[row]}: no {column}"


def find_duplicates(frame: pd.DataFrame, root: Path, places: Places) -> Iterator[str]:
    """Yield rows whose picture was listed before."""
    first: dict[str, int] = {}
    for row, name in enumerate(frame["image"]):
        if isinstance(name, str):
            earlier = first.setdefault(os.path.normpath(root / name), row)
            if earlier != row:
                before = "listed twice" if places[row] == name else f"{name} is already in {places[earlier]}"
                yield f"{places[row]}: {before}"


def find_unknown_labels(frame: pd.DataFrame, task: str, places: Places) -> Iterator[str]:
    """Yield labels that the task does not have, each with its number of rows."""
    keys = find_task(task).keys
    labels = frame["label"].dropna()
    unknown = labels[~labels.isin(keys)]
    for label, rows in unknown.groupby(unknown).groups.items():
        more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
        yield f"{places[rows[0]]}{more}: unknown label {label!r}; the task {task} has {', '.join(keys)}"


def find_wrong_ages(frame: pd.DataFrame, places: Places) -> Iterator[str]:
    """Yield ages that are no number of years; a missing age is fine."""
    if "age_years" not in frame:
        return
    given = frame["age_years"].dropna()
    ages = pd.to_numeric(given, errors="coerce")
    for row, value in given[~ages.between(0, OLDEST_YEARS)].items():
        yield f"{places[row]}: age {value!r}, expected 0 to {OLDEST_YEARS} years or an empty cell"


def find_wrong_splits(frame: pd.DataFrame, places: Places) -> Iterator[str]:
    """Yield unknown split names and groups that lie in several splits or folds."""
    if "split" in frame:
        for row, value in frame["split"][~frame["split"].isin(SPLITS)].items():
            yield f"{places[row]}: split {value!r}, expected one of {', '.join(SPLITS)}"
    for column in ("split", "fold"):
        if column in frame:
            for group, values in frame.groupby("group")[column].unique().items():
                if len(values) > 1:
                    yield f"group {group} lies in several {column}s: {', '.join(sorted(map(str, values)))}"


def find_unusable_pictures(manifest: Manifest, places: Places, *, decode: bool, track: Track) -> Iterator[str]:
    """Yield pictures whose file is missing or, when they are decoded, cannot be read."""

    def attempt(path: Path) -> str | None:
        if not path.is_file():
            return "no such file"
        if decode:
            try:
                read_picture(path, target_px=SMALLEST_DECODE_PX)
            except InputError as error:
                return str(error)
        return None

    names = manifest.frame["image"].reset_index(drop=True).dropna()
    with ThreadPoolExecutor(THREADS) as pool:
        results = pool.map(attempt, [manifest.root / str(name) for name in names])
        for (row, name), fault in zip(names.items(), track(results, "Reading pictures", len(names)), strict=True):
            if fault:
                yield f"{name}: {fault}" if places[row] == name else f"{places[row]}: {name}: {fault}"

"""One file per layout that data sets come in; a new one is a ``Source`` and its line here."""

from dataclasses import replace
from pathlib import Path

from secondlook.conditions import TASKS, Task, find_task
from secondlook.data.check import list_faults
from secondlook.data.fingerprint import Track, track_silently
from secondlook.data.manifest import Manifest
from secondlook.data.sources.chest_xray import CHEST_XRAY
from secondlook.data.sources.folders import FOLDERS
from secondlook.data.sources.ham10000 import HAM10000, HAM10000_SQUARES
from secondlook.data.sources.isic import ISIC
from secondlook.data.sources.knee_oa import KNEE_OA
from secondlook.data.sources.layout import PLACE, Options, Scan, Source, holds_picture, list_folders
from secondlook.data.sources.moles import MOLES
from secondlook.data.sources.mura import MURA
from secondlook.data.sources.official import deal_calibration, drop_split, keep_split
from secondlook.data.sources.pad_ufes20 import PAD_UFES20
from secondlook.data.sources.spreadsheet import SPREADSHEET
from secondlook.data.wording import count
from secondlook.errors import DatasetError, InputError

# The most particular first: `recognise_folder` takes the first that fits.
SOURCES: dict[str, Source] = {
    source.name: source
    for source in (HAM10000, HAM10000_SQUARES, PAD_UFES20, SPREADSHEET, MURA, CHEST_XRAY, KNEE_OA, MOLES, ISIC, FOLDERS)
}


UNKNOWN_LABELS = "`data import` leaves out labels that the task does not have with --drop-unknown-labels."
LEVELS_ABOVE = 4  # from a study of MURA up to its root


def find_source(name: str) -> Source:
    """Return the source of this name.

    Raises:
        InputError: There is no such source.
    """
    try:
        return SOURCES[name]
    except KeyError:
        raise InputError(f"Expected a source, one of {', '.join(SOURCES)}; got {name!r}.") from None


def recognise_folder(folder: Path) -> Source | None:
    """Return the source that a folder, or the one folder in it that fits, looks like; None for none."""
    return next((source for source in SOURCES.values() if enter_folder(source, folder)), None)


def enter_folder(source: Source, folder: Path) -> Path | None:
    """Return the folder itself, or the only one in it, that looks like the source: archives often wrap one."""
    if not folder.is_dir():
        return None
    if source.recognise(folder):
        return folder
    inner = [path for path in list_folders(folder) if source.recognise(path)]
    return inner[0] if len(inner) == 1 else None


def read_folder(
    source: Source, folder: Path, options: Options, *, decode: bool = False, track: Track = track_silently
) -> tuple[Manifest, list[str]]:
    """Turn the folder of a data set into a manifest.

    Args:
        source: The layout that it has.
        folder: It, or a folder that wraps it.
        options: What the reader is told.
        decode: Read every picture, not only look whether its file is there.
        track: Shows progress.

    Returns:
        The manifest, and notes that a person should read.

    Raises:
        DatasetError: Anything is missing, duplicate, unreadable or unknown; every fault is listed, and where the
            folder looks like another source, that one is named.
        InputError: The source has no labels of that task.
    """
    if not folder.is_dir():
        raise DatasetError(f"Expected the folder of a data set; there is no folder {folder.name}.")
    task = options.task or source.tasks[0]
    if find_task(task).key not in source.tasks:
        raise InputError(f"Expected a task that {source.name} has labels of, {' or '.join(source.tasks)}; got {task}.")
    settled = replace(options, task=task)
    try:
        scan = source.scan(enter_folder(source, folder) or folder, settled)
        keep = source.keeps_split if options.keep_split is None else options.keep_split
        return settle_scan(scan, settled, keep=keep, decode=decode, track=track)
    except DatasetError as error:
        hint = hint_at_source(source, folder, whole=not error.faults)
        if not hint:
            raise
        raise DatasetError(f"{error.summary} {hint}", error.faults) from error


def hint_at_source(source: Source, folder: Path, *, whole: bool) -> str:
    """Return what a folder that a source cannot read may be instead; empty where nothing is known.

    Args:
        source: What it was taken for.
        folder: It.
        whole: Whether it lacks the layout as a whole, not single items of it.
    """
    if source is not FOLDERS:  # which fit every tree
        if enter_folder(source, folder):
            return ""
        above = next((path for path in list(folder.resolve().parents)[:LEVELS_ABOVE] if source.recognise(path)), None)
        if above is not None and not holds_another(source, above, folder.resolve()):
            return f"The folder above it, {above.name}, has this layout: give that one."
    other = recognise_folder(folder)
    if other is None or other is source or (other is FOLDERS and not whole):
        return ""
    found = enter_folder(other, folder) or folder
    return f"{found.name} looks like the source {other.name}: {other.summary}"


def holds_another(source: Source, above: Path, folder: Path) -> bool:
    """Tell whether a folder may look like the source only for a data set that lies in it beside the folder given."""
    beside = (path for path in list_folders(above) if path not in (folder, *folder.parents))
    return any(source.recognise(path) and holds_picture(path) for path in beside)


def explain_folder(folder: Path) -> DatasetError:
    """Return an error that says of every source what the folder lacks."""
    faults = []
    for source in SOURCES.values():
        try:
            source.scan(folder, Options(task=source.tasks[0]))
        except DatasetError as error:
            faults.append(f"{source.name}: {error.summary}")
    return DatasetError(f"Expected the folder of a data set; {folder.name} has the layout of none.", faults)


def settle_scan(
    scan: Scan, options: Options, *, keep: bool = True, decode: bool = False, track: Track = track_silently
) -> tuple[Manifest, list[str]]:
    """Return the manifest of a scan and the notes to show.

    Args:
        scan: What a source found.
        options: With the task settled.
        keep: Whether the split that the data set comes with is kept.
        decode: Read every picture.
        track: Shows progress.

    Raises:
        DatasetError: Anything is missing, duplicate, unreadable or unknown; every fault is listed.
    """
    task = find_task(str(options.task))
    frame, notes = scan.frame, list(scan.notes)
    if options.drop_unknown_labels:
        known = frame["label"].isin(task.keys)
        counts = frame["label"][~known].value_counts()
        if len(counts):
            left = ", ".join(f"{label} {count}" for label, count in counts.items())
            notes.append(f"Left out pictures with labels that the task {task.key} does not have: {left}.")
        frame = frame[known].reset_index(drop=True)
    frame, parted = (keep_split if keep else drop_split)(frame)
    places = [str(place) for place in (frame.pop(PLACE) if PLACE in frame else frame["image"])]
    manifest = Manifest(frame, scan.root, task.key)
    faults = [*scan.faults, *list_faults(manifest, decode=decode, places=places, track=track)]
    if faults:
        found = count(len(faults), "fault", "faults")
        cure = advise_labels(set(frame["label"].dropna()), task)
        raise DatasetError(f"Expected a whole data set in {scan.root.name}; found {found}.{cure}", faults)
    manifest, dealt = deal_calibration(manifest)
    return manifest, [*notes, *parted, *dealt]


def advise_labels(labels: set[str], task: Task) -> str:
    """Return what to do about labels that the task does not have; empty where it has all of them."""
    if labels <= set(task.keys):
        return ""
    others = [key for key, other in TASKS.items() if labels <= set(other.keys)]
    if others:
        return f" Its labels are those of the task {' or '.join(others)}: say so with --task."
    return f" {UNKNOWN_LABELS}" if labels & set(task.keys) else ""

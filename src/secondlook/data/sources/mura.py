"""MURA: X-rays of the upper extremity, normal or abnormal by study, from its CSVs without header or from the tree.

The views of a study are judged together; a patient may have studies of several regions. The official validation
part is what others measure on: it becomes the test.

Rajpurkar et al. 2018, arXiv 1712.06957.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from secondlook.data.sources.layout import Options, Scan, Source, find_pictures
from secondlook.errors import DatasetError

SPLITS = {"train": "train", "valid": "test"}
FINDINGS = {"negative": "normal", "positive": "abnormal"}
VERDICTS = {"0": "normal", "1": "abnormal"}
STUDY = re.compile(
    r"(?P<study>(?P<split>train|valid)/(?P<name>XR_(?P<region>[A-Z]+)/(?P<patient>patient\d+)/study\d+)"
    r"_(?P<finding>negative|positive))/"
)


def recognise_mura(root: Path) -> bool:
    """Tell whether a folder holds the list of train, or folders of regions in one of its two parts."""
    return any(find_views(root, part).is_file() or any(root.glob(f"{part}/XR_*")) for part in SPLITS)


def scan_mura(root: Path, _options: Options) -> Scan:
    """List the views with their study, region, patient and label.

    Raises:
        DatasetError: There is neither train nor valid, or a CSV cannot be read.
    """
    if not recognise_mura(root):
        raise DatasetError(
            f"Expected train_image_paths.csv, or the folders train/XR_ELBOW/patient00001/… of MURA-v1.1, in "
            f"{root.name}; found neither."
        )
    rows, faults = [], []
    for part in SPLITS:
        verdicts, wrong = read_verdicts(root, part)
        faults += wrong
        unseen = set(verdicts)
        for image in list_views(root, part):
            match = STUDY.match(image)
            if match is None:
                faults.append(f"{image}: expected {part}/XR_REGION/patient00001/study1_positive (or _negative)/NAME")
                continue
            label = FINDINGS[match["finding"]]
            if verdicts.get(match["study"], label) != label:
                faults.append(f"{image}: its folder says {label}, the list of studies {verdicts[match['study']]}")
            unseen.discard(match["study"])
            row = {"image": image, "label": label, "group": match["patient"], "study": match["name"]}
            rows.append({**row, "split": SPLITS[part], "site": match["region"].lower()})
        faults += [f"{study}: a study of the list without a view" for study in sorted(unseen)]
    return Scan(pd.DataFrame(rows, columns=["image", "label", "group", "study", "split", "site"]), root, faults)


def find_views(root: Path, part: str) -> Path:
    """Return where the list of the views of a part would be."""
    return root / f"{part}_image_paths.csv"


def list_views(root: Path, part: str) -> list[str]:
    """Return the views of a part, relative to the root, from its list or else from the tree."""
    listed = find_views(root, part)
    if listed.is_file():
        return [start_at_part(row[0], part) for row in read_rows(listed)]
    folder = root / part
    return [path.relative_to(root).as_posix() for path in find_pictures(folder)] if folder.is_dir() else []


def read_verdicts(root: Path, part: str) -> tuple[dict[str, str], list[str]]:
    """Return the label of every listed study by its folder, and faults; nothing where there is no list."""
    path = root / f"{part}_labeled_studies.csv"
    verdicts, faults = {}, []
    for row in read_rows(path) if path.is_file() else ():
        verdict = VERDICTS.get(row[1].strip()) if len(row) == 2 else None
        if verdict is None:
            faults.append(f"{path.name}: {','.join(row)}: expected a study's folder and 0 or 1")
        else:
            verdicts[start_at_part(row[0], part).rstrip("/")] = verdict
    return verdicts, faults


def read_rows(path: Path) -> Iterator[list[str]]:
    """Yield the rows of a CSV without header; empty ones are left out.

    Raises:
        DatasetError: It cannot be read as a table.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            yield from (row for row in csv.reader(stream) if row)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(
            f"Expected a table; {path.name} cannot be read as one: {error.__class__.__name__}."
        ) from error


def start_at_part(listed: str, part: str) -> str:
    """Return a listed path from the part's folder on: the lists start at MURA-v1.1, wherever that lies."""
    head, found, tail = listed.strip().partition(f"{part}/")
    return found + tail if found else head


MURA = Source(
    name="mura",
    summary="MURA-v1.1, X-rays of arm and hand: label by study, grouped by patient.",
    layout="""\
DIR/train/XR_ELBOW/patient00001/study1_positive/image1.png
DIR/valid/XR_…           7 regions; positive is abnormal
DIR/train_image_paths.csv, DIR/train_labeled_studies.csv and valid_…
                         followed and compared where they are there
valid becomes the test; a tenth of train's patients is put aside to
calibrate.""",
    tasks=("bone",),
    recognise=recognise_mura,
    scan=scan_mura,
)

"""HAM10000 as Kaggle and Harvard lay it out (two part folders) and as folders of scaled pictures.

Scaled pictures may come at two sizes, the larger one for some lesions only. Then as many of every class are taken at
the larger size as the poorest class has, so that size does not tell the class.

Tschandl, Rosendahl, Kittler 2018, doi 10.1038/sdata.2018.161.
"""

import hashlib
from pathlib import Path

import pandas as pd

from secondlook.data.sources.layout import (
    Options,
    Scan,
    Source,
    index_pictures,
    note_unlisted,
    read_table,
    to_numbers,
)
from secondlook.errors import DatasetError

METADATA = ("HAM10000_metadata.csv", "HAM10000_metadata", "HAM10000_metadata.tab")
COLUMNS = ("lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization")
FOLDERS = (
    ("HAM10000_images_part_1", "HAM10000_images_part_2"),
    ("ham10000_images_part_1", "ham10000_images_part_2"),
    ("images_200x150",),
    ("images",),
)
SHARPER = ("images_200x150", "images_224x224")


def scan_ham10000(root: Path, _options: Options) -> Scan:
    """Read the metadata and look up the whole frames.

    Raises:
        DatasetError: There is no metadata file or no picture folder.
    """
    return scan_frames(root)[0]


def scan_squares(root: Path, _options: Options) -> Scan:
    """Do the same, and put larger central squares in the place of some frames.

    Raises:
        DatasetError: There is no metadata file, or not both picture folders.
    """
    missing = [name for name in SHARPER if not (root / name).is_dir()]
    if missing:
        raise DatasetError(f"Expected the picture folders {' and '.join(SHARPER)} in {root.name}; no {missing[0]}.")
    scan, table = scan_frames(root)
    scan.frame["image"], note = take_sharper(scan.frame["image"], table, root)
    scan.notes.append(note)
    return scan


def scan_frames(root: Path) -> tuple[Scan, pd.DataFrame]:
    """Return the scan of whole frames, and the table of metadata.

    Raises:
        DatasetError: There is no metadata file or no picture folder.
    """
    metadata = find_metadata(root)
    if metadata is None:
        raise DatasetError(f"Expected {METADATA[0]} in the HAM10000 folder {root.name}; it is not there.")
    folders = next((names for names in FOLDERS if all((root / name).is_dir() for name in names)), None)
    if folders is None:
        choices = "; or ".join(" and ".join(names) for names in FOLDERS)
        raise DatasetError(f"Expected picture folders in {root.name}: {choices}. Found none of these.")
    table = read_table(metadata, COLUMNS)
    index, faults = index_pictures(root, [root / name for name in folders])
    images = pd.Series([index.get(name, f"{folders[0]}/{name}.jpg") for name in table["image_id"]], dtype=str)
    notes = note_unlisted(index, table["image_id"])
    frame = pd.DataFrame(
        {
            "image": images,
            "label": table["dx"],
            "group": table["lesion_id"],
            "age_years": to_numbers(table["age"]),
            "sex": table["sex"].where(table["sex"] != "unknown"),
            "site": table["localization"].where(table["localization"] != "unknown"),
            "reference": table["dx_type"],
        }
    )
    return Scan(frame, root, faults, notes), table


def find_metadata(root: Path) -> Path | None:
    """Return the metadata file under any of its names."""
    return next((root / name for name in METADATA if (root / name).is_file()), None)


def take_sharper(images: "pd.Series[str]", table: pd.DataFrame, root: Path) -> "tuple[pd.Series[str], str]":
    """Put larger pictures in the place of smaller ones, in the same share of every class.

    Which pictures of a class are chosen depends on a hash of their names alone.

    Returns:
        The paths, and a sentence that says how many are the larger ones.
    """
    larger, _ = index_pictures(root, [root / SHARPER[1]])
    names = table["image_id"]
    there = names.isin(larger.keys())
    share = float(there.groupby(table["dx"]).mean().min())
    order = names.map(lambda name: hashlib.sha256(str(name).encode()).hexdigest())
    chosen = pd.Series(False, index=names.index)
    for _, rows in order[there].groupby(table["dx"]):
        quota = round(share * int((table["dx"] == table["dx"][rows.index[0]]).sum()))
        chosen[rows.sort_values().index[:quota]] = True
    sentence = f"{int(chosen.sum())} pictures are taken from {SHARPER[1]}, {share:.0%} of every class."
    return images.where(~chosen, names.map(larger)), sentence


HAM10000 = Source(
    name="ham10000",
    summary="HAM10000 from Harvard Dataverse or Kaggle, grouped by lesion.",
    layout="""\
DIR/HAM10000_metadata.csv   (or without .csv, or .tab, as Harvard has it)
DIR/HAM10000_images_part_1/*.jpg
DIR/HAM10000_images_part_2/*.jpg
or, instead of the two parts, one folder images/ or images_200x150/""",
    tasks=("skin",),
    recognise=lambda root: find_metadata(root) is not None,
    scan=scan_ham10000,
)

HAM10000_SQUARES = Source(
    name="ham10000_squares",
    summary="HAM10000 for networks that see squares: some pictures larger, in the same share of every class.",
    layout="""\
DIR/HAM10000_metadata.csv
DIR/images_200x150/*.jpg   all pictures, whole frames
DIR/images_224x224/*.jpg   some of them larger, their central squares""",
    tasks=("skin",),
    recognise=lambda root: all((root / name).is_dir() for name in SHARPER),
    scan=scan_squares,
)

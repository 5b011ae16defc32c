"""HAM10000 as Kaggle and Harvard lay it out (two part folders) and as a single folder of scaled pictures.

Tschandl, Rosendahl, Kittler 2018, doi 10.1038/sdata.2018.161.
"""

from pathlib import Path

import pandas as pd

from secondlook.data.manifest import Manifest
from secondlook.errors import DatasetError

METADATA = ("HAM10000_metadata.csv", "HAM10000_metadata")
FOLDERS = (
    ("HAM10000_images_part_1", "HAM10000_images_part_2"),
    ("ham10000_images_part_1", "ham10000_images_part_2"),
    ("images_200x150",),
    ("images",),
)


def read_ham10000(root: Path) -> Manifest:
    """Turn a HAM10000 folder into a manifest, grouped by lesion.

    Raises:
        DatasetError: Metadata or pictures are missing, duplicate or unknown; every fault is listed.
    """
    metadata = next((root / name for name in METADATA if (root / name).is_file()), None)
    if metadata is None:
        raise DatasetError(f"Expected {METADATA[0]} in the HAM10000 folder {root.name}; it is not there.")
    folders = next((names for names in FOLDERS if all((root / name).is_dir() for name in names)), None)
    if folders is None:
        raise DatasetError(f"Expected one of these picture folders in {root.name}: {FOLDERS}; found none.")
    table = pd.read_csv(metadata)
    files = {path.stem: path for name in folders for path in sorted((root / name).glob("*.jpg"))}
    faults = [f"row {row + 2}: no picture {name}.jpg" for row, name in enumerate(table["image_id"]) if name not in files]
    if faults:
        raise DatasetError(f"Expected a picture for every row of {metadata.name}.", faults)
    frame = pd.DataFrame(
        {
            "image": [str(files[name].relative_to(root)) for name in table["image_id"]],
            "label": table["dx"],
            "group": table["lesion_id"],
            "age_years": table["age"],
            "sex": table["sex"].where(table["sex"] != "unknown"),
            "site": table["localization"].where(table["localization"] != "unknown"),
            "reference": table["dx_type"],
        }
    )
    return Manifest(frame, root, "skin")

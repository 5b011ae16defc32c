"""ISIC challenges: a ground truth CSV with one column per label, and a folder of pictures.

ISIC 2018 task 3 and ISIC 2019; Codella et al. 2019, arXiv 1902.03368; Combalia et al. 2019, arXiv 1908.02288.
"""

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
from secondlook.data.tables import read_header
from secondlook.errors import DatasetError

LABELS = {
    "MEL": "mel",
    "NV": "nv",
    "BCC": "bcc",
    "AK": "akiec",
    "AKIEC": "akiec",
    "BKL": "bkl",
    "DF": "df",
    "VASC": "vasc",
    "SCC": "scc",
    "UNK": "unk",
}
TRUTH = frozenset({"image", "MEL", "NV"})
METADATA = {
    "age_years": ("age_approx", "age"),
    "sex": ("sex",),
    "site": ("anatom_site_general", "anatom_site_general_challenge", "localization"),
    "reference": ("diagnosis_confirm_type",),
    "lesion": ("lesion_id",),
    "patient": ("patient_id",),
}


def scan_isic(root: Path, _options: Options) -> Scan:
    """Read the ground truth, the metadata where there are any, and look up the pictures.

    Raises:
        DatasetError: There is not exactly one ground truth.
    """
    truth, others = find_tables(root)
    columns = [name for name in truth.columns if name.upper() in LABELS]
    votes = truth[columns].apply(pd.to_numeric, errors="coerce")
    clear = votes.isin([0, 1]).all(axis=1) & (votes.sum(axis=1) == 1)
    index, faults = index_pictures(root, [root])
    faults += [f"{name}: expected a single 1 among the labels" for name in truth["image"][~clear]]
    strange = [name for name in truth.columns if name not in (*columns, "image") and name not in known_columns()]
    faults += [f"unknown column {name!r} in the ground truth" for name in strange]
    votes = votes[clear]
    frame = pd.DataFrame(
        {
            "image": [index.get(name, f"{name}.jpg") for name in truth["image"][clear]],
            "label": [LABELS[str(name).upper()] for name in votes.idxmax(axis=1)],
        }
    )
    facts = join_metadata(truth["image"][clear].reset_index(drop=True), [truth, *others])
    lesion = facts.pop("patient").fillna(facts.pop("lesion"))
    frame["group"] = lesion.fillna(frame["image"])
    notes = note_unlisted(index, truth["image"])
    if lesion.isna().any():
        notes.append(
            f"No lesion or patient is known for {int(lesion.isna().sum())} of {len(frame)} pictures: each is its own "
            "group, so a split may part pictures of one lesion. `secondlook data audit` finds those that look alike."
        )
    return Scan(frame.join(facts.dropna(axis=1, how="all")), root, faults, notes)


def recognise_isic(root: Path) -> bool:
    """Tell whether a CSV in the folder, or one level below, has a column per label."""
    tables = (path for pattern in ("*.csv", "*/*.csv") for path in root.glob(pattern))
    return any(set(read_header(path).split(",")) >= TRUTH for path in tables)


def known_columns() -> set[str]:
    """Return the metadata columns that may stand in any of the tables."""
    return {name for names in METADATA.values() for name in names}


def find_tables(root: Path) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """Return the ground truth and the other tables that have an ``image`` column.

    Raises:
        DatasetError: There is no ground truth, or more than one.
    """
    paths = sorted(path for path in root.rglob("*.csv") if path.is_file())
    tables = {path: read_table(path) for path in paths}
    tables = {path: table for path, table in tables.items() if "image" in table}
    truths = [path for path, table in tables.items() if set(table.columns) >= TRUTH]
    if len(truths) != 1:
        found = ", ".join(path.name for path in truths) or "none"
        raise DatasetError(
            f"Expected one CSV with the columns image, MEL, NV, … in {root.name}; found {found}. "
            "Put the ground truth of one challenge and its pictures into one folder."
        )
    return tables[truths[0]], [table for path, table in tables.items() if path != truths[0]]


def join_metadata(images: "pd.Series[str]", tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Return what the tables know of each picture; a column is all missing where they know nothing."""
    facts = pd.DataFrame(index=images.index, columns=list(METADATA), dtype=object)
    for table in tables:
        rows = table.drop_duplicates("image").set_index("image")
        for column, names in METADATA.items():
            for name in names:
                if name in rows:
                    facts[column] = facts[column].fillna(images.map(rows[name]))
    facts["age_years"] = to_numbers(facts["age_years"])
    return facts


ISIC = Source(
    name="isic",
    summary="ISIC 2018 task 3 and ISIC 2019, grouped by patient or lesion where known.",
    layout="""\
DIR/…GroundTruth.csv     image,MEL,NV,BCC,AK or AKIEC,BKL,DF,VASC and perhaps
                         SCC,UNK; a single 1 in each row
DIR/…/ISIC_0000000.jpg   pictures, in any folder below DIR
DIR/…Metadata.csv        optional: image with lesion_id, patient_id,
                         age_approx, sex, anatom_site_general
SCC and UNK are no labels of the task skin: they are refused, or left out
with --drop-unknown-labels.""",
    tasks=("skin",),
    recognise=recognise_isic,
    scan=scan_isic,
)

"""PAD-UFES-20: smartphone photographs of skin lesions with symptoms and Fitzpatrick type, grouped by patient.

Pacheco et al. 2020, doi 10.1016/j.dib.2020.106221. Lesions without biopsy were named by dermatologists in consensus.
"""

from pathlib import Path

import pandas as pd

from secondlook.data.sources.layout import (
    Options,
    Scan,
    Source,
    index_pictures,
    list_folders,
    note_unlisted,
    read_table,
    to_numbers,
)
from secondlook.data.tables import read_header
from secondlook.data.wording import count
from secondlook.errors import DatasetError

METADATA = "metadata.csv"
SYMPTOMS = ("itch", "grew", "hurt", "changed", "bleed", "elevation")
COLUMNS = ("patient_id", "lesion_id", "img_id", "diagnostic", "age", "gender", "fitspatrick", "region", "biopsed")
LABELS = {
    "skin": {"BCC": "bcc", "NEV": "nv", "SEK": "bkl", "ACK": "akiec", "MEL": "mel"},
    "mole": {
        "BCC": "malignant",
        "NEV": "benign",
        "SEK": "benign",
        "ACK": "malignant",
        "MEL": "malignant",
        "SCC": "malignant",
    },
}
WITHOUT_LABEL = {"skin": ("SCC",), "mole": ()}
FITZPATRICK = {"1": "I", "2": "II", "3": "III", "4": "IV", "5": "V", "6": "VI"}
ANSWERS = {"True": "yes", "False": "no"}
REFERENCES = {"True": "histo", "False": "consensus"}


def scan_pad_ufes20(root: Path, options: Options) -> Scan:
    """Read the metadata and look up the pictures.

    Raises:
        DatasetError: There is no metadata file or no picture folder.
    """
    if not (root / METADATA).is_file():
        raise DatasetError(f"Expected {METADATA} in the PAD-UFES-20 folder {root.name}; it is not there.")
    folders = [folder for folder in list_folders(root) if folder.name.startswith(("images", "imgs_part_"))]
    if not folders:
        raise DatasetError(f"Expected the folder images or imgs_part_1 to imgs_part_3 in {root.name}; found none.")
    task = str(options.task)
    table = read_table(root / METADATA, (*COLUMNS, *SYMPTOMS))
    index, faults = index_pictures(root, folders)
    notes = note_unlisted(index, table["img_id"].map(name_stem))
    without = table["diagnostic"].isin(WITHOUT_LABEL[task])
    if without.any():
        names = ", ".join(WITHOUT_LABEL[task])
        pictures = count(int(without.sum()), "picture", "pictures")
        notes.append(f"{pictures} ({names}) left out: the task {task} has no label for it.")
    table = table[~without].reset_index(drop=True)
    labels = LABELS[task]
    frame = pd.DataFrame(
        {
            "image": [index.get(name_stem(name), f"{folders[0].name}/{name}") for name in table["img_id"]],
            "label": table["diagnostic"].map(lambda name: labels.get(name, name), na_action="ignore"),
            "group": table["patient_id"],
            "age_years": to_numbers(table["age"]),
            "sex": table["gender"].str.lower(),
            "site": table["region"].str.lower(),
            "skin_tone": table["fitspatrick"].str.removesuffix(".0").map(FITZPATRICK),
            "reference": table["biopsed"].map(REFERENCES),
            "lesion": table["lesion_id"],
            **{symptom: table[symptom].map(ANSWERS) for symptom in SYMPTOMS},
        }
    )
    return Scan(frame, root, faults, notes)


def name_stem(name: object) -> str:
    """Return a picture's name without suffix."""
    return Path(str(name)).stem


PAD_UFES20 = Source(
    name="pad_ufes20",
    summary="PAD-UFES-20, smartphone photographs of lesions, grouped by patient.",
    layout="""\
DIR/metadata.csv         patient_id, lesion_id, img_id, diagnostic, age,
                         gender, fitspatrick, region, symptoms, biopsed
DIR/images/*.png         or imgs_part_1/, imgs_part_2/, imgs_part_3/
Task skin has no label for SCC, which is left out; task mole calls MEL,
BCC, SCC and ACK malignant.""",
    tasks=("skin", "mole"),
    recognise=lambda root: "fitspatrick" in read_header(root / METADATA),
    scan=scan_pad_ufes20,
)

"""Tiny data sets on disk, in the layouts of the real ones; every picture is drawn."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from secondlook.data.manifest import Manifest
from secondlook.data.sources import find_source, read_folder
from secondlook.data.sources.layout import Options
from tests.drawing import draw_lesion

HAM_ROWS = [
    ("HAM_1", "ISIC_1", "mel", "histo", "40.0", "male", "back"),
    ("HAM_1", "ISIC_2", "mel", "histo", "40.0", "male", "back"),
    ("HAM_2", "ISIC_3", "nv", "follow_up", "", "unknown", "unknown"),
]
HAM_HEADER = "lesion_id,image_id,dx,dx_type,age,sex,localization"


def draw(path: Path, seed: int = 0) -> None:
    """Draw a small picture, the same for the same seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draw_lesion(seed, size=(40, 30)).save(path)


def draw_all(root: Path, names: Iterable[str]) -> None:
    """Draw a picture under each name, each another one."""
    for seed, name in enumerate(names):
        draw(root / name, seed)


def read(source: str, root: Path, *, decode: bool = True, **options: object) -> tuple[Manifest, list[str]]:
    """Read a folder, with every picture in it unless told otherwise."""
    return read_folder(find_source(source), root, Options(**options), decode=decode)  # type: ignore[arg-type]


def split_of(manifest: Manifest) -> "dict[str, str]":
    """Return the split of every group."""
    pairs = manifest.frame[["group", "split"]].drop_duplicates()
    assert not pairs["group"].duplicated().any()
    return dict(pairs.itertuples(index=False))


def lay_ham10000(
    root: Path,
    *,
    metadata: str = "HAM10000_metadata.csv",
    folders: tuple[str, str] = ("images", "images"),
    tab: bool = False,
) -> None:
    for (_, name, *_rest), folder in zip(HAM_ROWS, (*folders, folders[0]), strict=True):
        draw(root / folder / f"{name}.jpg", seed=int(name[-1]))
    lines = [HAM_HEADER, *(",".join(row) for row in HAM_ROWS)]
    text = "\n".join(lines).replace(",", "\t" if tab else ",")
    (root / metadata).write_text(text + "\n", encoding="utf-8")


CLASSES = ["nv"] * 20 + ["mel"] * 10


def lay_two_sizes(root: Path, *, reverse: bool = False) -> None:
    """Lay out 20 nevi, half of them larger too, and 10 melanomas, two of them larger too."""
    rows = [f"HAM_{number},ISIC_{number},{label},histo,40,male,back" for number, label in enumerate(CLASSES)]
    rows = rows[::-1] if reverse else rows
    (root / "HAM10000_metadata.csv").write_text("\n".join([HAM_HEADER, *rows]) + "\n")
    for number, label in enumerate(CLASSES):
        draw(root / "images_200x150" / f"ISIC_{number}.jpg", number)
        if number % (2 if label == "nv" else 5) == 0:
            draw(root / "images_224x224" / f"ISIC_{number}.jpg", number)


def lay_isic(root: Path, header: str, rows: list[str]) -> None:
    truth = root / "GroundTruth" / "ISIC_Training_GroundTruth.csv"
    truth.parent.mkdir(parents=True)
    truth.write_text("\n".join([header, *rows]) + "\n")
    for seed, row in enumerate(rows):
        draw(root / "Input" / f"{row.split(',')[0]}.jpg", seed)


def lay_chest_xray(root: Path, parts: Iterable[str] = ("train", "val", "test")) -> None:
    """Lay out chest X-rays: ten patients of each kind to train on, two in val, three in the test, all numbered anew."""
    first = {"train": 100, "val": 200, "test": 300}
    names = []
    for part in parts:
        for number in range(first[part], first[part] + {"train": 10, "val": 2, "test": 3}[part]):
            names += [f"{part}/NORMAL/IM-0{number}-000{view}.jpeg" for view in (1, 2)]
            names += [f"{part}/NORMAL/NORMAL2-IM-0{number}-0001-0002.jpeg"]
            names += [f"{part}/PNEUMONIA/person{number}_{kind}_{number}.jpeg" for kind in ("bacteria", "virus")]
    draw_all(root, names)


MURA_STUDIES = (
    ("train", "ELBOW", "patient00001", "study1_positive", 2),
    ("train", "WRIST", "patient00001", "study1_negative", 1),
    ("train", "WRIST", "patient00001", "study2_positive", 1),
    ("train", "HAND", "patient00002", "study1_negative", 3),
    ("train", "HAND", "patient00003", "study1_positive", 1),
    ("train", "HAND", "patient00004", "study1_negative", 1),
    ("valid", "ELBOW", "patient11185", "study1_positive", 2),
    ("valid", "ELBOW", "patient11186", "study1_negative", 1),
)


def lay_mura(root: Path, *, lists: bool) -> None:
    """Lay out MURA-v1.1, with its four headerless lists or without."""
    views: dict[str, list[str]] = {"train": [], "valid": []}
    studies: dict[str, list[str]] = {"train": [], "valid": []}
    for part, region, patient, study, count in MURA_STUDIES:
        folder = f"MURA-v1.1/{part}/XR_{region}/{patient}/{study}/"
        studies[part].append(f"{folder},{int(study.endswith('positive'))}")
        views[part] += [f"{folder}image{number}.png" for number in range(1, count + 1)]
    draw_all(root, [view for part in views.values() for view in part])
    for part in views if lists else ():
        (root / "MURA-v1.1" / f"{part}_image_paths.csv").write_text("\n".join(views[part]) + "\n")
        (root / "MURA-v1.1" / f"{part}_labeled_studies.csv").write_text("\n".join(studies[part]) + "\n")


PAD_HEADER = (
    "patient_id,lesion_id,smoke,age,gender,fitspatrick,region,diagnostic,itch,grew,hurt,changed,bleed,elevation,"
    "img_id,biopsed"
)
PAD_ROWS = (
    "PAT_1,11,False,55,FEMALE,3.0,NECK,NEV,False,False,False,False,False,True,PAT_1_11_1.png,False",
    "PAT_1,12,,55,FEMALE,3.0,FACE,BCC,True,True,False,UNK,True,True,PAT_1_12_2.png,True",
    "PAT_2,13,,80,,,FACE,ACK,True,True,False,False,True,True,PAT_2_13_3.png,False",
    "PAT_3,14,,61,MALE,1.0,HAND,SCC,True,True,True,True,True,True,PAT_3_14_4.png,True",
    "PAT_4,15,,47,MALE,2.0,BACK,MEL,False,True,False,True,False,False,PAT_4_15_5.png,True",
    "PAT_5,16,,70,FEMALE,2.0,BACK,SEK,False,False,False,False,False,True,PAT_5_16_6.png,False",
)


def lay_pad_ufes20(root: Path, folders: tuple[str, ...] = ("images",)) -> None:
    """Lay out PAD-UFES-20 with its pictures in one folder or several."""
    names = [row.split(",")[-2] for row in PAD_ROWS]
    draw_all(root, [f"{folders[number % len(folders)]}/{name}" for number, name in enumerate(names)])
    (root / "metadata.csv").write_text("\n".join([PAD_HEADER, *PAD_ROWS]) + "\n")


SHEET = {
    "Datei": ["a.jpg", "b", "folder 2/c.jpg", "lost.jpg", "d.jpg", None],
    "kat.Diagnose": ["Nävus", "melanom ", "Fibrom", "Nävus", "unklar", "Melanom"],
    "Patient": ["7", "8", "7", "9", "9", "10"],
    "Alter": ["40", "", "40", "33", "50", "61"],
    "Geschlecht": ["w", "m", "w", "", "m", "m"],
}
PLAN = """\
sheet: diagnoses.csv
folders: [folder 1, folder 2]
columns: {image: Datei, label: kat.Diagnose, group: Patient, age_years: Alter, sex: Geschlecht}
regroup:
  label: {benign: [Nävus, Fibrom], malignant: [Melanom]}
  sex: {female: [w], male: [m]}
leave_out: [unklar]
rows_without_picture: leave_out
pictures_without_row: leave_out
"""


def lay_spreadsheet(root: Path, plan: str = PLAN, *, excel: bool = False) -> None:
    """Lay out a sheet with rows that lack a picture, two folders with one picture that lacks a row, and the plan."""
    draw_all(root, ["folder 1/a.jpg", "folder 1/b.png", "folder 2/c.jpg", "folder 2/d.jpg", "folder 2/spare.jpg"])
    sheet = pd.DataFrame(SHEET)
    if excel:
        with pd.ExcelWriter(root / "diagnoses.xlsx") as book:
            pd.DataFrame({"Hinweis": ["nichts"]}).to_excel(book, sheet_name="Info", index=False)
            sheet.to_excel(book, sheet_name="Moles", index=False)
    else:
        sheet.to_csv(root / "diagnoses.csv", sep=";", index=False)
    (root / "spreadsheet.yaml").write_text(plan, encoding="utf-8")

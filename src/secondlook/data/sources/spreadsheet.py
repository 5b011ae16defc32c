"""A spreadsheet of diagnoses and folders of pictures, joined as a YAML beside them says.

Clinics keep their diagnoses in Excel: own column names, own words for a diagnosis, rows without a picture and pictures
without a row. ``spreadsheet.yaml`` says what each column is and which diagnoses make a label; nothing is guessed.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from xml.etree.ElementTree import ParseError  # the error alone
from zipfile import BadZipFile

import pandas as pd

from secondlook.conditions import TASKS
from secondlook.data.sources.columns import FILE, Plan, read_plan
from secondlook.data.sources.layout import PLACE, Options, Scan, Source, find_pictures, read_table, to_numbers
from secondlook.data.wording import count
from secondlook.errors import DatasetError

SHOWN = 20
FIRST_ROW = 2  # as spreadsheets count: the header is row 1
EXCEL = (".xlsx", ".xlsm")
UNGROUPED = (
    f"No column of {FILE} tells the group: each picture is its own, so a split may part pictures of one patient. "
    "`secondlook data audit` finds look-alikes."
)


def scan_spreadsheet(root: Path, _options: Options) -> Scan:
    """Join the rows of the sheet with the pictures.

    Raises:
        DatasetError: The YAML, the sheet, a column or a folder is missing or cannot be used.
    """
    plan = read_plan(root)
    frame = take_columns(read_sheet(root / plan.sheet, plan.page).dropna(how="all"), plan, root)
    frame[PLACE] = [
        f"row {int(str(row)) + FIRST_ROW} of the sheet ({'no name' if pd.isna(name) else name})"
        for row, name in frame["image"].items()
    ]
    left = frame["label"].str.casefold().isin([word.casefold() for word in plan.leave_out])
    for column, groups in plan.regroup.items():
        frame[column] = regroup_words(frame[column], groups)
    index = index_names(root, plan.folders)
    found = frame["image"].map(lambda name: index.get(name, []), na_action="ignore")
    found = found.where(found.notna(), frame["image"].map(lambda _name: []))
    scan = Scan(frame, root)
    if left.any():
        rows = count(int(left.sum()), "row", "rows")
        scan.notes.append(f"{rows} left out because of the diagnosis, as {FILE} says.")
    meant = {path for paths in found for path in paths}
    report_unmatched(scan, plan, found[~left], {path for paths in index.values() for path in paths} - meant)
    frame["image"] = found.map(lambda paths: paths[0] if paths else None)
    scan.frame = frame[~left & frame["image"].notna()].reset_index(drop=True)
    if "age_years" in frame:
        scan.frame["age_years"] = to_numbers(scan.frame["age_years"])
    if "group" not in frame:
        scan.frame["group"] = scan.frame["image"]
        scan.notes.append(UNGROUPED)
    return scan


def take_columns(sheet: pd.DataFrame, plan: Plan, root: Path) -> pd.DataFrame:
    """Return the mapped columns under our names.

    Raises:
        DatasetError: The sheet lacks a column, or there is no such folder.
    """
    chosen = plan.columns.model_dump(exclude_none=True)
    absent = [f"columns.{key}: no column {name!r}" for key, name in chosen.items() if name not in sheet]
    absent += [f"folders: no folder {name!r}" for name in plan.folders if not (root / name).is_dir()]
    if absent:
        raise DatasetError(
            f"Expected what {FILE} names. The columns of {Path(plan.sheet).name} are {', '.join(map(str, sheet))}.",
            absent,
        )
    return pd.DataFrame({key: sheet[name].str.strip().replace("", None) for key, name in chosen.items()})


def report_unmatched(scan: Scan, plan: Plan, found: "pd.Series[list[str]]", spare: set[str]) -> None:
    """Report, as the plan says, rows without a picture and pictures without a row; and names that are not clear.

    Args:
        scan: Gets the notes and faults.
        plan: What is a fault, and what is left out.
        found: Pictures that each row may mean.
        spare: Pictures that no row means.
    """
    places = dict(scan.frame[PLACE].items())
    scan.faults += [
        f"{places[row]}: several pictures are called so, {' and '.join(paths)}; write the folder, too"
        for row, paths in found.items()
        if len(paths) > 1
    ]
    lost = [places[row] for row, paths in found.items() if not paths]
    for one, many, lack, items, choice in (
        ("row", "rows", "without a picture", lost, plan.rows_without_picture),
        ("picture", "pictures", "without a row", sorted(spare), plan.pictures_without_row),
    ):
        if choice == "refuse":
            scan.faults += [f"{one} {lack}: {item}" for item in items]
        elif items:
            more = f" and {len(items) - SHOWN} more" if len(items) > SHOWN else ""
            left = f"{count(len(items), one, many)} {lack}, left out as {FILE} says"
            scan.notes.append(f"{left}: {', '.join(items[:SHOWN])}{more}.")


def read_sheet(path: Path, page: str | None) -> pd.DataFrame:
    """Read a page of an Excel file, or a CSV, as text; an empty cell is missing.

    Raises:
        DatasetError: The file is missing, is no such table, or openpyxl is missing.
    """
    if path.suffix.lower() not in EXCEL:
        return read_table(path, empty_lines=True)
    try:
        pages = pd.read_excel(path, sheet_name=None, dtype=str, keep_default_na=False, na_values=[""])
    except ImportError as error:
        raise DatasetError(
            f"Reading the Excel file {path.name} needs openpyxl: pip install 'secondlook[excel]', or save it as CSV."
        ) from error
    except FileNotFoundError:
        raise DatasetError(f"Expected the sheet {path.name} that {FILE} names; it is not there.") from None
    except (OSError, ValueError, TypeError, KeyError, BadZipFile, ParseError) as error:
        why = error.__class__.__name__
        raise DatasetError(f"Expected an Excel file; {path.name} cannot be read: {why}. Is it locked?") from error
    if page is not None and page not in pages:
        raise DatasetError(f"Expected the page {page!r} in {path.name}; it has {', '.join(map(repr, pages))}.")
    return pages[page] if page is not None else next(iter(pages.values()))


def regroup_words(words: "pd.Series[str]", groups: Mapping[str, list[str]]) -> "pd.Series[str]":
    """Return the value that each word belongs to; a word that no value lists stays, for the check to name it."""
    values = {word.casefold(): value for value, listed in groups.items() for word in listed}
    return words.map(lambda word: values.get(word.casefold(), word), na_action="ignore")


def index_names(root: Path, folders: list[str]) -> dict[str, list[str]]:
    """Return the pictures, relative to the root, by all that a cell may call them: stem, name, folder and name."""
    index: dict[str, list[str]] = {}
    for path in (path for folder in folders for path in find_pictures(root / folder)):
        relative = Path(os.path.relpath(path, root)).as_posix()
        inner = f"{path.parent.name}/{path.name}"
        for name in {path.stem, path.name, inner, relative}:
            index.setdefault(name, []).append(relative)
    return index


SPREADSHEET = Source(
    name="spreadsheet",
    summary="An Excel sheet or CSV of diagnoses and folders of pictures, mapped by a YAML.",
    layout=f"""\
DIR/{FILE}, for example:
    sheet: diagnoses.xlsx            (or .csv)
    folders: [Bilder 1, Bilder 2]
    columns: {{image: Datei, label: kat.Diagnose, group: Patient}}
    regroup:
      label: {{benign: [Nävus, Fibrom], malignant: [Melanom]}}
      sex: {{female: [w], male: [m]}}
    leave_out: [unklar]
    rows_without_picture: leave_out  (or refuse, the default)
    pictures_without_row: leave_out  (or refuse, the default)
Other columns: study, age_years, sex, site, skin_tone, reference.""",
    tasks=("mole", *(key for key in TASKS if key != "mole")),
    recognise=lambda root: (root / FILE).is_file(),
    scan=scan_spreadsheet,
)

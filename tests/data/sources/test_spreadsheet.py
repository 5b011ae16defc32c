"""A sheet and folders of pictures: columns and diagnoses as the plan says, and what does not match is reported."""

import sys
from pathlib import Path

import pandas as pd
import pytest

from secondlook.errors import DatasetError
from tests.data.sources.trees import PLAN, SHEET, draw, lay_spreadsheet, read


@pytest.mark.parametrize("excel", [False, True])
def test_columns_are_mapped_and_diagnoses_regrouped(tmp_path: Path, excel: bool) -> None:
    lay_spreadsheet(
        tmp_path, PLAN.replace("diagnoses.csv", "diagnoses.xlsx\npage: Moles") if excel else PLAN, excel=excel
    )
    manifest, notes = read("spreadsheet", tmp_path)
    frame = manifest.frame
    assert manifest.task == "mole"
    assert frame["image"].tolist() == ["folder 1/a.jpg", "folder 1/b.png", "folder 2/c.jpg"]
    assert frame["label"].tolist() == ["benign", "malignant", "benign"]
    assert frame["group"].tolist() == ["7", "8", "7"]
    assert frame["age_years"].fillna(-1).tolist() == [40, -1, 40]
    assert frame["sex"].tolist() == ["female", "male", "female"]
    assert notes == [
        "1 row left out because of the diagnosis, as spreadsheet.yaml says.",
        "2 rows without a picture, left out as spreadsheet.yaml says: row 5 of the sheet (lost.jpg), "
        "row 7 of the sheet (no name).",
        "1 picture without a row, left out as spreadsheet.yaml says: folder 2/spare.jpg.",
    ]


def test_what_does_not_match_is_refused_unless_the_plan_says_otherwise(tmp_path: Path) -> None:
    lay_spreadsheet(tmp_path, PLAN.replace(": leave_out", ": refuse"))
    with pytest.raises(DatasetError) as caught:
        read("spreadsheet", tmp_path)
    assert caught.value.faults == [
        "row without a picture: row 5 of the sheet (lost.jpg)",
        "row without a picture: row 7 of the sheet (no name)",
        "picture without a row: folder 2/spare.jpg",
    ]


@pytest.mark.parametrize("excel", [False, True])
def test_a_fault_names_the_row_that_a_spreadsheet_shows(excel: bool, tmp_path: Path) -> None:
    lay_spreadsheet(tmp_path, PLAN.replace("diagnoses.csv", "diagnoses.xlsx") if excel else PLAN)
    sheet = pd.DataFrame(SHEET)
    sheet.loc[2, ["Alter", "kat.Diagnose"]] = ["drei", "Warze"]  # row 6 then: row 2 is empty, row 4 has no picture
    lines = [dict.fromkeys(SHEET), *sheet.iloc[[0, 3, 1, 2, 0]].to_dict("records")]
    if excel:
        pd.DataFrame(lines).to_excel(tmp_path / "diagnoses.xlsx", index=False)
    else:
        text = pd.DataFrame(lines).to_csv(sep=";", index=False).replace("\n;;;;\n", "\n\n")
        (tmp_path / "diagnoses.csv").write_text(text + "\n\n")
    with pytest.raises(DatasetError) as caught:
        read("spreadsheet", tmp_path)
    assert caught.value.faults == [
        "row 7 of the sheet (a.jpg): folder 1/a.jpg is already in row 3 of the sheet (a.jpg)",
        "row 6 of the sheet (folder 2/c.jpg): unknown label 'Warze'; the task mole has benign, malignant",
        "row 6 of the sheet (folder 2/c.jpg): age 'drei', expected 0 to 120 years or an empty cell",
    ]


def test_a_row_left_out_for_its_diagnosis_needs_no_picture(tmp_path: Path) -> None:
    lay_spreadsheet(tmp_path)
    (tmp_path / "folder 2" / "d.jpg").unlink()
    _, notes = read("spreadsheet", tmp_path)
    assert notes[1].startswith("2 rows without a picture")


def test_a_diagnosis_that_no_label_lists_is_named(tmp_path: Path) -> None:
    lay_spreadsheet(tmp_path, PLAN.replace(", Fibrom", ""))
    with pytest.raises(DatasetError, match="unknown label 'Fibrom'; the task mole has benign, malignant"):
        read("spreadsheet", tmp_path)


def test_a_name_that_lies_in_two_folders_is_not_guessed(tmp_path: Path) -> None:
    lay_spreadsheet(tmp_path)
    draw(tmp_path / "folder 2/a.jpg", 77)
    with pytest.raises(DatasetError) as caught:
        read("spreadsheet", tmp_path)
    assert caught.value.faults == [
        "row 2 of the sheet (a.jpg): several pictures are called so, folder 1/a.jpg and folder 2/a.jpg; "
        "write the folder, too"
    ]


def test_without_a_group_each_picture_is_its_own(tmp_path: Path) -> None:
    lay_spreadsheet(tmp_path, PLAN.replace(" group: Patient,", ""))
    manifest, notes = read("spreadsheet", tmp_path)
    assert manifest.frame["group"].tolist() == manifest.frame["image"].tolist()
    assert "No column of spreadsheet.yaml tells the group" in notes[-1]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("leave_out: [unklar]", "leave_aut: [unklar]", "leave_aut: unknown; did you mean leave_out?"),
        ("age_years: Alter", "age: Alter", "columns.age: unknown; did you mean"),
        ("sheet: diagnoses.csv\n", "", "sheet: missing"),
        ("folders: [folder 1, folder 2]", "folders: []", "folders: List should have at least 1 item"),
        ("label: kat.Diagnose, ", "", "columns.label: missing"),
        ("sex: {female: [w], male: [m]}", "skin_tone: {I: [w]}", "regroup.skin_tone: no such entry among columns"),
        ("malignant: [Melanom]", "malignant: [Melanom, nävus]", "regroup.label: nävus stands in two places"),
        ("rows_without_picture: leave_out", "rows_without_picture: ignore", "rows_without_picture: Input should be"),
        ("[unklar]", "[no]", "leave_out.0: expected text, got False; quote words such as yes, no"),
        ("label: kat.Diagnose", "label: Diagnose", "columns.label: no column 'Diagnose'"),
        ("[folder 1, folder 2]", "[folder 1, folder 3]", "folders: no folder 'folder 3'"),
    ],
)
def test_faults_of_the_plan_say_what_is_valid(tmp_path: Path, old: str, new: str, fault: str) -> None:
    assert old in PLAN
    lay_spreadsheet(tmp_path, PLAN.replace(old, new))
    with pytest.raises(DatasetError, match=r"spreadsheet\.yaml") as caught:
        read("spreadsheet", tmp_path)
    assert [line for line in caught.value.faults if line.startswith(fault)], caught.value.faults


def test_broken_yaml_names_its_line(tmp_path: Path) -> None:
    lay_spreadsheet(tmp_path, "sheet: a.csv\nfolders: [a\ncolumns: {")
    with pytest.raises(DatasetError, match="it is broken at line 3"):
        read("spreadsheet", tmp_path)


def test_sheets_that_cannot_be_read_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_spreadsheet(tmp_path, PLAN.replace("diagnoses.csv", "diagnoses.xlsx\npage: Muttermale"), excel=True)
    with pytest.raises(DatasetError, match=r"the page 'Muttermale' in diagnoses.xlsx; it has 'Info', 'Moles'"):
        read("spreadsheet", tmp_path)
    with monkeypatch.context() as blocked:
        blocked.setitem(sys.modules, "openpyxl", None)
        with pytest.raises(DatasetError, match=r"needs openpyxl: pip install 'secondlook\[excel\]'"):
            read("spreadsheet", tmp_path)
    (tmp_path / "diagnoses.xlsx").write_bytes(b"PK no workbook")
    with pytest.raises(DatasetError, match=r"diagnoses\.xlsx cannot be read"):
        read("spreadsheet", tmp_path)
    (tmp_path / "diagnoses.xlsx").unlink()
    with pytest.raises(DatasetError, match=r"Expected the sheet diagnoses\.xlsx"):
        read("spreadsheet", tmp_path)

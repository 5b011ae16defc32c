"""PAD-UFES-20: diagnoses become labels of skin or mole; Fitzpatrick type, symptoms and biopsies come along."""

from pathlib import Path

import pytest

from secondlook.errors import DatasetError
from tests.data.sources.trees import lay_pad_ufes20, read


@pytest.mark.parametrize("folders", [("images",), ("imgs_part_1", "imgs_part_2", "imgs_part_3/imgs_part_3")])
def test_the_task_skin_has_five_of_the_six_diagnoses(tmp_path: Path, folders: tuple[str, ...]) -> None:
    lay_pad_ufes20(tmp_path, folders)
    manifest, notes = read("pad_ufes20", tmp_path)
    frame = manifest.frame
    assert manifest.task == "skin"
    assert frame["label"].tolist() == ["nv", "bcc", "akiec", "mel", "bkl"]
    assert frame["group"].tolist() == ["PAT_1", "PAT_1", "PAT_2", "PAT_4", "PAT_5"]
    assert notes == ["1 picture (SCC) left out: the task skin has no label for it."]


def test_the_task_mole_has_all(tmp_path: Path) -> None:
    lay_pad_ufes20(tmp_path)
    manifest, notes = read("pad_ufes20", tmp_path, task="mole")
    assert manifest.frame["label"].tolist() == ["benign", *["malignant"] * 4, "benign"]
    assert notes == []


def test_facts_come_along_and_unknown_ones_stay_missing(tmp_path: Path) -> None:
    lay_pad_ufes20(tmp_path)
    frame = read("pad_ufes20", tmp_path)[0].frame
    assert frame["skin_tone"].fillna("").tolist() == ["III", "III", "", "II", "II"]
    assert frame["reference"].tolist() == ["consensus", "histo", "consensus", "histo", "consensus"]
    assert frame["sex"].fillna("").tolist() == ["female", "female", "", "male", "female"]
    assert frame["age_years"].tolist() == [55, 55, 80, 47, 70]
    assert frame["site"].tolist() == ["neck", "face", "face", "back", "back"]
    assert frame["changed"].fillna("").tolist() == ["no", "", "no", "yes", "no"]
    assert frame["lesion"].tolist() == ["11", "12", "13", "15", "16"]


def test_missing_pictures_and_unknown_diagnoses_are_named(tmp_path: Path) -> None:
    lay_pad_ufes20(tmp_path)
    (tmp_path / "images/PAT_4_15_5.png").unlink()
    table = tmp_path / "metadata.csv"
    table.write_text(table.read_text().replace(",SEK,", ",WART,"))
    with pytest.raises(DatasetError) as caught:
        read("pad_ufes20", tmp_path)
    assert sorted(fault.partition(";")[0] for fault in caught.value.faults) == [
        "images/PAT_4_15_5.png: no such file",
        "images/PAT_5_16_6.png: unknown label 'WART'",
    ]


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    lay_pad_ufes20(tmp_path, ("pictures",))
    with pytest.raises(DatasetError, match="the folder images or imgs_part_1 to imgs_part_3"):
        read("pad_ufes20", tmp_path)


def test_the_real_photographs_are_whole(shared_folder: Path) -> None:
    manifest, notes = read("pad_ufes20", shared_folder / "pad_ufes20", decode=False)
    frame = manifest.frame
    assert frame["label"].value_counts().to_dict() == {"bcc": 87, "nv": 76, "bkl": 71, "akiec": 53, "mel": 26}
    assert notes == ["15 pictures (SCC) left out: the task skin has no label for it."]
    assert set(frame["skin_tone"].dropna()) == {"I", "II", "III", "IV", "V", "VI"}

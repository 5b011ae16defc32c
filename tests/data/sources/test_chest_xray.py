"""Chest X-rays: patients from names, the official test kept, calibration dealt by patient."""

from pathlib import Path

import pytest

from secondlook.errors import DatasetError
from tests.data.sources.trees import draw, draw_all, lay_chest_xray, read, split_of


def test_the_official_test_stays_and_calibration_is_dealt_by_patient(tmp_path: Path) -> None:
    lay_chest_xray(tmp_path)
    manifest, notes = read("chest_xray", tmp_path)
    frame = manifest.frame
    assert manifest.task == "chest"
    assert set(frame["label"]) == {"normal", "pneumonia"}
    assert frame["image"].str.startswith("test/").tolist() == (frame["split"] == "test").tolist()
    split_of(manifest)
    calibration = frame[frame["split"] == "calibration"]
    assert set(calibration["label"]) == {"normal", "pneumonia"}
    assert calibration["image"].str.startswith("train/").any()
    assert 0.05 < len(calibration) / (frame["split"] != "test").sum() < 0.2
    assert len(notes) == 1
    assert f"{len(calibration)} pictures of train" in notes[0]


def test_patients_come_from_names_series_by_series(tmp_path: Path) -> None:
    draw_all(
        tmp_path,
        [
            "train/NORMAL/IM-0115-0001.jpeg",
            "train/NORMAL/IM-0115-0002-0001.jpeg",
            "train/NORMAL/NORMAL2-IM-0115-0001.jpeg",
            "train/PNEUMONIA/person115_bacteria_7.jpeg",
            "train/PNEUMONIA/person115_virus_8_9.jpeg",
            "train/PNEUMONIA/person1150_virus_10.jpeg",
        ],
    )
    frame = read("chest_xray", tmp_path)[0].frame
    assert dict(frame["group"].value_counts()) == {
        "IM-0115": 2,
        "NORMAL2-IM-0115": 1,
        "person115": 2,
        "person1150": 1,
    }


def test_train_alone_leaves_the_split_to_the_next_step(tmp_path: Path) -> None:
    lay_chest_xray(tmp_path, ["train"])
    manifest, notes = read("chest_xray", tmp_path)
    assert "split" not in manifest.frame
    assert notes == []


def test_the_split_may_be_made_anew(tmp_path: Path) -> None:
    lay_chest_xray(tmp_path)
    manifest, notes = read("chest_xray", tmp_path, keep_split=False)
    assert "split" not in manifest.frame
    assert len(manifest) == 75
    assert notes == [
        "The data set's own split (train 60, test 15) is left aside; `secondlook data split` makes one by group."
    ]


def test_a_patient_of_the_test_who_is_also_in_train_is_reported_and_leaves_train(tmp_path: Path) -> None:
    lay_chest_xray(tmp_path)
    draw(tmp_path / "train/PNEUMONIA/person301_bacteria_1.jpeg", 1000)
    draw(tmp_path / "val/NORMAL/IM-0302-0009.jpeg", 1001)
    manifest, notes = read("chest_xray", tmp_path)
    assert split_of(manifest)["person301"] == "test"
    assert len(manifest) == 75
    assert notes[0].startswith(
        "Patients or lesions that lie in several parts of the data set's own split: 2 (IM-0302, person301)."
    )
    assert "left out: 2 in train" in notes[0]


def test_a_name_without_a_patient_is_a_fault_unless_a_pattern_finds_one(tmp_path: Path) -> None:
    lay_chest_xray(tmp_path, ["train"])
    draw(tmp_path / "train/NORMAL/scan7.jpeg", 99)
    with pytest.raises(DatasetError) as caught:
        read("chest_xray", tmp_path)
    (fault,) = caught.value.faults
    assert fault.startswith("train/NORMAL/scan7.jpeg: its name tells no group; expected person17_bacteria_50, IM-0115")
    manifest, _ = read("chest_xray", tmp_path, group_pattern=r"scan\d|person\d+_[a-z]+|.*IM-\d+")
    assert {"scan7", "person100_virus", "person100_bacteria"} <= set(manifest.frame["group"])


def test_what_a_part_lacks_is_listed(tmp_path: Path) -> None:
    lay_chest_xray(tmp_path)
    draw(tmp_path / "train/COVID/person1_virus_1.jpeg", 99)
    for path in (tmp_path / "val/NORMAL").iterdir():
        path.unlink()
    for path in (tmp_path / "test/PNEUMONIA").iterdir():
        path.unlink()
    (tmp_path / "test/PNEUMONIA").rmdir()
    (tmp_path / "leftover").mkdir()
    with pytest.raises(DatasetError) as caught:
        read("chest_xray", tmp_path)
    assert caught.value.faults == [
        "train/COVID: expected only folders named NORMAL, PNEUMONIA",
        "val/NORMAL: no picture",
        "test/PNEUMONIA: expected a folder of this name, found none",
    ]


def test_the_real_chest_xrays_are_whole(shared_folder: Path) -> None:
    manifest, notes = read("chest_xray", shared_folder / "chest_xray", decode=False)
    frame = manifest.frame
    assert frame["label"].value_counts().to_dict() == {"pneumonia": 3875, "normal": 1341}
    groups = frame.groupby("label")["group"].nunique().to_dict()
    assert groups == {"normal": 1211, "pneumonia": 1635}
    assert notes == []

"""Folders named after labels and splits; the group comes from a pattern."""

from pathlib import Path

import pytest

from secondlook.errors import DatasetError
from tests.data.sources.trees import draw, read


def test_folders_give_labels(tmp_path: Path) -> None:
    for name in (
        "Benign/p1_a.jpg",
        "Benign/deep/p1_b.PNG",
        "malignant/p2_a.jpg",
        "malignant/.hidden.jpg",
        "malignant/notes.txt",
    ):
        draw(tmp_path / name) if name.endswith(("jpg", "PNG")) else (tmp_path / name).write_text("note")
    manifest, notes = read("folders", tmp_path, task="mole", group_pattern=r"(p\d)_")
    frame = manifest.frame
    assert sorted(frame["image"]) == ["Benign/deep/p1_b.PNG", "Benign/p1_a.jpg", "malignant/p2_a.jpg"]
    assert frame["label"].tolist() == ["benign", "benign", "malignant"]
    assert frame["group"].tolist() == ["p1", "p1", "p2"]
    assert "split" not in frame
    assert notes == []
    assert manifest.task == "mole"


def test_folders_of_splits_give_splits(tmp_path: Path) -> None:
    for name in ("train/nv/1.jpg", "val/nv/2.jpg", "Test/mel/3.jpg"):
        draw(tmp_path / name)
    manifest, notes = read("folders", tmp_path)
    found = manifest.frame.set_index("image")["split"].to_dict()
    assert found == {"train/nv/1.jpg": "train", "val/nv/2.jpg": "calibration", "Test/mel/3.jpg": "test"}
    assert manifest.frame["group"].tolist() == manifest.frame["image"].tolist()
    assert "--group-pattern" in notes[0]


def test_a_group_may_take_the_label_folder_in(tmp_path: Path) -> None:
    for name in ("nv/0001-a.jpg", "nv/0001-b.jpg", "mel/0001-a.jpg"):
        draw(tmp_path / name)
    manifest, _ = read("folders", tmp_path, group_pattern=r"^(\w+)/(\d+)")
    assert manifest.frame["group"].tolist() == ["mel-0001", "nv-0001", "nv-0001"]


def test_folders_list_every_fault_at_once(tmp_path: Path) -> None:
    for name in ("nv/p1.jpg", "nv/stray.jpg", "wart/p2.jpg", "wart/p3.jpg", "mel/other.jpg"):
        draw(tmp_path / name)
    (tmp_path / "nv" / "p1.jpg").write_bytes(b"")
    with pytest.raises(DatasetError) as caught:
        read("folders", tmp_path, group_pattern=r"p\d")
    faults = "\n".join(caught.value.faults)
    assert len(caught.value.faults) == 4
    for words in (
        "nv/stray.jpg: the group's pattern",
        "mel/other.jpg: the group's",
        "wart/p2.jpg and 1 more: unknown label 'wart'",
        "nv/p1.jpg: ",
    ):
        assert words in faults


def test_splits_beside_labels_and_wrong_patterns_are_refused(tmp_path: Path) -> None:
    for name in ("train/nv/1.jpg", "mel/3.jpg"):
        draw(tmp_path / name)
    with pytest.raises(DatasetError, match="beside splits there are: mel"):
        read("folders", tmp_path)
    with pytest.raises(DatasetError, match="regular expression"):
        read("folders", tmp_path, group_pattern="(")


def test_dicom_files_are_pictures_too(tmp_path: Path) -> None:
    draw(tmp_path / "normal/1.png")
    (tmp_path / "normal/1.png").rename(tmp_path / "normal/1.dcm")
    manifest, _ = read("folders", tmp_path, task="chest", decode=False)
    assert manifest.frame["image"].tolist() == ["normal/1.dcm"]

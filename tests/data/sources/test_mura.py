"""MURA from its lists or from the tree: label by study, group by patient, valid is the test."""

from pathlib import Path

import pytest

from secondlook.errors import DatasetError
from tests.data.sources.trees import draw, lay_mura, read, split_of


@pytest.mark.parametrize("lists", [True, False])
@pytest.mark.parametrize("inside", [True, False])
def test_views_have_study_region_and_patient(tmp_path: Path, lists: bool, inside: bool) -> None:
    lay_mura(tmp_path, lists=lists)
    manifest, notes = read("mura", tmp_path / "MURA-v1.1" if inside else tmp_path)
    frame = manifest.frame.set_index("image")
    assert manifest.task == "bone"
    assert len(frame) == 12
    view = frame.loc["train/XR_ELBOW/patient00001/study1_positive/image2.png"]
    assert view[["label", "group", "study", "site"]].tolist() == [
        "abnormal",
        "patient00001",
        "XR_ELBOW/patient00001/study1",
        "elbow",
    ]
    assert frame["study"].nunique() == 8
    assert frame.groupby("study")["label"].nunique().max() == 1
    splits = split_of(manifest)
    assert {group for group, split in splits.items() if split == "test"} == {"patient11185", "patient11186"}
    assert set(splits.values()) == {"train", "calibration", "test"}
    assert len(notes) == 1


def test_lists_are_followed_and_compared(tmp_path: Path) -> None:
    lay_mura(tmp_path, lists=True)
    root = tmp_path / "MURA-v1.1"
    studies = root / "train_labeled_studies.csv"
    text = studies.read_text().replace("patient00002/study1_negative/,0", "patient00002/study1_negative/,1")
    studies.write_text(text + "MURA-v1.1/train/XR_HAND/patient00009/study1_positive/,1\nodd,row,here\n")
    with (root / "train_image_paths.csv").open("a") as stream:
        stream.write("MURA-v1.1/train/XR_HAND/patient00004/study1_negative/image9.png\nMURA-v1.1/train/loose.png\n")
    with pytest.raises(DatasetError) as caught:
        read("mura", tmp_path)
    faults = "\n".join(caught.value.faults)
    assert len(caught.value.faults) == 7
    for words in (
        "train_labeled_studies.csv: odd,row,here: expected a study's folder and 0 or 1",
        "patient00002/study1_negative/image3.png: its folder says normal, the list of studies abnormal",
        "train/XR_HAND/patient00009/study1_positive: a study of the list without a view",
        "train/loose.png: expected train/XR_REGION/patient00001/",
        "patient00004/study1_negative/image9.png: no such file",
    ):
        assert words in faults


def test_pictures_that_no_list_names_are_not_taken(tmp_path: Path) -> None:
    lay_mura(tmp_path, lists=True)
    draw(tmp_path / "MURA-v1.1/train/XR_HAND/patient00004/study1_negative/extra.png", 50)
    assert len(read("mura", tmp_path)[0]) == 12


def test_a_damaged_list_is_refused(tmp_path: Path) -> None:
    lay_mura(tmp_path, lists=True)
    (tmp_path / "MURA-v1.1/train_image_paths.csv").write_bytes(b"\xff\xfe\x00bad")
    with pytest.raises(DatasetError, match=r"train_image_paths\.csv cannot be read as one"):
        read("mura", tmp_path)

"""Kaggle's moles: two parts that are pooled, unless the official test is asked for; no group is known."""

from pathlib import Path

import pytest

from tests.data.sources.trees import draw_all, read

NAMES = [
    f"{part}/{label}/{number}.jpg"
    for part in ("train", "test")
    for label in ("benign", "malignant")
    for number in range(12 if part == "train" else 3)
]


@pytest.mark.parametrize("wrapper", ["", "melanoma_cancer_dataset/"])
def test_parts_are_pooled_and_each_picture_is_its_own_group(tmp_path: Path, wrapper: str) -> None:
    draw_all(tmp_path, [wrapper + name for name in NAMES])
    manifest, notes = read("moles", tmp_path)
    frame = manifest.frame
    assert manifest.task == "mole"
    assert frame["label"].value_counts().to_dict() == {"benign": 15, "malignant": 15}
    assert frame["group"].is_unique
    assert "split" not in frame
    assert "--merge-near-duplicates" in notes[0]
    assert "(train 24, test 6) is left aside" in notes[1]


def test_the_official_test_is_kept_when_asked_for(tmp_path: Path) -> None:
    draw_all(tmp_path, [*NAMES, "data/train/benign/1.jpg"])
    manifest, notes = read("moles", tmp_path, keep_split=True)
    frame = manifest.frame
    assert frame[frame["split"] == "test"]["image"].str.startswith("test/").all()
    assert frame["split"].value_counts().to_dict() == {"train": 22, "test": 6, "calibration": 2}
    assert "left aside: data" in notes[0]


def test_a_pattern_may_find_the_lesion(tmp_path: Path) -> None:
    draw_all(tmp_path, NAMES)
    manifest, notes = read("moles", tmp_path, group_pattern=r"^\w+/\d")
    assert "benign/1" in set(manifest.frame["group"])
    assert len(notes) == 1

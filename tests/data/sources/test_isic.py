"""ISIC challenges: labels from the ground truth, groups and facts from metadata where there are any."""

from pathlib import Path

import pytest

from secondlook.errors import DatasetError
from tests.data.sources.trees import lay_isic, read

ISIC_2018 = "image,MEL,NV,BCC,AKIEC,BKL,DF,VASC"
ISIC_2019 = "image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK"


def test_isic_2018_is_read(tmp_path: Path) -> None:
    names = ["mel", "nv", "bcc", "akiec", "bkl", "df", "vasc"]
    lay_isic(
        tmp_path, ISIC_2018, [f"ISIC_{n}," + ",".join("1.0" if m == n else "0.0" for m in range(7)) for n in range(7)]
    )
    manifest, notes = read("isic", tmp_path)
    assert manifest.frame["label"].tolist() == names
    assert manifest.frame["group"].tolist() == manifest.frame["image"].tolist()
    assert list(manifest.frame) == ["image", "label", "group"]
    assert "No lesion or patient is known for 7 of 7" in notes[0]


def test_isic_metadata_give_groups_and_facts_where_they_know_any(tmp_path: Path) -> None:
    lay_isic(tmp_path, ISIC_2019, ["a,1,0,0,0,0,0,0,0,0", "b,0,0,0,1,0,0,0,0,0", "c,0,1,0,0,0,0,0,0,0"])
    (tmp_path / "Metadata.csv").write_text(
        "image,age_approx,anatom_site_general,lesion_id,sex\nc,55.0,head/neck,,female\na,,,L1,\nb,30,,L1,male\n"
    )
    manifest, notes = read("isic", tmp_path)
    frame = manifest.frame
    assert frame["label"].tolist() == ["mel", "akiec", "nv"]
    assert frame["group"].tolist() == ["L1", "L1", "Input/c.jpg"]
    assert frame["age_years"].isna().tolist() == [True, False, False]
    assert frame["age_years"].tolist()[1:] == [30, 55]
    assert frame["sex"].fillna("").tolist() == ["", "male", "female"]
    assert "for 1 of 3" in notes[0]


def test_a_patient_outranks_a_lesion_as_the_group(tmp_path: Path) -> None:
    lay_isic(tmp_path, ISIC_2019, ["a,1,0,0,0,0,0,0,0,0", "b,0,1,0,0,0,0,0,0,0"])
    (tmp_path / "Metadata.csv").write_text("image,lesion_id,patient_id\na,L1,P\nb,L2,P\n")
    manifest, notes = read("isic", tmp_path)
    assert manifest.frame["group"].tolist() == ["P", "P"]
    assert notes == []


def test_isic_labels_that_the_task_lacks_are_refused_or_left_out(tmp_path: Path) -> None:
    lay_isic(tmp_path, ISIC_2019, ["a,1,0,0,0,0,0,0,0,0", "b,0,0,0,0,0,0,0,1,0", "c,0,0,0,0,0,0,0,1,0"])
    with pytest.raises(DatasetError, match=r"(?s)--drop-unknown-labels.*b\.jpg and 1 more: unknown label"):
        read("isic", tmp_path)
    manifest, notes = read("isic", tmp_path, drop_unknown_labels=True)
    assert manifest.frame["label"].tolist() == ["mel"]
    assert "Left out pictures with labels that the task skin does not have: scc 2." in notes


def test_isic_lists_every_fault_at_once(tmp_path: Path) -> None:
    lay_isic(
        tmp_path,
        ISIC_2018 + ",FOO",
        ["a,1,0,0,0,0,0,0,0", "b,1,1,0,0,0,0,0,0", "c,0,0,0,0,0,0,0,0", "d,0,x,0,0,0,0,0,0"],
    )
    (tmp_path / "Input" / "a.jpg").unlink()
    with pytest.raises(DatasetError) as caught:
        read("isic", tmp_path)
    assert sorted(caught.value.faults) == sorted(
        [
            *(f"{name}: expected a single 1 among the labels" for name in "bcd"),
            "unknown column 'FOO' in the ground truth",
            "a.jpg: no such file",
        ]
    )


def test_isic_without_a_single_usable_row_is_refused(tmp_path: Path) -> None:
    lay_isic(tmp_path, ISIC_2018, ["a,0,0,0,0,0,0,0"])
    with pytest.raises(DatasetError, match="the manifest has no row"):
        read("isic", tmp_path)


def test_two_ground_truths_are_refused(tmp_path: Path) -> None:
    lay_isic(tmp_path, ISIC_2018, ["a,1,0,0,0,0,0,0"])
    (tmp_path / "Test_GroundTruth.csv").write_text(ISIC_2018 + "\n")
    with pytest.raises(DatasetError, match=r"found ISIC_Training_GroundTruth\.csv, Test_GroundTruth\.csv"):
        read("isic", tmp_path)

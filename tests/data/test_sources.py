"""Every layout becomes a manifest, and every fault in it is named at once."""

from pathlib import Path

import pandas as pd
import pytest

from secondlook.data.manifest import Manifest
from secondlook.data.sources import SOURCES, read_folder
from secondlook.data.sources.layout import Options
from secondlook.errors import DatasetError
from tests.drawing import draw_lesion

HAM_ROWS = [
    ("HAM_1", "ISIC_1", "mel", "histo", "40.0", "male", "back"),
    ("HAM_1", "ISIC_2", "mel", "histo", "40.0", "male", "back"),
    ("HAM_2", "ISIC_3", "nv", "follow_up", "", "unknown", "unknown"),
]
HAM_HEADER = "lesion_id,image_id,dx,dx_type,age,sex,localization"


def draw(path: Path, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draw_lesion(seed, size=(40, 30)).save(path)


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


def read(source: str, root: Path, **options: object) -> tuple[Manifest, list[str]]:
    chosen = Options(**options)  # type: ignore[arg-type]
    return read_folder(SOURCES[source], root, chosen, decode=True)


@pytest.mark.parametrize(
    "folders",
    [
        ("images", "images"),
        ("HAM10000_images_part_1", "HAM10000_images_part_2"),
        ("ham10000_images_part_1", "ham10000_images_part_2"),
        ("images_200x150",) * 2,
    ],
)
@pytest.mark.parametrize(
    ("metadata", "tab"),
    [("HAM10000_metadata.csv", False), ("HAM10000_metadata", False), ("HAM10000_metadata.tab", True)],
)
def test_ham10000_is_read_in_every_layout(tmp_path: Path, folders: tuple[str, str], metadata: str, tab: bool) -> None:
    lay_ham10000(tmp_path, metadata=metadata, folders=folders, tab=tab)
    manifest = read("ham10000", tmp_path)[0]
    assert all(path.is_file() for path in manifest.paths())
    frame = manifest.frame
    assert [Path(image).stem for image in frame["image"]] == ["ISIC_1", "ISIC_2", "ISIC_3"]
    assert frame["label"].tolist() == ["mel", "mel", "nv"]
    assert frame["group"].tolist() == ["HAM_1", "HAM_1", "HAM_2"]
    assert frame["age_years"].isna().tolist() == [False, False, True]
    assert frame["age_years"][0] == 40
    assert frame[["sex", "site"]].isna().to_numpy().tolist() == [[False] * 2, [False] * 2, [True] * 2]
    assert frame["reference"].tolist() == ["histo", "histo", "follow_up"]


def test_ham10000_lists_every_fault_at_once(tmp_path: Path) -> None:
    parts = ("HAM10000_images_part_1", "HAM10000_images_part_2")
    lay_ham10000(tmp_path, folders=parts)
    with (tmp_path / "HAM10000_metadata.csv").open("a") as stream:
        stream.write("HAM_3,ISIC_9,mel,histo,40,male,back\nHAM_4,ISIC_3,wart,histo,old,male,back\n")
    draw(tmp_path / parts[1] / "ISIC_1.jpg")
    (tmp_path / parts[1] / "ISIC_2.jpg").write_bytes(b"broken")
    with pytest.raises(DatasetError, match="6 faults") as caught:
        read("ham10000", tmp_path)
    faults = "\n".join(caught.value.faults)
    for words in (
        "HAM10000_images_part_2/ISIC_1.jpg: a picture of this name is also",
        "row 6: HAM10000_images_part_1/ISIC_3.jpg is already in row 4",
        "row 6: unknown label 'wart'",
        "row 6: age 'old'",
        "row 5: HAM10000_images_part_1/ISIC_9.jpg: no such file",
        "row 3: HAM10000_images_part_2/ISIC_2.jpg: ",
    ):
        assert words in faults


def test_pictures_without_a_row_are_noted(tmp_path: Path) -> None:
    lay_ham10000(tmp_path)
    draw(tmp_path / "images" / "ISIC_7.jpg")
    _, notes = read("ham10000", tmp_path)
    assert notes == ["1 pictures are in the folder but in no row; they are left out."]


@pytest.mark.parametrize("source", ["ham10000", "isic", "folders"])
def test_a_folder_of_another_layout_is_refused(source: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing here")
    with pytest.raises(DatasetError, match=tmp_path.name) as caught:
        read(source, tmp_path)
    assert str(tmp_path.parent) not in str(caught.value)


def test_a_metadata_table_without_its_columns_is_refused(tmp_path: Path) -> None:
    lay_ham10000(tmp_path)
    (tmp_path / "HAM10000_metadata.csv").write_text("image_id,dx\nISIC_1,nv\n")
    with pytest.raises(DatasetError, match="lacks lesion_id, dx_type, age"):
        read("ham10000", tmp_path)


def lay_isic(root: Path, header: str, rows: list[str]) -> None:
    truth = root / "GroundTruth" / "ISIC_Training_GroundTruth.csv"
    truth.parent.mkdir(parents=True)
    truth.write_text("\n".join([header, *rows]) + "\n")
    for seed, row in enumerate(rows):
        draw(root / "Input" / f"{row.split(',')[0]}.jpg", seed)


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
    with pytest.raises(DatasetError, match="2 rows, the first is row 3: unknown label 'scc'"):
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
            "row 2: a.jpg: no such file",
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
        "2 rows, the first is row 5: unknown label 'wart'",
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


def test_the_real_ham10000_is_whole(ham10000_folder: Path) -> None:
    frame = read_folder(SOURCES["ham10000"], ham10000_folder, Options())[0].frame
    assert len(frame) == 10015
    assert frame["group"].nunique() == 7470
    assert frame["age_years"].isna().sum() == 57
    assert frame["age_years"].dtype.kind == "f"
    assert pd.Series(frame["label"]).value_counts()["nv"] == 6705

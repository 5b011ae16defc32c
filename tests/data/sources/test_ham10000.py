"""HAM10000 in every layout; sharper pictures are taken in the same share of every class."""

from pathlib import Path

import pandas as pd
import pytest

from secondlook.errors import DatasetError
from tests.data.sources.trees import draw, lay_ham10000, lay_two_sizes, read


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
        "HAM10000_images_part_1/ISIC_3.jpg: listed twice",
        "HAM10000_images_part_1/ISIC_3.jpg: unknown label 'wart'",
        "HAM10000_images_part_1/ISIC_3.jpg: age 'old'",
        "HAM10000_images_part_1/ISIC_9.jpg: no such file",
        "HAM10000_images_part_2/ISIC_2.jpg: ",
    ):
        assert words in faults


def test_pictures_without_a_row_are_noted(tmp_path: Path) -> None:
    lay_ham10000(tmp_path)
    draw(tmp_path / "images" / "ISIC_7.jpg")
    _, notes = read("ham10000", tmp_path)
    assert notes == ["1 picture in the folder but in no row: left out."]


def test_a_metadata_table_without_its_columns_is_refused(tmp_path: Path) -> None:
    lay_ham10000(tmp_path)
    (tmp_path / "HAM10000_metadata.csv").write_text("image_id,dx\nISIC_1,nv\n")
    with pytest.raises(DatasetError, match="lacks lesion_id, dx_type, age"):
        read("ham10000", tmp_path)


def test_sharper_pictures_are_the_same_share_of_every_class(tmp_path: Path) -> None:
    lay_two_sizes(tmp_path)
    manifest, notes = read("ham10000_squares", tmp_path)
    sharper = manifest.frame["image"].str.startswith("images_224x224/")
    assert sharper.groupby(manifest.frame["label"]).sum().to_dict() == {"mel": 2, "nv": 4}
    assert notes == ["6 pictures are taken from images_224x224, 20% of every class."]


def test_which_pictures_are_sharper_depends_on_nothing_but_their_names(tmp_path: Path) -> None:
    chosen = []
    for reverse in (False, True):
        folder = tmp_path / str(reverse)
        folder.mkdir()
        lay_two_sizes(folder, reverse=reverse)
        chosen.append(set(read("ham10000_squares", folder)[0].frame["image"]))
    assert chosen[0] == chosen[1]


def test_the_real_resolutions_do_not_tell_the_class(ham10000_folder: Path) -> None:
    frame = read("ham10000_squares", ham10000_folder, decode=False)[0].frame
    shares = frame["image"].str.contains("224x224").groupby(frame["label"]).mean()
    assert shares.max() - shares.min() < 0.01
    assert shares.min() > 0.3


def test_whole_frames_stay_whole_beside_larger_squares(tmp_path: Path) -> None:
    lay_two_sizes(tmp_path)
    assert read("ham10000", tmp_path)[0].frame["image"].str.startswith("images_200x150/").all()


def test_squares_need_both_sizes(tmp_path: Path) -> None:
    lay_two_sizes(tmp_path)
    (tmp_path / "images_224x224").rename(tmp_path / "other")
    with pytest.raises(DatasetError, match="no images_224x224"):
        read("ham10000_squares", tmp_path)


def test_the_real_ham10000_is_whole(ham10000_folder: Path) -> None:
    frame = read("ham10000", ham10000_folder, decode=False)[0].frame
    assert len(frame) == 10015
    assert frame["group"].nunique() == 7470
    assert frame["age_years"].isna().sum() == 57
    assert frame["age_years"].dtype.kind == "f"
    assert pd.Series(frame["label"]).value_counts()["nv"] == 6705

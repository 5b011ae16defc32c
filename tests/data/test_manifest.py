"""The manifest on disk: what is written is read; what is wrong is refused and spoils nothing."""

from pathlib import Path

import pandas as pd
import pytest

from secondlook.data.manifest import Manifest, read_manifest, write_manifest
from secondlook.errors import DatasetError


def make(root: Path, **columns: list[object]) -> Manifest:
    frame = {"image": ["a/1.png", "a/2.png"], "label": ["nv", "mel"], "group": ["g1", "g2"], **columns}
    return Manifest(pd.DataFrame(frame), root, "skin")


def test_a_manifest_survives_writing_and_reading(tmp_path: Path) -> None:
    written = make(tmp_path / "pictures", split=["train", "test"], age_years=[40.0, None], sex=["female", None])
    write_manifest(written, tmp_path / "elsewhere" / "manifest.csv")
    read = read_manifest(tmp_path / "elsewhere" / "manifest.csv")
    assert read.task == "skin"
    assert [path.resolve() for path in read.paths()] == [path.resolve() for path in written.paths()]
    pd.testing.assert_frame_equal(
        read.frame.drop(columns="image"), written.frame.drop(columns="image"), check_dtype=False
    )


def test_missing_ages_stay_missing(tmp_path: Path) -> None:
    write_manifest(make(tmp_path, age_years=[None, 0.0]), tmp_path / "manifest.csv")
    ages = read_manifest(tmp_path / "manifest.csv").frame["age_years"]
    assert ages.isna().tolist() == [True, False]
    assert ages[1] == 0


def test_words_that_mean_missing_elsewhere_stay_words(tmp_path: Path) -> None:
    write_manifest(make(tmp_path, label=["NA", "None"], group=["null", "007"]), tmp_path / "manifest.csv")
    frame = read_manifest(tmp_path / "manifest.csv").frame
    assert frame["label"].tolist() == ["NA", "None"]
    assert frame["group"].tolist() == ["null", "007"]


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "manifest.csv"
    write_manifest(make(tmp_path), path)
    before = path.read_bytes()

    def fill_disk(*_args: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", fill_disk)
    with pytest.raises(DatasetError, match=r"manifest\.csv: No space left"):
        write_manifest(make(tmp_path, group=["x", "y"]), path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["manifest.csv"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "cannot be read as one"),
        (b"image,label\n1.png,nv\n", "lacks group"),
        (b"task,image,label,group\nskin,1.png,nv,1\nmole,2.png,benign,2\n", "one task for all rows"),
        (b"\xff\xfe\x00\x01\x02", "no text in UTF-8. Save it as CSV in UTF-8"),
        ("image,label,group,site\n1.png,nv,1,Rücken\n".encode("latin-1"), "no text in UTF-8. Save it as CSV in UTF-8"),
        (b"image,label,group\n1.png,nv,1,\n", "row 2 has more cells than the header has. Give each column a name"),
        (b"task,image,label,group\n", "has a header alone"),
    ],
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "manifest.csv"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=sentence) as caught:
        read_manifest(path)
    assert str(tmp_path) not in str(caught.value)


def test_a_missing_manifest_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"found no file manifest\.csv"):
        read_manifest(tmp_path / "manifest.csv")
    with pytest.raises(DatasetError, match="cannot be opened"):
        read_manifest(tmp_path)


def test_a_split_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="data split"):
        make(tmp_path).select("test")
    with pytest.raises(DatasetError, match="only: train"):
        make(tmp_path, split=["train", "train"]).select("test")
    assert make(tmp_path, split=["train", "test"]).select("test").frame["group"].tolist() == ["g2"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_manifest_that_an_office_program_saved_anew_is_the_same(
    tmp_path: Path, separator: str, encoding: str, end: str
) -> None:
    rows = [["image", "label", "group", "age_years", "site"], ["1.png", "nv", "007", "45", "Rücken, links"]]
    cells = [[f'"{cell}"' if "," in cell else cell for cell in row] for row in rows]
    (tmp_path / "manifest.csv").write_bytes("".join(separator.join(row) + end for row in cells).encode(encoding))
    assert read_manifest(tmp_path / "manifest.csv").frame.to_dict("records") == [
        {"image": "1.png", "label": "nv", "group": "007", "age_years": 45, "site": "Rücken, links"}
    ]

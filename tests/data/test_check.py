"""Checking a manifest lists every fault at once."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from secondlook.data.check import check_manifest, list_faults
from secondlook.data.manifest import Manifest
from secondlook.errors import SHOWN_FAULTS, DatasetError
from tests.data.conftest import Build


def test_a_sound_manifest_passes(build_manifest: Build) -> None:
    check_manifest(build_manifest({"1.png": ("nv", "a", "train"), "2.png": ("mel", "b", "test")}))


def test_every_fault_is_listed_at_once(build_manifest: Build, tmp_path: Path) -> None:
    manifest = build_manifest({f"{number}.png": ("nv", f"g{number}", "train") for number in range(9)})
    (tmp_path / "1.png").unlink()
    (tmp_path / "2.png").write_bytes((tmp_path / "2.png").read_bytes()[:400])
    (tmp_path / "3.png").write_text("not a picture")
    frame = manifest.frame
    frame.loc[4, "label"] = "wart"
    frame.loc[5, ["group", "split"]] = ["g6", "test"]
    frame.loc[7, "split"] = "validation"
    frame.loc[8, "image"] = "./0.png"
    frame["age_years"] = [None, "40", 41, "old", -3, 0, 99, 121, 120]
    faults = list_faults(manifest, decode=True)
    for row, words in {
        3: "1.png: no such file",
        4: "2.png: ",
        5: "3.png: ",
        6: "unknown label 'wart'",
        9: "split 'validation'",
        10: "./0.png is already in row 2",
    }.items():
        assert any(fault.startswith(f"row {row}: {words}") for fault in faults), (row, words, faults)
    assert "group g6 lies in several splits: test, train" in faults
    assert [fault[:6] for fault in faults if ": age " in fault] == ["row 5:", "row 6:", "row 9:"]
    assert len(faults) == 10


def test_reading_the_pictures_may_be_left_out(build_manifest: Build, tmp_path: Path) -> None:
    manifest = build_manifest({"1.png": ("nv", "a")})
    (tmp_path / "1.png").write_text("not a picture")
    check_manifest(manifest, decode=False)
    with pytest.raises(DatasetError, match=r"1\.png"):
        check_manifest(manifest)


def test_gaps_are_faults(tmp_path: Path) -> None:
    frame = pd.DataFrame({"image": [None, "1.png"], "label": ["nv", None], "group": ["a", None]})
    faults = list_faults(Manifest(frame, tmp_path), decode=False)
    assert faults == ["row 2: no image", "row 3: no label", "row 3: no group", "row 3: 1.png: no such file"]


def test_one_picture_by_two_paths_is_a_fault(build_manifest: Build) -> None:
    manifest = build_manifest({"1.png": ("nv", "a")})
    again = manifest.frame.iloc[:1].assign(image=str(manifest.paths()[0].absolute()))
    twice = replace(manifest, frame=pd.concat([manifest.frame, again], ignore_index=True))
    with pytest.raises(DatasetError, match=r"is already in row 2"):
        check_manifest(twice, decode=False)


def test_an_empty_manifest_is_a_fault(tmp_path: Path) -> None:
    frame = pd.DataFrame({"image": [], "label": [], "group": []})
    assert list_faults(Manifest(frame, tmp_path), decode=True) == ["the manifest has no row"]


def test_a_group_in_two_folds_is_a_fault(build_manifest: Build) -> None:
    manifest = build_manifest({"1.png": ("nv", "a"), "2.png": ("nv", "a")})
    manifest.frame["fold"] = [0, 1]
    assert list_faults(manifest, decode=False) == ["group a lies in several folds: 0, 1"]


def test_many_faults_are_counted_in_full_and_shown_in_part(tmp_path: Path) -> None:
    count = 3 * SHOWN_FAULTS
    frame = pd.DataFrame({"image": [f"{n}.png" for n in range(count)], "label": "nv", "group": "a"})
    with pytest.raises(DatasetError, match=f"{count} faults") as caught:
        check_manifest(Manifest(frame, tmp_path))
    assert len(caught.value.faults) == count
    assert len(str(caught.value).splitlines()) == SHOWN_FAULTS + 2
    assert f"and {2 * SHOWN_FAULTS} more, {count} in all" in str(caught.value)

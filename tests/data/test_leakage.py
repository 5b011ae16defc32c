"""The audit finds each kind of leak, names it, and lets nobody train on it unawares."""

import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from secondlook.data.leakage import audit_manifest, describe_pair, drop_leaks, merge_groups, require_no_leak
from secondlook.data.manifest import Manifest
from secondlook.data.split import split_manifest
from secondlook.errors import DatasetError
from tests.data.conftest import Build

CLEAN = {
    "a.png": ("nv", "g1", "train"),
    "b.png": ("nv", "g1", "train"),
    "c.png": ("mel", "g2", "calibration"),
    "d.png": ("mel", "g3", "test"),
    "e.png": ("mel", "g3", "test"),
    "f.png": ("nv", "g4", "test"),
}


def copy_file(root: Path, source: str, target: str) -> None:
    shutil.copy(root / source, root / target)


def copy_pixels(root: Path, source: str, target: str) -> None:
    with Image.open(root / source) as image:
        image.save(root / target, compress_level=1)


def copy_mirrored(root: Path, source: str, target: str) -> None:
    with Image.open(root / source) as image:
        ImageOps.mirror(image).save(root / target)


COPIES = {"file": copy_file, "picture": copy_pixels, "near": copy_mirrored}


def test_x_rays_are_judged_by_a_limit_of_their_own(build_manifest: Build) -> None:
    manifest = build_manifest(CLEAN)
    with Image.open(manifest.root / "a.png") as image:
        image.crop((10, 8, *image.size)).save(manifest.root / "f.png")
    kinds = [audit_manifest(Manifest(manifest.frame, manifest.root, task)).leaks for task in ("skin", "knee")]
    assert [len(leaks) for leaks in kinds] == [1, 0]
    assert kinds[0][0].correlation is not None
    assert 0.55 < kinds[0][0].correlation < 0.8


def test_a_clean_split_has_no_leak(build_manifest: Build) -> None:
    manifest = build_manifest(CLEAN)
    report = audit_manifest(manifest)
    assert (report.leaks, report.cousins, report.touched()) == ((), (), {})
    assert report.summary() == "No leak between splits in 6 pictures."
    assert require_no_leak(manifest, allow=False) == "none"
    assert require_no_leak(manifest, allow=True) == "none"


def test_a_shared_group_is_a_leak(build_manifest: Build) -> None:
    manifest = build_manifest({**CLEAN, "d.png": ("mel", "g1", "test")})
    (leak,) = audit_manifest(manifest).leaks
    assert (leak.kind, leak.first.image, leak.second.image) == ("group", "a.png", "d.png")
    assert describe_pair(leak) == "group g1: a.png (nv, train) and d.png (mel, test)"


@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_in_another_split_is_a_leak(kind: str, build_manifest: Build, tmp_path: Path) -> None:
    manifest = build_manifest(CLEAN)
    COPIES[kind](tmp_path, "a.png", "d.png")
    report = audit_manifest(manifest)
    (leak,) = report.leaks
    assert leak.kind == kind
    assert {leak.first.image, leak.second.image} == {"a.png", "d.png"}
    assert (leak.correlation is None) == (kind == "file")
    assert report.contradictions == (leak,)
    # b.png and e.png show the same lesions as a.png and d.png.
    assert report.touched() == {"test": 2, "train": 2}
    assert report.summary().endswith("pictures touched: 2 of 3 in test, 2 of 2 in train.")


def test_a_leaking_split_is_refused_or_marked(build_manifest: Build, tmp_path: Path) -> None:
    manifest = build_manifest(CLEAN)
    copy_mirrored(tmp_path, "a.png", "d.png")
    with pytest.raises(DatasetError, match="1 pair of near-duplicates") as caught:
        require_no_leak(manifest, allow=False)
    assert len(caught.value.faults) == 1
    note = require_no_leak(manifest, allow=True)
    assert note == "The splits leak: 1 pair of near-duplicates; pictures touched: 2 of 3 in test, 2 of 2 in train."


def test_a_manifest_without_split_cannot_be_trained_on(build_manifest: Build) -> None:
    manifest = build_manifest({"a.png": ("nv", "g1")})
    with pytest.raises(DatasetError, match="data split"):
        require_no_leak(manifest, allow=True)
    assert audit_manifest(manifest).leaks == ()


def test_groups_are_checked_afresh_though_the_comparison_is_cached(build_manifest: Build) -> None:
    manifest = build_manifest(CLEAN)
    assert require_no_leak(manifest, allow=False) == "none"
    manifest.frame.loc[0, "split"] = "test"
    with pytest.raises(DatasetError, match="1 group"):
        require_no_leak(manifest, allow=False)


@pytest.mark.parametrize("kind", COPIES)
def test_dropping_the_touched_pictures_mends_the_split(kind: str, build_manifest: Build, tmp_path: Path) -> None:
    manifest = build_manifest(CLEAN)
    COPIES[kind](tmp_path, "a.png", "d.png")
    cleaned = drop_leaks(audit_manifest(manifest), ["calibration", "test"])
    assert cleaned.frame["image"].tolist() == ["a.png", "b.png", "c.png", "f.png"]
    assert require_no_leak(cleaned, allow=False) == "none"
    assert len(drop_leaks(audit_manifest(manifest), ["calibration"])) == len(manifest)


def test_dropping_nothing_gives_the_manifest_back(build_manifest: Build) -> None:
    manifest = build_manifest(CLEAN)
    assert drop_leaks(audit_manifest(manifest), ["test"]).frame.equals(manifest.frame)


def test_twins_within_a_split_are_cousins_until_their_groups_are_united(build_manifest: Build, tmp_path: Path) -> None:
    manifest = build_manifest(CLEAN)
    copy_mirrored(tmp_path, "d.png", "f.png")
    copy_file(tmp_path, "b.png", "a.png")
    report = audit_manifest(manifest)
    assert report.leaks == ()
    assert [{pair.first.image, pair.second.image} for pair in report.cousins] == [{"d.png", "f.png"}]
    merged = merge_groups(report)
    assert merged.frame["group"].tolist() == ["g1", "g1", "g2", "g3", "g3", "g3"]
    assert manifest.frame["group"].tolist()[-1] == "g4"


def test_chains_of_twins_become_one_group(build_manifest: Build, tmp_path: Path) -> None:
    names = [f"{number}.png" for number in range(6)]
    manifest = build_manifest({name: ("nv", f"g{5 - number}") for number, name in enumerate(names)})
    copy_file(tmp_path, "0.png", "1.png")
    copy_mirrored(tmp_path, "1.png", "2.png")
    copy_file(tmp_path, "4.png", "5.png")
    merged = merge_groups(audit_manifest(manifest))
    assert merged.frame["group"].tolist() == ["g3", "g3", "g3", "g2", "g0", "g0"]


def test_a_split_by_picture_is_found_out(build_manifest: Build) -> None:
    rows = {f"{number}.png": ("nv", f"g{number // 3}") for number in range(30)}
    manifest: Manifest = build_manifest(rows)
    by_group = split_manifest(manifest, by="group")
    by_picture = split_manifest(manifest, by="picture")
    assert require_no_leak(by_group, allow=False) == "none"
    assert "groups (patients or lesions) shared by two splits" in require_no_leak(by_picture, allow=True)


def test_a_group_in_three_splits_is_three_pairs(build_manifest: Build) -> None:
    manifest = build_manifest({f"{part}.png": ("nv", "g", part) for part in ("train", "calibration", "test")})
    assert len(audit_manifest(manifest).leaks) == 3

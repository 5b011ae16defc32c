"""Every source knows its own layout; a wrong folder is told what it lacks and what it looks like."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from secondlook.conditions import TASKS
from secondlook.data.sources import SOURCES, enter_folder, explain_folder, recognise_folder
from secondlook.errors import DatasetError, InputError
from tests.data.sources.test_isic import ISIC_2018
from tests.data.sources.trees import (
    draw_all,
    lay_chest_xray,
    lay_ham10000,
    lay_isic,
    lay_mura,
    lay_pad_ufes20,
    lay_spreadsheet,
    lay_two_sizes,
    read,
)

TREES: dict[str, Callable[[Path], None]] = {
    "ham10000": lay_ham10000,
    "ham10000_squares": lay_two_sizes,
    "pad_ufes20": lay_pad_ufes20,
    "spreadsheet": lay_spreadsheet,
    "mura": lambda root: lay_mura(root, lists=False),
    "chest_xray": lay_chest_xray,
    "knee_oa": lambda root: draw_all(root, [f"train/{grade}/900000{grade}L.png" for grade in range(5)]),
    "moles": lambda root: draw_all(root, ["train/benign/1.jpg", "train/malignant/2.jpg"]),
    "isic": lambda root: lay_isic(root, ISIC_2018, ["a,1,0,0,0,0,0,0"]),
    "folders": lambda root: draw_all(root, ["nv/1.jpg", "mel/2.jpg"]),
}


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a tiny data set of every source."""
    found = {}
    for name, lay in TREES.items():
        found[name] = tmp_path_factory.mktemp(f"tree_{name}_")
        lay(found[name])
    return found


def test_there_is_a_tree_of_every_source() -> None:
    assert list(TREES) == list(SOURCES)
    assert all(set(source.tasks) <= set(TASKS) and source.tasks for source in SOURCES.values())


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_recognises_its_own_layout(name: str, trees: dict[str, Path]) -> None:
    found = recognise_folder(trees[name])
    assert found is not None
    assert found.name == name.removesuffix("_squares")
    assert enter_folder(SOURCES[name], trees[name]) is not None
    assert len(read(name, trees[name])[0]) > 0


@pytest.mark.parametrize(
    ("told", "really"),
    [
        (told, really)
        for told in SOURCES
        for really in SOURCES
        if told != really and (told, really) != ("ham10000", "ham10000_squares")
    ],
)
def test_a_wrong_folder_is_told_what_it_looks_like(told: str, really: str, trees: dict[str, Path]) -> None:
    with pytest.raises(DatasetError) as caught:
        read(told, trees[really])
    assert f"looks like the source {really.removesuffix('_squares')}:" in caught.value.summary
    assert caught.value.summary.startswith("Expected")
    assert str(trees[really].parent) not in str(caught.value)


@pytest.mark.parametrize("source", SOURCES)
def test_a_folder_like_none_is_refused(source: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing here")
    assert recognise_folder(tmp_path) is None
    with pytest.raises(DatasetError, match=tmp_path.name) as caught:
        read(source, tmp_path)
    assert str(tmp_path.parent) not in str(caught.value)
    assert "looks like" not in str(caught.value)


@pytest.mark.parametrize(
    ("told", "inner"), [("chest_xray", "train"), ("moles", "test/benign"), ("ham10000", "images"), ("mura", "train")]
)
def test_a_part_of_a_data_set_is_led_to_the_folder_above(told: str, inner: str, tmp_path: Path) -> None:
    root = tmp_path / "mine"
    TREES[told](root) if told != "moles" else draw_all(root, ["test/benign/1.jpg", "test/malignant/2.jpg"])
    given = (root / "MURA-v1.1" if told == "mura" else root) / inner
    with pytest.raises(DatasetError) as caught:
        read(told, given)
    above = "MURA-v1.1" if told == "mura" else "mine"
    assert f"The folder above it, {above}, has this layout: give that one." in caught.value.summary
    assert str(tmp_path.parent) not in str(caught.value)


def test_a_data_set_beside_is_not_the_folder_above(tmp_path: Path) -> None:
    lay_isic(tmp_path / "isic", ISIC_2018, ["a,1,0,0,0,0,0,0"])
    shutil.move(tmp_path / "isic" / "GroundTruth" / "ISIC_Training_GroundTruth.csv", tmp_path / "isic")
    draw_all(tmp_path / "mine", ["moles/1.jpg"])
    with pytest.raises(DatasetError) as caught:
        read("isic", tmp_path / "mine")
    assert "The folder above" not in caught.value.summary


def test_labels_of_another_task_are_led_to_it(tmp_path: Path) -> None:
    draw_all(tmp_path, ["normal/1.jpg", "pneumonia/2.jpg"])
    with pytest.raises(DatasetError, match="Its labels are those of the task chest: say so with --task") as caught:
        read("folders", tmp_path)
    assert caught.value.faults[0].startswith("normal/1.jpg: unknown label 'normal'")
    assert read("folders", tmp_path, task="chest")[0].task == "chest"


def test_a_tree_that_lacks_one_folder_is_told_so_and_nothing_else(tmp_path: Path) -> None:
    draw_all(tmp_path, ["train/benign/1.jpg", "test/benign/2.jpg"])
    with pytest.raises(DatasetError) as caught:
        read("moles", tmp_path)
    assert "train/malignant: expected a folder of this name, found none" in caught.value.faults
    assert "looks like" not in caught.value.summary


def test_a_folder_like_none_is_explained_for_every_source(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    error = explain_folder(tmp_path)
    assert [fault.partition(":")[0] for fault in error.faults] == list(SOURCES)
    assert any("Expected HAM10000_metadata.csv" in fault for fault in error.faults)


def test_a_folder_that_is_not_there_is_said_by_name(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="there is no folder nowhere") as caught:
        read("moles", tmp_path / "nowhere")
    assert str(tmp_path) not in str(caught.value)


def test_a_task_that_the_source_lacks_is_refused(trees: dict[str, Path]) -> None:
    with pytest.raises(InputError, match="that pad_ufes20 has labels of, skin or mole; got knee"):
        read("pad_ufes20", trees["pad_ufes20"], task="knee")


def test_a_table_in_another_encoding_is_no_crash(tmp_path: Path) -> None:
    (tmp_path / "export.csv").write_bytes("image,MEL,NV\n".encode("utf-16"))
    assert recognise_folder(tmp_path) is None
    with pytest.raises(DatasetError, match=r"export\.csv cannot be read as one: it is no text in UTF-8\. Save it"):
        read("isic", tmp_path)

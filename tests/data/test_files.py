"""Write a file whole or not at all."""

from pathlib import Path

import pytest

from secondlook.data.files import replace_file


def test_what_a_killed_process_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "bundle.json.tmp").write_bytes(b"half of i")
    replace_file(tmp_path / "bundle.json", b"whole")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"bundle.json": b"whole"}


def test_who_shares_the_file_leaves_the_draft_of_another_alone(tmp_path: Path) -> None:
    (tmp_path / "answers.csv.1.tmp").write_bytes(b"half of w")
    replace_file(tmp_path / "answers.csv", b"mine", scrap=".2.tmp")
    found = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert found == {"answers.csv": b"mine", "answers.csv.1.tmp": b"half of w"}


def test_a_full_disk_costs_nothing_that_was_there(tmp_path: Path) -> None:
    (tmp_path / "evidence.json").write_bytes(b"before")
    (tmp_path / "evidence.json.tmp").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        replace_file(tmp_path / "evidence.json", b"after")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"evidence.json": b"before"}

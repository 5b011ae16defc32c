"""Files for their owner alone that are whole, or not there."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from secondlook.clinic.files.durable import write_durably, write_once


def test_a_file_appears_whole_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with write_durably(path) as draft:
        draft.write(b"Jane Doe")
        assert not path.exists()
        assert [left.stat().st_mode & 0o077 for left in tmp_path.iterdir()] == [0]
    assert {left.name: left.read_bytes() for left in tmp_path.iterdir()} == {"export.zip": b"Jane Doe"}
    assert path.stat().st_mode & 0o077 == 0


def test_what_fails_on_its_way_leaves_nothing_and_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    path.write_bytes(b"before")

    def stop_halfway() -> None:
        with write_durably(path) as draft:
            draft.write(b"after")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_halfway()
    assert {left.name: left.read_bytes() for left in tmp_path.iterdir()} == {"export.zip": b"before"}


def test_of_several_processes_at_once_the_first_ones_key_stays(tmp_path: Path) -> None:
    path = tmp_path / "files-key"

    def start(number: int) -> bytes:
        write_once(path, b"%d" % number * 1_000)
        return path.read_bytes()

    with ThreadPoolExecutor(8) as pool:
        read = set(pool.map(start, range(64)))
    assert len(read) == 1
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o077 == 0

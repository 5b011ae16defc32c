"""A backup is taken while people work, says nothing without the key, and elsewhere gives the same to the last digit."""

import json
import os
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.clinic.databases import DATABASES, SQLITE, fresh_database

TORTURE = [sys.executable, "-m", "tests.clinic.keeping.torture"]
SECONDLOOK = str(Path(sys.executable).with_name("secondlook"))


class Place:
    """A site of its own, with its own database, folder and key."""

    def __init__(self, folder: Path, database: dict[str, str]) -> None:
        self.folder = folder
        self.environment = {**os.environ, "SECONDLOOK_DATA_FOLDER": str(folder), **database}

    def run(self, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        environment = self.environment | variables
        return subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=300, check=False)

    def torture(self, *arguments: str) -> dict[str, Any]:
        """Run the torture and return what it found."""
        ended = self.run(*TORTURE, *arguments)
        assert ended.returncode == 0, ended.stderr
        found: dict[str, Any] = json.loads(ended.stdout)
        return found


@pytest.fixture(params=DATABASES)
def places(request: pytest.FixtureRequest, tmp_path: Path, site_bundle: Path) -> Iterator[tuple[Place, Place]]:
    """Return a site and an empty place elsewhere."""
    with fresh_database(request.param) as one, fresh_database(request.param) as other:
        yield Place(tmp_path / "here", one), Place(tmp_path / "elsewhere", other)


def test_a_backup_of_a_working_site_gives_the_same_elsewhere(places: tuple[Place, Place], tmp_path: Path) -> None:
    here, elsewhere = places
    assert here.torture("crowd", "--people", "4")["pictures"] == 8
    # Forty people go on sending while it is taken.
    crowd = subprocess.Popen([*TORTURE, "crowd", "--people", "40", "--first", "4"], env=here.environment)
    backup = tmp_path / "backup.tar"
    ended = here.run(SECONDLOOK, "backup", str(backup))
    assert crowd.wait(300) == 0
    assert ended.returncode == 0, ended.stderr
    assert "The keys are not in it" in ended.stdout

    key = (here.folder / "files-key").read_text()
    refused = elsewhere.run(SECONDLOOK, "restore", str(backup))
    assert refused.returncode == 1
    assert "SECONDLOOK_FILES_KEY" in refused.stderr
    elsewhere.environment["SECONDLOOK_FILES_KEY"] = key
    restored = elsewhere.run(SECONDLOOK, "restore", str(backup))
    assert restored.returncode == 0, restored.stderr
    again = elsewhere.run(SECONDLOOK, "restore", str(backup))
    assert "Expected an empty site" in again.stderr

    there, here_now = elsewhere.torture("reproduce"), here.torture("reproduce")
    assert 8 <= len(there["pictures"]) <= 88
    assert set(there["pictures"]) <= set(here_now["pictures"])
    assert there["results"] == there["identical"] >= 8
    assert {key: here_now["logits"][key] for key in there["logits"]} == there["logits"]
    assert (there["missing"], there["damaged"]) == (0, 0)
    head = ended.stdout.split("chain up to ")[1].split(". ")[0]
    assert elsewhere.run(SECONDLOOK, "audit", "verify", "--head", head).returncode == 0
    assert here.run(SECONDLOOK, "audit", "verify", "--head", head).returncode == 0


@pytest.fixture
def backup(tmp_path: Path, site_bundle: Path) -> tuple[Place, Path]:
    """Return a site and its backup, keys and all."""
    with fresh_database(SQLITE) as database:
        here = Place(tmp_path / "here", database)
    here.torture("crowd", "--people", "1")
    path = tmp_path / "backup.tar"
    assert here.run(SECONDLOOK, "backup", str(path), "--with-keys").returncode == 0
    return here, path


def test_a_backup_with_keys_needs_nothing_else(backup: tuple[Place, Path], tmp_path: Path) -> None:
    here, path = backup
    with fresh_database(SQLITE) as database:
        elsewhere = Place(tmp_path / "elsewhere", database)
    assert elsewhere.run(SECONDLOOK, "restore", str(path)).returncode == 0
    assert (elsewhere.folder / "files-key").read_text() == (here.folder / "files-key").read_text()
    assert elsewhere.torture("reproduce")["identical"] == 2


def test_a_backup_says_nothing_without_the_key(backup: tuple[Place, Path], tmp_path: Path) -> None:
    here, _ = backup
    path = tmp_path / "sealed.tar"
    assert here.run(SECONDLOOK, "backup", str(path)).returncode == 0
    content = path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0
    for word in (b"Patient 0", b"example.org", b"SQLite format", b"JFIF", b"IHDR", b"files_key"):
        assert word not in content


def test_a_backup_is_never_written_over_another(backup: tuple[Place, Path]) -> None:
    here, path = backup
    ended = here.run(SECONDLOOK, "backup", str(path))
    assert ended.returncode == 1
    assert "is there already" in ended.stderr


@pytest.mark.parametrize("harm", ["cut", "picture", "database", "text"])
def test_a_damaged_backup_is_refused_and_leaves_no_database(
    backup: tuple[Place, Path], tmp_path: Path, harm: str
) -> None:
    _, path = backup
    content = bytearray(path.read_bytes())
    with tarfile.open(path) as archive:
        members = {member.name.split("/")[0]: member for member in archive}
    if harm == "cut":
        content = content[: len(content) // 2]
    elif harm == "text":
        content = bytearray(b"no backup at all")
    else:
        member = members["pictures" if harm == "picture" else "database"]
        content[member.offset_data + member.size // 2] ^= 1
    path.write_bytes(content)
    with fresh_database(SQLITE) as variables:
        elsewhere = Place(tmp_path / "elsewhere", variables)
    ended = elsewhere.run(SECONDLOOK, "restore", str(path))
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert "Expected " in ended.stderr
    path = elsewhere.folder / "secondlook.sqlite3"
    if path.exists():  # asking it whether it is empty makes it
        with closing(sqlite3.connect(path)) as database:
            assert database.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)

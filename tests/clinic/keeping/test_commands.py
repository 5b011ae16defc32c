"""What whoever runs the site does for a patient on the command line, and how the files are looked through."""

import json
import sqlite3
import stat
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from tests.clinic.databases import SQLITE, fresh_database
from tests.clinic.keeping.test_backup import SECONDLOOK, Place


@pytest.fixture
def place(tmp_path: Path, site_bundle: Path) -> Place:
    """Return a site with a patient of two pictures."""
    with fresh_database(SQLITE) as database:
        place = Place(tmp_path / "here", database)
    assert place.torture("crowd", "--people", "1")["pictures"] == 2
    return place


def find_patient(place: Place) -> str:
    """Return the key of the one patient."""
    with closing(sqlite3.connect(place.folder / "secondlook.sqlite3")) as database:
        ((key,),) = database.execute("SELECT key FROM cases_patient")
    return str(key)


def test_a_patient_is_handed_out_whole_and_to_one_person_alone(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "patient.zip"
    key = find_patient(place)
    ended = place.run(SECONDLOOK, "patient", "export", key, str(path))
    assert ended.returncode == 0, ended.stderr
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert json.loads(archive.read("record.json"))
    again = place.run(SECONDLOOK, "patient", "export", key, str(path))
    assert again.returncode == 1
    assert "patient.zip is there already" in again.stderr


def test_an_export_that_breaks_off_leaves_nothing(place: Place, tmp_path: Path) -> None:
    for path in (place.folder / "pictures").rglob("*"):
        if path.is_file():
            path.unlink()
    folder = tmp_path / "out"
    folder.mkdir()
    ended = place.run(SECONDLOOK, "patient", "export", find_patient(place), str(folder / "patient.zip"))
    assert ended.returncode == 1
    assert list(folder.iterdir()) == []


def test_files_are_looked_through_and_what_is_erased_is_proved_to_be_gone(place: Place) -> None:
    key = find_patient(place)
    before = place.run(SECONDLOOK, "check-files")
    assert before.returncode == 0
    assert "0 missing, 0 damaged" in before.stdout
    early = place.run(SECONDLOOK, "patient", "prove", key)
    assert early.returncode == 1
    assert "erased patient" in early.stderr

    erased = place.run(SECONDLOOK, "patient", "erase", key)
    assert erased.returncode == 0, erased.stderr
    assert "with 2 pictures;" in erased.stdout
    assert place.run(SECONDLOOK, "patient", "erase", key).returncode == 1
    proved = place.run(SECONDLOOK, "patient", "prove", key)
    assert proved.stdout.startswith("Erased at ") or "the files go within minutes" in proved.stderr


def test_a_missing_file_is_said(place: Place) -> None:
    sealed = next(path for path in (place.folder / "pictures").rglob("*") if path.is_file())
    sealed.unlink()
    ended = place.run(SECONDLOOK, "check-files")
    assert ended.returncode == 1
    assert "1 missing, 0 damaged" in ended.stderr
    assert "Restore a backup." in ended.stderr

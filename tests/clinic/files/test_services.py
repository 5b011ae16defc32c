"""Files and the rows that name them come and go together; what lies on the disk says nothing."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from secondlook.clinic.accounts.models import Practice
from secondlook.clinic.files import services
from secondlook.clinic.files.models import FileState, KeptFile
from secondlook.clinic.files.sealing import SealError, seal, unseal
from secondlook.clinic.files.services import (
    FileLostError,
    confirm_files,
    drop_file,
    keep_file,
    kept_files,
    read_file,
    sweep_files,
)
from secondlook.clinic.files.store import get_store, list_sealed, place_file, write_sealed

DATA = b"pixels of Jane Doe " * 1000
NOW = timedelta(0)


@pytest.fixture(autouse=True)
def empty_store(practice: Practice) -> None:
    """Start without any file."""
    for name in list_sealed():
        get_store().delete(place_file(name))


def find_path(name: str) -> Path:
    """Return where a file lies."""
    return Path(get_store().path(place_file(name)))


def keep(practice: Practice, data: bytes = DATA) -> str:
    """Keep a file and confirm it."""
    with kept_files(practice) as keeper:
        name = keeper(data)
        with transaction.atomic():
            keeper.confirm()
    return name


def test_a_file_comes_back_as_it_was_given(practice: Practice) -> None:
    assert read_file(keep(practice)) == DATA


def test_what_lies_on_the_disk_says_nothing(practice: Practice) -> None:
    name = keep(practice)
    assert b"Jane" not in find_path(name).read_bytes()
    assert len(name) == 40
    assert len({keep(practice) for _ in range(3)} | {name}) == 4


def test_the_same_content_is_sealed_differently_each_time() -> None:
    assert seal(DATA, name="a") != seal(DATA, name="a")


def test_a_changed_file_is_refused(practice: Practice) -> None:
    name = keep(practice)
    sealed = bytearray(find_path(name).read_bytes())
    for position in (20, len(sealed) // 2, -1):
        sealed[position] ^= 1
        find_path(name).write_bytes(sealed)
        with pytest.raises(SealError, match="changed after it was sealed"):
            read_file(name)
        sealed[position] ^= 1


def test_a_file_cannot_take_the_place_of_another(practice: Practice) -> None:
    one, other = keep(practice), keep(practice)
    find_path(one).write_bytes(find_path(other).read_bytes())
    with pytest.raises(SealError):
        read_file(one)


def test_another_key_is_told_from_a_damaged_file(practice: Practice, settings: Any) -> None:
    name = keep(practice)
    settings.FILES_KEY = bytes(range(32))
    with pytest.raises(SealError, match="SECONDLOOK_FILES_KEY"):
        read_file(name)


@pytest.mark.parametrize("sealed", [b"", b"SLF1", b"\xff\xd8\xff" * 20])
def test_what_is_no_sealed_file_is_refused(sealed: bytes) -> None:
    with pytest.raises(SealError, match="Expected a sealed file"):
        unseal(sealed, name="x")


def test_a_file_that_is_gone_is_said_to_be_lost(practice: Practice) -> None:
    name = keep(practice)
    find_path(name).unlink()
    with pytest.raises(FileLostError):
        read_file(name)


def test_an_upload_that_fails_leaves_nothing(practice: Practice) -> None:
    def fail() -> None:
        with kept_files(practice) as keeper:
            keeper(DATA)
            keeper(DATA)
            raise ValueError

    with pytest.raises(ValueError):
        fail()
    assert list_sealed() == set()
    assert not KeptFile.objects.exists()


def test_a_store_that_fails_leaves_nothing(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(name: str, sealed: bytes) -> None:
        write_sealed(name, sealed[:10])
        raise OSError("disk full")

    monkeypatch.setattr(services, "write_sealed", write)
    with pytest.raises(OSError, match="disk full"):
        keep_file(DATA, practice=practice)
    assert list_sealed() == set()
    assert not KeptFile.objects.exists()


def test_a_confirmation_that_is_rolled_back_leaves_nothing(practice: Practice) -> None:
    def fail() -> None:
        with kept_files(practice) as keeper:
            keeper(DATA)
            with transaction.atomic():
                keeper.confirm()
                raise ValueError

    with pytest.raises(ValueError):
        fail()
    assert list_sealed() == set()


def test_what_is_not_confirmed_is_swept_after_a_while_and_not_before(practice: Practice) -> None:
    kept, left = keep(practice), keep_file(DATA, practice=practice)
    assert sweep_files() == 0
    assert list_sealed() == {kept, left}
    assert sweep_files(grace=NOW) == 1
    assert list_sealed() == {kept} == set(KeptFile.objects.values_list("name", flat=True))


def test_who_confirms_too_late_is_refused(practice: Practice) -> None:
    one, other = (keep_file(DATA, practice=practice) for _ in range(2))
    KeptFile.objects.filter(name=one).delete()
    with pytest.raises(FileLostError), transaction.atomic():
        confirm_files(one, other)
    assert KeptFile.objects.get(name=other).state == FileState.INTENDED


def test_drafts_of_a_killed_process_are_swept(practice: Practice) -> None:
    KeptFile.objects.create(name="ab" * 20, practice=practice, size_bytes=1)
    draft = find_path("ab" * 20).with_name("ab" * 20 + ".x1y2.draft")
    draft.parent.mkdir(parents=True, exist_ok=True)
    draft.write_bytes(b"half")
    assert list_sealed() == set()
    assert sweep_files(grace=NOW) == 1
    assert not draft.exists()


@pytest.mark.django_db(transaction=True)
def test_dropping_takes_effect_with_its_transaction_alone(practice: Practice) -> None:
    name = keep(practice)

    def change_mind() -> None:
        with transaction.atomic():
            drop_file(name)
            raise ValueError

    with pytest.raises(ValueError):
        change_mind()
    assert read_file(name) == DATA
    drop_file(name)
    assert list_sealed() == set()
    assert not KeptFile.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_files_cannot_be_kept_within_a_transaction(practice: Practice) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        keep_file(DATA, practice=practice)

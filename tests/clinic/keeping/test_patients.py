"""What a patient may ask for: all there is on them, or that it goes for good; by their own practice alone."""

import csv
import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone
from PIL import Image

from secondlook.clinic.accounts.actors import Actor
from secondlook.clinic.accounts.models import Membership, Practice
from secondlook.clinic.audit.chain import prove_chain
from secondlook.clinic.audit.models import Entry
from secondlook.clinic.cases.models import Lesion, Opinion, Patient, Picture, Result, Visit
from secondlook.clinic.cases.services import give_opinion
from secondlook.clinic.files.models import KeptFile
from secondlook.clinic.files.services import read_file
from secondlook.clinic.files.store import list_sealed
from secondlook.clinic.jobs.models import Job
from secondlook.clinic.keeping.erasure import erase_patient, find_remains
from secondlook.clinic.keeping.inspection import inspect_files
from secondlook.clinic.keeping.retention import erase_all_expired
from tests.clinic.conftest import AsRole, MakePerson
from tests.clinic.keeping.conftest import SendPicture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def empty_store() -> None:
    """Start without any file."""
    from secondlook.clinic.files.store import delete_sealed

    for name in list_sealed():
        delete_sealed(name)


@pytest.fixture
def patient(visit: Visit, send: SendPicture, actor: Actor) -> Patient:
    """Return a patient with a lesion, two pictures and an opinion; the practice keeps originals."""
    actor.practice.keep_originals = True
    actor.practice.save()
    lesion = Lesion.objects.create(practice=visit.practice, patient=visit.patient, number=1)
    urgent = send("urgent", "skin", lesion=lesion)
    send("routine", "skin")
    result = urgent.results.first()
    assert result
    give_opinion(actor=actor, result=result, verdict="correct", label="nv", note="=SUM(A1)")
    return visit.patient


@pytest.fixture
def doctor(as_role: AsRole, actor: Actor) -> Client:
    """Return the clinician's browser."""
    return as_role(user=actor.user)


def read_zip(client: Client, patient: Patient) -> zipfile.ZipFile:
    """Download all there is on a patient."""
    response = client.post(f"/patients/{patient.key}/data/all.zip")
    assert response.status_code == 200
    return zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))  # type: ignore[attr-defined]


def test_all_there_is_comes_in_one_archive(patient: Patient, doctor: Client) -> None:
    archive = read_zip(doctor, patient)
    assert archive.testzip() is None
    record = json.loads(archive.read("record.json"))
    counts = {name: len(rows) for name, rows in record.items() if name != "access"}
    assert counts == {"patient": 1, "lesions": 1, "visits": 1, "pictures": 2, "results": 2, "opinions": 1}
    assert record["patient"][0]["name"] == "P-1"
    for name, rows in record.items():
        table = list(csv.DictReader(io.StringIO(archive.read(f"{name}.csv").decode())))
        assert [row.get("key") for row in table] == [row.get("key") for row in rows]
    assert "picture.added" in {row["action"] for row in record["access"]}


def test_the_archive_holds_every_picture_in_all_its_forms(patient: Patient, doctor: Client) -> None:
    archive = read_zip(doctor, patient)
    for picture in patient.pictures.all():
        assert archive.read(f"pictures/{picture.key}.original") == read_file(picture.original)
        with Image.open(io.BytesIO(archive.read(f"pictures/{picture.key}.webp"))) as seen:
            assert np.asarray(seen).shape[2] == 3
        with Image.open(io.BytesIO(archive.read(f"pictures/{picture.key}.jpg"))) as shown:
            assert shown.size == (picture.width, picture.height)


def test_the_archive_holds_removed_records_and_nothing_of_others(
    patient: Patient, doctor: Client, practice: Practice
) -> None:
    other = Patient.objects.create(practice=practice, name="Somebody Else")
    patient.pictures.update(removed_at=timezone.now())
    archive = read_zip(doctor, patient)
    assert len(json.loads(archive.read("record.json"))["pictures"]) == 2
    assert all(other.key.encode() not in archive.read(name) for name in archive.namelist())


def test_no_cell_is_taken_for_a_formula(patient: Patient, doctor: Client) -> None:
    rows = list(csv.DictReader(io.StringIO(read_zip(doctor, patient).read("opinions.csv").decode())))
    assert rows[0]["note"] == "'=SUM(A1)"


def test_handing_out_is_written_down(patient: Patient, doctor: Client) -> None:
    read_zip(doctor, patient)
    entry = Entry.objects.filter(action="patient.exported").get()
    assert entry.key == patient.key


def test_erasing_leaves_nothing_but_its_proof(patient: Patient, doctor: Client, practice: Practice) -> None:
    other = Patient.objects.create(practice=practice, name="Somebody Else")
    assert len(list_sealed()) == 6
    response = doctor.post(f"/patients/{patient.key}/data/erase/", {"name": "p-1 "})
    assert response.headers["Location"] == f"/patients/{patient.key}/erased/"
    assert list_sealed() == set()
    for model in (Lesion, Visit, Picture, Result, Opinion, KeptFile):
        assert not model.objects.exists(), model
    assert list(Patient.objects.all()) == [other]
    assert not Job.objects.filter(kind="predict").exists()
    proof = Entry.objects.filter(action="patient.erased").get()
    counts = {name: proof.details[name] for name in ("pictures", "results", "opinions")}
    assert counts == {"pictures": 2, "results": 2, "opinions": 1}
    assert len(proof.details["files"]) == 6
    assert not find_remains(proof)
    prove_chain(Entry.objects.order_by("number"))
    page = doctor.get(response.headers["Location"]).content.decode()
    assert proof.seal in page
    assert "Nothing is left of the patient’s record here" in page


def test_what_is_left_is_found(patient: Patient) -> None:
    kept = patient.pictures.first()
    assert kept
    sealed = {name: read_file(name) for name in (kept.seen, kept.shown)}
    proof = erase_patient(patient)
    from secondlook.clinic.files.store import write_sealed

    for name, data in sealed.items():
        write_sealed(name, data)
    assert find_remains(proof).files == 2


def test_nobody_is_erased_under_another_name(patient: Patient, doctor: Client) -> None:
    response = doctor.post(f"/patients/{patient.key}/data/erase/", {"name": "P-11"})
    assert response.status_code == 400
    assert "Nothing was erased" in response.content.decode()
    assert Patient.objects.filter(pk=patient.pk).exists()


def test_an_erased_patients_account_stays_and_is_no_patient_here(
    patient: Patient, make_person: MakePerson, practice: Practice
) -> None:
    patient.account = make_person("patient")
    patient.save()
    erase_patient(patient)
    held = Membership.objects.get(user=patient.account)
    assert held.ended_at is not None


@pytest.mark.parametrize("route", ["data/", "data/all.zip", "data/erase/", "erased/"])
def test_others_find_nothing(patient: Patient, as_role: AsRole, route: str) -> None:
    address = f"/patients/{patient.key}/{route}"
    elsewhere = as_role("clinician", practice=Practice.objects.create(name="Elsewhere"))
    ask: Any = elsewhere.post if route in ("data/all.zip", "data/erase/") else elsewhere.get
    assert ask(address, {"name": "P-1"}).status_code == 404
    administrator = as_role("administrator")
    ask = administrator.post if route in ("data/all.zip", "data/erase/") else administrator.get
    assert ask(address, {"name": "P-1"}).status_code == 403
    assert Patient.objects.filter(pk=patient.pk).exists()


def test_pictures_go_when_their_days_are_over(patient: Patient, practice: Practice) -> None:
    old, new = patient.pictures.order_by("pk")
    Picture.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=31))
    assert erase_all_expired() == 0, "a practice without a limit keeps everything"
    practice.retention_days = 30
    practice.save()
    assert erase_all_expired() == 1
    assert list(patient.pictures.all()) == [new]
    assert list_sealed() == {new.seen, new.shown, new.original}
    entry = Entry.objects.filter(action="pictures.expired").get()
    assert entry.details == {"days": 30, "pictures": [old.key]}
    lesion = patient.lesions.get()
    assert lesion.triage == "", "the lesion does not tell of a picture that is gone"
    assert erase_all_expired() == 0


def test_an_inspection_finds_what_is_missing_damaged_and_strange(patient: Patient) -> None:
    from secondlook.clinic.files.store import delete_sealed, write_sealed

    sound = inspect_files()
    assert (sound.sound, sound.missing, sound.damaged, sound.strange) == (6, 0, 0, 0)
    one, other = patient.pictures.order_by("pk")
    delete_sealed(one.seen)
    delete_sealed(other.seen)
    write_sealed(other.seen, b"SLF1" + bytes(100))
    write_sealed("f" * 40, b"whatever")
    found = inspect_files()
    assert (found.sound, found.missing, found.damaged, found.strange) == (4, 1, 1, 1)

"""Patients with lesions, visits and pictures: sent as a person sends them, or made by rows alone."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile

from secondlook.clinic.accounts.actors import Actor, find_actor
from secondlook.clinic.accounts.models import Practice
from secondlook.clinic.cases.models import Lesion, Patient, Picture, Visit
from secondlook.clinic.cases.services import add_picture
from tests.clinic.conftest import MakePerson
from tests.site import draw_triage

MakePatient = Callable[..., Patient]
MakePicture = Callable[..., Picture]
SendPicture = Callable[..., Picture]


@pytest.fixture
def actor(make_person: MakePerson) -> Actor:
    """Return a clinician of the practice."""
    found = find_actor(make_person("clinician"))
    assert found is not None
    return found


@pytest.fixture
def visit(actor: Actor) -> Visit:
    """Return a visit of a patient."""
    patient = Patient.objects.create(practice=actor.practice, name="P-1")
    return Visit.objects.create(practice=actor.practice, patient=patient, date=date(2026, 5, 4))


@pytest.fixture
def send(actor: Actor, visit: Visit, site: Path) -> SendPicture:
    """Return ``send(triage, task=None, **fields)``: a drawn picture, kept and answered; no task lets it find out."""

    def send_picture(triage: str, task: str | None = None, **fields: Any) -> Picture:
        given = {"actor": actor, "visit": visit, "task": task, "upload_key": f"sent-{Picture.objects.count()}"}
        upload = ContentFile(draw_triage(triage, task or "skin"))
        return add_picture(**(given | {"upload": upload} | fields))

    return send_picture


@pytest.fixture
def make_patient(practice: Practice) -> MakePatient:
    """Return ``make_patient(name="…", lesions=0, **fields)``."""
    home = practice

    def make(name: str = "Ann Lake", *, lesions: int = 0, practice: Practice | None = None, **fields: Any) -> Patient:
        patient = Patient.objects.create(practice=practice or home, name=name, **fields)
        for number in range(1, lesions + 1):
            Lesion.objects.create(
                practice=patient.practice,
                patient=patient,
                number=number,
                side="front",
                site="chest",
                x=0.4 + number / 20,
                y=0.3,
            )
        return patient

    return make


@pytest.fixture
def make_picture() -> MakePicture:
    """Return ``make_picture(patient, lesion=None, on=a day, **fields)``: a picture with its answer on a visit."""

    def make(patient: Patient, *, lesion: Lesion | None = None, on: date = date(2026, 5, 4), **fields: Any) -> Picture:
        visit, _new = Visit.objects.get_or_create(practice=patient.practice, patient=patient, date=on)
        answer = {"state": "answered", "task": "skin", "label": "nv", "triage": "routine", "risk": 0.02} | fields
        picture = Picture.objects.create(
            practice=patient.practice,
            patient=patient,
            visit=visit,
            lesion=lesion,
            taken_on=on,
            shown="shown",
            seen="seen",
            width=600,
            height=450,
            sha256="0" * 64,
            upload_key=f"upload-{Picture.objects.count()}",
            **answer,
        )
        if lesion:
            lesion.repeat_latest()
        return picture

    return make

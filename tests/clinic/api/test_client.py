"""The client and the site together."""

import io
from collections.abc import Iterator
from datetime import date

import httpx
import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from PIL import Image

from secondlook import Client
from secondlook.client import (
    DeniedError,
    LesionChange,
    MissingError,
    NewLesion,
    NewOpinion,
    NewPatient,
    NewVisit,
    PatientChange,
    RefusedError,
    VisitChange,
)
from tests.clinic.api.conftest import Program
from tests.site import draw_triage


@pytest.fixture
def carrier(site: object) -> Iterator[httpx.WSGITransport]:
    """Return what carries requests to the site in this process, by the test's own connection to the database."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield httpx.WSGITransport(app=WSGIHandler())
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def site_client(carrier: httpx.WSGITransport, clinician: Program) -> Iterator[Client]:
    """Return a client with a clinician's token."""
    with Client("http://localhost", clinician.text, transport=carrier) as client:
        yield client


def test_a_day_s_work(site_client: Client) -> None:
    patient = site_client.patients.add(NewPatient(name="Case 12", birth_date=date(1980, 2, 3)))
    assert site_client.patients.change(patient.key, PatientChange(sex="female")).birth_date == date(1980, 2, 3)
    lesion = site_client.lesions.add(NewLesion(patient=patient.key, side="back", site="upper_back"))
    assert site_client.lesions.change(lesion.key, LesionChange(note="dark")).site == "upper_back"
    visit = site_client.visits.add(NewVisit(patient=patient.key, date=date(2026, 1, 2)))
    assert site_client.visits.change(visit.key, VisitChange(date=date(2026, 1, 3))).date == date(2026, 1, 3)
    picture = site_client.pictures.send(draw_triage("urgent"), visit=visit.key, lesion=lesion.key)
    assert picture.result is not None
    assert (picture.result.triage, picture.result.label) == ("urgent", "mel")
    with Image.open(io.BytesIO(site_client.pictures.read(picture.key, form="seen"))) as image:
        assert image.size == (480, 360)
    assert site_client.results.reproduce(picture.result.key).identical
    for report in (site_client.reports.visit(visit.key), site_client.reports.lesion(lesion.key)):
        assert report.startswith(b"%PDF-1.7")
    opinion = site_client.opinions.add(NewOpinion(result=picture.result.key, verdict="agree"))
    assert list(site_client.opinions.list(picture=picture.key)) == [opinion]
    assert site_client.pictures.acknowledge(picture.key).acknowledged_at is not None
    asked = site_client.pictures.ask(picture.key, task="knee")
    assert [one.task for one in site_client.results.list(picture=picture.key)] == ["knee", "skin"]
    assert asked.result == site_client.results.get(asked.result.key) if asked.result else False
    assert [one.key for one in site_client.pictures.list(lesion=lesion.key)] == [picture.key]
    for kind, key in (("pictures", picture.key), ("lesions", lesion.key), ("patients", patient.key)):
        getattr(site_client, kind).remove(key)
        with pytest.raises(MissingError):
            getattr(site_client, kind).get(key)
        assert getattr(site_client, kind).restore(key).key == key


def test_lists_go_on_over_pages(site_client: Client) -> None:
    for number in range(5):
        site_client.patients.add(NewPatient(name=f"Case {number}"))
    assert [one.name for one in site_client.patients.list(limit=2)] == [f"Case {number}" for number in (4, 3, 2, 1, 0)]


def test_refusals_are_errors_with_the_site_s_words(site_client: Client, carrier: httpx.WSGITransport) -> None:
    with pytest.raises(RefusedError, match="130 years") as caught:
        site_client.patients.add(NewPatient(name="Ada", birth_date=date(2999, 1, 1)))
    assert "/birth_date" in [fault.pointer for fault in caught.value.faults]
    with pytest.raises(RefusedError, match="Expected a picture"):
        site_client.predict(b"hello")
    french = Client("http://localhost", "slk_wrong", language="fr", transport=carrier)
    with pytest.raises(DeniedError, match="jeton"):
        french.patients.get("a" * 16)


def test_anybody_may_take_a_second_look(carrier: httpx.WSGITransport) -> None:
    with Client("http://localhost", transport=carrier) as client:
        said = client.predict(draw_triage("urgent"), task="skin", heatmap_label="nv")
    assert (said.label, said.triage) == ("mel", "urgent")

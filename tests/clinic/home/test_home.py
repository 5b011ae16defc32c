"""The first page, for whoever comes and for each role."""

from datetime import date

import pytest
from django.test import Client

from secondlook.clinic.accounts.models import Practice
from secondlook.clinic.cases.models import Picture
from tests.clinic.cases.conftest import MakePatient, MakePicture
from tests.clinic.conftest import AsRole


def read(client: Client, address: str = "/") -> str:
    """Return the page."""
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def test_anybody_is_told_what_it_does_and_led_to_try_it(client: Client, french: Client) -> None:
    page = read(client)
    assert 'href="/try/"' in page
    assert page.count('aria-roledescription="slide"') == 3
    for words in ("Three steps", "Every result supports a decision. None is a diagnosis.", "whoever runs it"):
        assert words in page
    assert "Un second regard sur les lésions cutanées et les radiographies" in read(french)


def test_a_contact_stands_in_the_foot(client: Client, settings) -> None:
    settings.CONFIGURATION = settings.CONFIGURATION.model_copy(update={"contact": "help@example.org"})
    assert 'href="mailto:help@example.org"' in read(client)


def test_somebody_of_no_practice_is_told_the_way_in(as_role: AsRole) -> None:
    client = as_role(None)
    assert "Ask a practice’s administrator for an invitation" in read(client)
    assert "/account/join/" not in read(client)


def test_somebody_of_no_practice_is_led_to_one_that_takes_patients_in(as_role: AsRole) -> None:
    Practice.objects.create(name="Practice by the sea", open_to_patients=True)
    assert 'href="/account/join/"' in read(as_role(None))


@pytest.mark.parametrize("address", ["/", "/patients/", "/try/", "/models/"])
def test_what_is_urgent_stands_on_every_page_until_it_is_acknowledged(
    as_role: AsRole, make_patient: MakePatient, make_picture: MakePicture, address: str
) -> None:
    clinician, other = as_role("clinician"), as_role("clinician")
    picture = make_picture(make_patient("Ann Lake"), triage="urgent", label="mel")
    for client in (clinician, other):
        page = read(client, address)
        assert "Urgent, and nobody has acknowledged it" in page
        assert ("<details open>" in page) == (address == "/")
    clinician.post(f"/pictures/{picture.key}/acknowledge/")
    for client in (clinician, other):
        assert "Urgent, and nobody has acknowledged it" not in read(client, address)
    assert Picture.objects.get().acknowledged_by == clinician.user


@pytest.mark.parametrize("role", ["patient", "administrator"])
def test_what_is_urgent_is_for_doctors_of_the_practice_alone(
    as_role: AsRole, make_patient: MakePatient, make_picture: MakePicture, role: str
) -> None:
    person = as_role(role)
    make_picture(make_patient("Ann Lake", account=person.user), triage="urgent")
    elsewhere = as_role("clinician", practice=Practice.objects.create(name="Elsewhere"))
    for client in (elsewhere, person):
        page = client.get("/", follow=True).content.decode()
        assert "Ann Lake" not in page
        assert "Acknowledge" not in page


def test_a_clinician_sees_what_waits_and_who_came(
    as_role: AsRole, make_patient: MakePatient, make_picture: MakePicture
) -> None:
    make_picture(make_patient("Ann Lake"), on=date(2026, 5, 4))
    make_picture(make_patient("Bob Hill"), reviewed=True)
    page = read(as_role("clinician"))
    waiting, visits = page.split("Recent visits")
    assert "Ann Lake" in waiting
    assert "Bob Hill" not in waiting
    assert "Bob Hill" in visits


def test_the_most_pressing_waits_on_top(as_role: AsRole, make_patient: MakePatient, make_picture: MakePicture) -> None:
    make_picture(make_patient("Ann Lake"), triage="urgent")
    make_picture(make_patient("Bob Hill"), triage="routine")
    waiting = read(as_role("clinician")).split("Waiting for review")[1].split("Recent visits")[0]
    assert waiting.index("Ann Lake") < waiting.index("Bob Hill")


@pytest.mark.parametrize("shown", [True, False])
def test_patients_see_their_own_results_where_the_practice_shows_them(
    as_role: AsRole, make_patient: MakePatient, make_picture: MakePicture, practice: Practice, shown: bool
) -> None:
    client = as_role("patient")
    make_picture(make_patient("Ann Lake", account=client.user), label="df")
    make_picture(make_patient("Bob Hill"), label="vasc")
    practice.patients_see_results = shown
    practice.save()
    page = read(client)
    assert ("Dermatofibroma" in page) is shown
    assert ("Your practice does not show results here." in page) is not shown
    assert "Vascular lesion" not in page
    assert page.count("All your lesions and visits") == shown

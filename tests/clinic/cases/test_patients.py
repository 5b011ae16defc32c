"""A patient's pages: made, shown, changed, removed and brought back; seen by their own practice alone."""

import pytest
from django.test import Client

from secondlook.clinic.accounts.models import Practice
from secondlook.clinic.audit.models import Entry
from secondlook.clinic.cases.models import Lesion, Patient, Picture, Visit
from tests.clinic.cases.conftest import MakePatient, MakePicture
from tests.clinic.conftest import AsRole

FIELDS = {"name": "Zoë Müller", "birth_date": "1970-05-03", "sex": "female", "skin_type": "2", "language": "fr"}


@pytest.fixture
def clinician(as_role: AsRole) -> Client:
    return as_role("clinician")


def test_a_new_patient_belongs_to_the_practice(clinician: Client, practice: Practice) -> None:
    response = clinician.post("/patients/new/", FIELDS | {"note": "Burns easily"})
    patient = Patient.objects.get()
    assert response.headers["Location"] == f"/patients/{patient.key}/"
    assert (patient.practice, patient.created_by, patient.language) == (practice, clinician.user, "fr")
    page = clinician.get(response.headers["Location"]).content.decode()
    for words in ("Zoë Müller", "born May 3, 1970", "Female", "skin type II", "Burns easily"):
        assert words in page


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": ""}, "This field is required."),
        ({"birth_date": "2999-01-01"}, "Expected a birth date within the last 130 years; check the year."),
        ({"birth_date": "1850-01-01"}, "Expected a birth date within the last 130 years; check the year."),
    ],
)
def test_a_wrong_patient_is_refused_beside_the_field(clinician: Client, fields: dict[str, str], sentence: str) -> None:
    response = clinician.post("/patients/new/", FIELDS | fields)
    assert response.status_code == 400
    assert sentence in response.content.decode()
    assert not Patient.objects.exists()


def test_changes_are_kept_and_logged_without_what_they_hold(clinician: Client, make_patient: MakePatient) -> None:
    patient = make_patient("Ann Lake")
    clinician.post(f"/patients/{patient.key}/edit/", FIELDS)
    patient.refresh_from_db()
    assert (patient.name, patient.folded_name) == ("Zoë Müller", "zoe muller")
    entry = Entry.objects.get(action="patient.changed")
    assert (entry.key, sorted(entry.details["fields"])) == (
        patient.key,
        ["birth_date", "language", "name", "sex", "skin_type"],
    )


def open_form(clinician: Client, address: str) -> dict[str, str]:
    """Return what a browser sends of a form that was opened and left as it is."""
    response = clinician.get(address)
    sent = {}
    for field in response.context["form"]:
        assert f'name="{field.html_initial_name}"' in response.content.decode()
        value = field.value()
        sent |= dict.fromkeys((field.html_name, field.html_initial_name), "" if value is None else str(value))
    return sent


def test_two_people_change_a_patient_at_once_and_both_changes_are_kept(
    clinician: Client, make_patient: MakePatient
) -> None:
    patient = make_patient("Ann Lake", note="Since May\nitching", skin_type=2, birth_date="1970-05-03")
    address = f"/patients/{patient.key}/edit/"
    one, other = open_form(clinician, address), open_form(clinician, address)
    clinician.post(address, one | {"birth_date": "1971-05-03", "skin_type": ""})
    other["initial-note"] = other["initial-note"].replace("\n", "\r\n")  # as browsers do
    clinician.post(address, other | {"note": "Since May\r\nitching, bleeding"})
    patient.refresh_from_db()
    assert (str(patient.birth_date), patient.skin_type, patient.note) == (
        "1971-05-03",
        None,
        "Since May\r\nitching, bleeding",
    )
    entries = Entry.objects.filter(action="patient.changed").order_by("number")
    assert [entry.details["fields"] for entry in entries] == [["birth_date", "skin_type"], ["note"]]


def test_nobody_writes_over_what_they_have_not_seen(clinician: Client, make_patient: MakePatient) -> None:
    patient = make_patient("Ann Lake", note="Itches", sex="female")
    address = f"/patients/{patient.key}/edit/"
    one, other = open_form(clinician, address), open_form(clinician, address)
    clinician.post(address, one | {"note": "Itches and bleeds", "sex": "other"})
    refused = clinician.post(address, other | {"note": "Itches no more", "sex": "other"})
    assert refused.status_code == 400
    page = refused.content.decode()
    assert "Somebody else has changed this meanwhile, to: Itches and bleeds. Send yours once more" in page
    assert page.count("Somebody else") == 1, "both made it the same sex"
    assert "Itches no more</textarea>" in page
    patient.refresh_from_db()
    assert patient.note == "Itches and bleeds"
    again = other | {"note": "Itches no more", "sex": "other", "initial-note": "Itches and bleeds"}
    assert 'name="initial-note" value="Itches and bleeds"' in page
    assert clinician.post(address, again).status_code == 302
    patient.refresh_from_db()
    assert (patient.note, patient.sex) == ("Itches no more", "other")


def test_removing_takes_all_along_and_undo_brings_the_same_back(
    clinician: Client, make_patient: MakePatient, make_picture: MakePicture
) -> None:
    patient = make_patient(lesions=2)
    picture = make_picture(patient, lesion=patient.lesions.get(number=1))
    before = patient.lesions.get(number=2)
    clinician.post(f"/lesions/{before.key}/remove/")
    response = clinician.post(f"/patients/{patient.key}/remove/", follow=True)
    assert f'action="/patients/{patient.key}/restore/"' in response.content.decode()
    for rows in (Patient, Lesion, Visit, Picture):
        assert not rows.objects.filter(removed_at=None).exists()
    assert clinician.get(f"/patients/{patient.key}/").status_code == 404
    assert clinician.get(f"/visits/{picture.visit.key}/").status_code == 404
    clinician.post(f"/patients/{patient.key}/restore/")
    assert clinician.get(f"/patients/{patient.key}/").status_code == 200
    assert [lesion.number for lesion in Lesion.objects.filter(removed_at=None)] == [1]
    assert Picture.objects.get().removed_at is None
    written = Entry.objects.filter(kind__in=["patient", "lesion"]).exclude(action__regex=r"\.(seen|listed)$")
    actions = [entry.action for entry in written.order_by("number")]
    assert actions == ["lesion.removed", "patient.removed", "patient.restored"]


def test_another_practice_finds_nothing(as_role: AsRole, make_patient: MakePatient) -> None:
    other = as_role("clinician", practice=Practice.objects.create(name="Elsewhere"))
    patient = make_patient("Ann Lake", lesions=1)
    for address in (f"/patients/{patient.key}/", f"/lesions/{patient.lesions.get().key}/"):
        assert other.get(address).status_code == 404
    for verb in ("edit", "remove", "restore"):
        assert other.post(f"/patients/{patient.key}/{verb}/", FIELDS).status_code == 404
    assert "Ann Lake" not in other.get("/patients/").content.decode()
    assert Patient.objects.get().name == "Ann Lake"


def test_patients_see_their_own_page_without_the_notes(as_role: AsRole, make_patient: MakePatient) -> None:
    client = as_role("patient")
    own = make_patient("Ann Lake", account=client.user, note="Difficult", lesions=1)
    other = make_patient("Bob Hill")
    page = client.get(f"/patients/{own.key}/").content.decode()
    assert "Ann Lake" in page
    assert "Difficult" not in page
    assert "/edit/" not in page
    assert client.get(f"/patients/{other.key}/").status_code == 404
    assert client.post(f"/patients/{own.key}/remove/").status_code == 403


def test_every_look_is_logged(clinician: Client, make_patient: MakePatient) -> None:
    patient = make_patient()
    clinician.get(f"/patients/{patient.key}/")
    entry = Entry.objects.get(action="patient.seen")
    assert (entry.key, entry.user_id) == (patient.key, clinician.user.pk)

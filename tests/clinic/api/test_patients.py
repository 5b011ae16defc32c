"""Patients, as programs add, read, change and remove them."""

import pytest

from secondlook.clinic.accounts.models import Practice
from secondlook.clinic.audit.models import Entry
from secondlook.clinic.cases.models import Patient
from tests.clinic.api.conftest import MakeProgram, Program

PATIENTS = "/api/v1/patients"


def test_a_patient_is_added_read_changed_removed_and_restored(clinician: Program) -> None:
    added = clinician.ask("POST", PATIENTS, {"name": "Ada", "birth_date": "1980-02-03", "skin_type": 2})
    assert added.status_code == 201
    record, place = added.json(), added.headers["Location"]
    assert place == f"{PATIENTS}/{record['key']}"
    assert (record["name"], record["birth_date"], record["skin_type"], record["sex"]) == ("Ada", "1980-02-03", 2, "")
    changed = clinician.ask("PATCH", place, {"sex": "female", "birth_date": None})
    assert changed.json() == record | {"sex": "female", "birth_date": None}
    assert clinician.ask("GET", place).json() == changed.json()
    assert clinician.ask("DELETE", place).status_code == 204
    assert clinician.ask("GET", place).status_code == 404
    assert clinician.ask("POST", f"{place}/restore").json() == changed.json()
    actions = [entry.action for entry in Entry.objects.filter(key=record["key"]).order_by("number")]
    assert actions == ["patient.added", "patient.changed", "patient.seen", "patient.removed", "patient.restored"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": " "}, "/name"),
        ({"name": "a\0b"}, "/name"),
        ({"name": "Ada", "skin_type": 7}, "/skin_type"),
        ({"name": "Ada", "birth_date": "2999-01-01"}, "/birth_date"),
        ({"name": "Ada", "shoe_size": 38}, "/shoe_size"),
    ],
)
def test_a_wrong_field_is_named(clinician: Program, body: dict[str, object], pointer: str) -> None:
    refused = clinician.ask("POST", PATIENTS, body)
    assert refused.status_code == 422
    assert pointer in [fault["pointer"] for fault in refused.json()["errors"]]
    assert Patient.objects.count() == 0


@pytest.mark.parametrize(
    ("body", "english", "french"),
    [
        ({}, "Expected a value, got none.", "Une valeur est attendue."),
        ({"name": 7}, "Expected a text.", "Un texte est attendu."),
        ({"name": "Ada", "shoe_size": 38}, "Expected no field of this name.", "Aucun champ de ce nom n’est attendu."),
        ({"name": "Ada", "sex": "x"}, "Expected one of ", "Valeurs attendues"),
        ({"name": "a" * 200}, "Expected at most 120 characters.", "120 caractères au plus sont attendus."),
        ({"name": "Ada", "birth_date": "soon"}, "Expected a day", "Une date est attendue"),
    ],
)
def test_what_is_wrong_with_a_field_is_said_in_the_reader_s_language(
    clinician: Program, body: dict[str, object], english: str, french: str
) -> None:
    for language, sentence in (("en", english), ("fr", french)):
        refused = clinician.ask("POST", PATIENTS, body, accept_language=language).json()
        assert [fault["detail"][: len(sentence)] for fault in refused["errors"]] == [sentence]


def test_a_body_that_is_no_json_is_refused(clinician: Program) -> None:
    assert clinician.ask("PATCH", f"{PATIENTS}/{'a' * 16}").status_code == 422


def test_pages_follow_each_other_to_the_end(clinician: Program) -> None:
    for number in range(5):
        clinician.ask("POST", PATIENTS, {"name": f"Patient {number}"})
    first = clinician.ask("GET", f"{PATIENTS}?limit=2")
    assert first.headers["Link"] == f'<{first.json()["next"]}>; rel="next"'
    names, page = [], first.json()
    while True:
        names += [one["name"] for one in page["items"]]
        if page["next"] is None:
            break
        page = clinician.ask("GET", page["next"].removeprefix("http://testserver")).json()
    assert names == [f"Patient {number}" for number in (4, 3, 2, 1, 0)]
    assert "Link" not in clinician.ask("GET", PATIENTS).headers
    assert clinician.ask("GET", f"{PATIENTS}?after={'x' * 16}").status_code == 422


def test_patients_are_found_by_words_of_their_name(clinician: Program) -> None:
    for name in ("Ada Zoë", "Berta"):
        clinician.ask("POST", PATIENTS, {"name": name})
    found = clinician.ask("GET", f"{PATIENTS}?text=zoe").json()["items"]
    assert [one["name"] for one in found] == ["Ada Zoë"]


def test_another_practice_sees_nothing_of_it(clinician: Program, patient: str, make_program: MakeProgram) -> None:
    other = make_program("clinician", practice=Practice.objects.create(name="Across the road"))
    place = f"{PATIENTS}/{patient}"
    assert other.ask("GET", PATIENTS).json() == {"items": [], "next": None}
    for method, path in (("GET", place), ("PATCH", place), ("DELETE", place), ("POST", f"{place}/restore")):
        assert other.ask(method, path, {} if method == "PATCH" else None).status_code == 404
    assert other.ask("GET", f"{PATIENTS}?after={patient}").status_code == 422
    assert clinician.ask("GET", place).status_code == 200


def test_a_patient_sees_their_own_record_without_the_notes(clinician: Program, make_program: MakeProgram) -> None:
    me = make_program("patient")
    mine = clinician.ask("POST", PATIENTS, {"name": "Ada", "note": "anxious"}).json()["key"]
    clinician.ask("POST", PATIENTS, {"name": "Berta"})
    Patient.objects.filter(key=mine).update(account=me.user)
    assert [(one["key"], one["note"]) for one in me.ask("GET", PATIENTS).json()["items"]] == [(mine, "")]
    assert me.ask("GET", f"{PATIENTS}/{mine}").json()["note"] == ""
    assert me.ask("PATCH", f"{PATIENTS}/{mine}", {"name": "Eve"}).status_code == 403
    assert me.ask("POST", PATIENTS, {"name": "Eve"}).status_code == 403

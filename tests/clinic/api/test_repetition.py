"""A creation that is sent twice under one key is done once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from secondlook.clinic.api.models import KeptAnswer
from secondlook.clinic.api.work import forget_old_answers
from secondlook.clinic.cases.models import Patient
from secondlook.clinic.keeping.erasure import erase_patient
from tests.clinic.api.conftest import MakeProgram, Program

PATIENTS = "/api/v1/patients"


def test_the_same_request_is_done_once_and_answered_alike(clinician: Program) -> None:
    first, second = (clinician.ask("POST", PATIENTS, {"name": "Ada"}, idempotency_key="k1") for _ in range(2))
    assert (second.status_code, second.content) == (201, first.content)
    assert second.headers["Location"] == first.headers["Location"]
    assert second.headers["Content-Type"] == first.headers["Content-Type"]
    assert Patient.objects.count() == 1


def test_another_key_is_another_request(clinician: Program) -> None:
    for key in ("k1", "k2"):
        clinician.ask("POST", PATIENTS, {"name": "Ada"}, idempotency_key=key)
    assert Patient.objects.count() == 2


def test_a_key_is_its_token_s_own(clinician: Program, make_program: MakeProgram) -> None:
    for program in (clinician, make_program("clinician")):
        program.ask("POST", PATIENTS, {"name": "Ada"}, idempotency_key="k1")
    assert Patient.objects.count() == 2


def test_another_request_under_the_key_is_refused(clinician: Program, patient: str) -> None:
    clinician.ask("POST", PATIENTS, {"name": "Ada"}, idempotency_key="k1")
    assert clinician.ask("POST", PATIENTS, {"name": "Eve"}, idempotency_key="k1").status_code == 422
    visit = {"patient": patient, "date": "2026-01-01"}
    assert clinician.ask("POST", "/api/v1/visits", visit, idempotency_key="k1").status_code == 422
    assert Patient.objects.count() == 2


def test_a_refusal_is_not_kept(clinician: Program) -> None:
    assert clinician.ask("POST", PATIENTS, {"name": ""}, idempotency_key="k1").status_code == 422
    assert not KeptAnswer.objects.exists()
    assert clinician.ask("POST", PATIENTS, {"name": "Ada"}, idempotency_key="k1").status_code == 201


def test_a_kept_answer_expires(clinician: Program) -> None:
    clinician.ask("POST", PATIENTS, {"name": "Ada"}, idempotency_key="k1")
    KeptAnswer.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    clinician.ask("POST", PATIENTS, {"name": "Ada"}, idempotency_key="k1")
    assert Patient.objects.count() == 2
    assert KeptAnswer.objects.count() == 1


def test_what_is_over_is_removed_by_itself(clinician: Program) -> None:
    for key in ("k1", "k2"):
        clinician.ask("POST", PATIENTS, {"name": "Ada"}, idempotency_key=key)
    KeptAnswer.objects.filter(pk=KeptAnswer.objects.latest("pk").pk).update(expires_at=timezone.now())
    assert forget_old_answers(None) == {"removed": 1}  # type: ignore[arg-type]  # it renews no lease


def test_an_erased_patient_is_in_no_kept_answer(clinician: Program) -> None:
    clinician.ask("POST", PATIENTS, {"name": "Ada"}, idempotency_key="k1")
    erase_patient(Patient.objects.get())
    assert not KeptAnswer.objects.exists()


def test_a_kept_answer_says_nothing_to_who_has_not_the_token(clinician: Program) -> None:
    clinician.ask("POST", PATIENTS, {"name": "Ada Lovelace"}, idempotency_key="k1")
    (kept,) = KeptAnswer.objects.all()
    assert b"Ada" not in bytes(kept.sealed)


def test_who_lost_the_role_gets_no_kept_answer(clinician: Program) -> None:
    clinician.ask("POST", PATIENTS, {"name": "Ada"}, idempotency_key="k1")
    clinician.user.memberships.update(role="patient")
    assert clinician.ask("POST", PATIENTS, {"name": "Ada"}, idempotency_key="k1").status_code == 403


@pytest.mark.parametrize("key", ["", "x" * 256, "two words", "é"])
def test_a_key_that_is_none_is_refused(clinician: Program, key: str) -> None:
    assert clinician.ask("POST", PATIENTS, {"name": "Ada"}, idempotency_key=key).status_code == 422
    assert Patient.objects.count() == 0

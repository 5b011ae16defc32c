"""Reviewers and administrators prove themselves twice; nobody reads what their proof is made of."""

import re
from datetime import date
from types import SimpleNamespace

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.core.cache import cache
from django.test import Client

from secondlook.clinic.accounts.adapters import has_second_factor, must_have_second_factor
from secondlook.clinic.accounts.models import Practice
from secondlook.clinic.cases.models import Patient, Picture, Visit
from tests.clinic.accounts.conftest import MakeMember, log_in
from tests.clinic.conftest import AsRole, MakePerson
from tests.codes import make_code

NOW = 1_800_000_000.0


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have codes looked at at one moment: each holds for its own half minute alone, which may end in between."""
    monkeypatch.setattr("allauth.mfa.totp.internal.auth.time", SimpleNamespace(time=lambda: NOW))


@pytest.mark.parametrize(
    ("role", "path"), [("reviewer", "/"), ("reviewer", "/patients/"), ("administrator", "/people/")]
)
def test_who_sees_much_sets_up_a_second_proof_first(role: str, path: str, as_role: AsRole) -> None:
    client = as_role(role, second_factor=False)
    assert client.get(path).headers["Location"] == "/account/2fa/"
    part = client.get(path, headers={"hx-request": "true"})
    assert (part.status_code, part.headers["HX-Redirect"]) == (403, "/account/2fa/")
    page = client.get("/account/2fa/").content.decode()
    assert "set up a second way to prove who you are" in page


def test_no_page_that_is_open_to_anybody_names_a_patient_before(as_role: AsRole, practice: Practice) -> None:
    patient = Patient.objects.create(practice=practice, name="Ann Lake")
    visit = Visit.objects.create(practice=practice, patient=patient, date=date(2026, 5, 4))
    answer = {"state": "answered", "task": "skin", "label": "mel", "triage": "urgent", "width": 1, "height": 1}
    Picture.objects.create(practice=practice, patient=patient, visit=visit, taken_on=visit.date, **answer)
    proven, bare = as_role("reviewer"), as_role("reviewer", second_factor=False)
    for path in ("/account/", "/account/2fa/", "/try/"):
        assert b"Ann Lake" in proven.get(path).content
        assert b"Ann Lake" not in bare.get(path).content


def test_a_clinician_may_do_without(as_role: AsRole) -> None:
    assert as_role("clinician").get("/patients/").status_code == 200


def test_the_site_administrator_needs_one_too(as_role: AsRole, make_person: MakePerson) -> None:
    user = make_person(None, is_site_administrator=True)
    assert as_role(user=user, second_factor=False).get("/people/practices/").headers["Location"] == "/account/2fa/"
    assert as_role(user=user).get("/people/practices/").status_code == 200


def test_an_app_is_set_up_then_asked_for(client: Client, make_member: MakeMember, still: None) -> None:
    user = make_member("administrator")
    log_in(client, user.email)
    page = client.get("/account/2fa/totp/activate/").content.decode()
    found = re.search(r'class="hash">(\w+)<', page)
    assert found
    wrong = client.post("/account/2fa/totp/activate/", {"code": "000000"}).content.decode()
    assert "This code is not right" in wrong
    done = client.post("/account/2fa/totp/activate/", {"code": make_code(found[1], NOW)})
    assert done.headers["Location"] == "/account/2fa/recovery-codes/"
    assert len(re.findall(r"<li>\d{8}</li>", client.get(done.headers["Location"]).content.decode())) == 10
    assert client.get("/people/").status_code == 200

    again = Client(headers={"accept-language": "en"})
    assert log_in(again, user.email).headers["Location"] == "/account/2fa/authenticate/"
    assert again.get("/people/").headers["Location"].startswith("/account/login/")
    code = RecoveryCodes(Authenticator.objects.get(type="recovery_codes")).get_unused_codes()[0]
    again.post("/account/2fa/authenticate/", {"code": code})
    assert again.get("/people/").status_code == 200
    third = Client()
    log_in(third, user.email)
    assert third.post("/account/2fa/authenticate/", {"code": code}).status_code == 200  # each works once


def test_what_a_proof_is_made_of_is_encrypted(make_member: MakeMember, still: None) -> None:
    user = make_member("reviewer")
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(user)
    kept = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert "JBSWY3DPEHPK3PXP" not in kept
    assert Authenticator.objects.get(type="totp").wrap().validate_code(make_code("JBSWY3DPEHPK3PXP", NOW))


def test_a_used_code_is_remembered_however_much_else_is_counted(make_member: MakeMember, still: None) -> None:
    app = TOTP.activate(make_member("reviewer"), "JBSWY3DPEHPK3PXP")
    assert app.validate_code(make_code("JBSWY3DPEHPK3PXP", NOW))
    for number in range(400):
        cache.set(f"zzz-{number}", number)
    assert not app.validate_code(make_code("JBSWY3DPEHPK3PXP", NOW))


def test_the_last_proof_stays_where_a_role_needs_it(as_role: AsRole) -> None:
    client = as_role("reviewer")
    client.get("/account/")
    page = client.get("/account/2fa/totp/deactivate/", follow=True).content.decode()
    assert "Your role needs a second proof." in page
    client.post("/account/2fa/totp/deactivate/")
    assert has_second_factor(client.user)  # type: ignore[attr-defined]


def test_recovery_codes_alone_are_no_proof(make_member: MakeMember) -> None:
    user = make_member("reviewer")
    RecoveryCodes.activate(user)
    assert must_have_second_factor(user)
    assert not has_second_factor(user)

"""Tokens: made once seen, narrow, mortal, counted; and never more than their person."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from secondlook.clinic.accounts.models import Practice
from secondlook.clinic.accounts.sessions import BEGAN, FRESH_S
from secondlook.clinic.api.models import ApiToken, Scope
from secondlook.clinic.audit.models import Entry
from tests.clinic.api.conftest import MakeProgram, Program
from tests.clinic.conftest import AsRole, MakePerson

PAGE = "/account/tokens/"
PATIENTS = "/api/v1/patients"
PHRASE = "a phrase of some length"
ORDER = {"name": "Dermatoscope", "scopes": ["cases:read"], "days": "30"}


def test_a_token_is_shown_once_and_kept_as_a_hash(as_role: AsRole) -> None:
    browser = as_role("clinician")
    page = browser.post(PAGE, ORDER).content.decode()
    (text,) = set(re.findall(r'value="(slk_[\w-]{43})"', page))
    assert text not in browser.get(PAGE).content.decode()
    token = ApiToken.objects.get()
    assert text not in str(list(ApiToken.objects.values()))
    assert (token.name, token.scopes, (token.expires_at - timezone.now()).days) == ("Dermatoscope", ["cases:read"], 29)
    assert Program(token.user, token, text).ask("GET", PATIENTS).status_code == 200
    assert Entry.objects.get(action="token.made").key == token.key


@pytest.mark.parametrize("fault", [{"name": ""}, {"scopes": []}, {"scopes": ["everything"]}, {"days": "9999"}])
def test_a_wrong_order_is_refused_beside_its_field(as_role: AsRole, fault: dict[str, object]) -> None:
    response = as_role("clinician").post(PAGE, ORDER | fault)
    assert response.status_code == 400
    assert 'aria-invalid="true"' in response.content.decode()
    assert not ApiToken.objects.exists()


def test_who_logged_in_a_while_ago_proves_it_again_before_making_one(make_person: MakePerson, as_role: AsRole) -> None:
    browser = as_role(user=make_person("clinician", password=PHRASE))
    browser.get(PAGE)
    session = browser.session
    session[BEGAN] -= FRESH_S + 1
    session.save()
    assert browser.get(PAGE).status_code == 200
    assert browser.post(PAGE, ORDER).headers["Location"].startswith("/account/reauthenticate/")
    assert not ApiToken.objects.exists()
    resumed = browser.post("/account/reauthenticate/", {"password": PHRASE, "next": PAGE}, follow=True)
    assert "slk_" in resumed.content.decode()
    assert ApiToken.objects.count() == 1


def test_somebody_without_a_practice_has_no_page(as_role: AsRole, client: Client) -> None:
    assert as_role(None).get(PAGE).status_code == 403
    assert client.get(PAGE).status_code == 302


def test_nobody_is_offered_what_their_role_never_opens(as_role: AsRole) -> None:
    assert "cases:write" in as_role("reviewer").get(PAGE).content.decode()
    assert "cases:write" not in as_role("patient").get(PAGE).content.decode()
    assert as_role("administrator").post(PAGE, ORDER).status_code == 400


def test_a_revoked_token_opens_nothing(clinician: Program, as_role: AsRole) -> None:
    stranger = as_role("clinician").post(f"{PAGE}{clinician.token.key}/revoke/")
    assert stranger.status_code == 404
    assert clinician.ask("GET", PATIENTS).status_code == 200
    owner = as_role(user=clinician.user)
    assert owner.post(f"{PAGE}{clinician.token.key}/revoke/").status_code == 302
    assert owner.post(f"{PAGE}{clinician.token.key}/revoke/").status_code == 302
    refused = clinician.ask("GET", PATIENTS)
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')
    assert Entry.objects.filter(action="token.revoked").count() == 1


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic YTpi", "Bearer slk_" + "a" * 43])
def test_without_a_valid_token_nothing_opens(client: Client, practice: Practice, header: str) -> None:
    response = client.get(PATIENTS, headers={"authorization": header} if header else {})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert response.headers["Content-Type"] == "application/problem+json"


def test_a_browser_s_log_in_is_no_token(as_role: AsRole) -> None:
    assert as_role("clinician").get(PATIENTS).status_code == 401


def test_a_token_ends_with_its_time(clinician: Program) -> None:
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert clinician.ask("GET", PATIENTS).status_code == 401


def test_a_token_ends_with_its_person(clinician: Program) -> None:
    clinician.user.is_active = False
    clinician.user.save()
    assert clinician.ask("GET", PATIENTS).status_code == 401


def test_a_token_ends_when_its_person_leaves_the_practice(clinician: Program) -> None:
    clinician.user.memberships.all().delete()
    elsewhere = Practice.objects.create(name="Elsewhere")
    clinician.user.memberships.create(practice=elsewhere, role="clinician")
    assert clinician.ask("GET", PATIENTS).status_code == 401


def test_a_token_is_of_one_practice(make_person: MakePerson, make_program: MakeProgram, practice: Practice) -> None:
    person = make_person("clinician")
    elsewhere = Practice.objects.create(name="Elsewhere")
    person.memberships.create(practice=elsewhere, role="clinician")
    here = make_program(user=person, practice=practice)
    there = make_program(user=person, practice=elsewhere)
    here.ask("POST", PATIENTS, {"name": "Ada"})
    assert there.ask("GET", PATIENTS).json()["items"] == []


def test_a_scope_that_is_missing_is_named(make_program: MakeProgram) -> None:
    program = make_program("clinician", scopes=(Scope.READ,))
    assert program.ask("GET", PATIENTS).status_code == 200
    refused = program.ask("POST", PATIENTS, {"name": "Ada"})
    assert refused.status_code == 403
    assert refused.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="cases:write"'


def test_a_token_opens_no_more_than_its_person_s_role(make_program: MakeProgram) -> None:
    assert make_program("administrator").ask("GET", PATIENTS).status_code == 403
    assert make_program("patient").ask("POST", PATIENTS, {"name": "Ada"}).status_code == 403


def test_too_many_requests_are_told_when_to_come_back(
    clinician: Program, make_program: MakeProgram, settings: Settings
) -> None:
    settings.CONFIGURATION = settings.CONFIGURATION.model_copy(update={"requests_per_minute": 3})
    assert [clinician.ask("GET", PATIENTS).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = clinician.ask("GET", PATIENTS)
    assert 1 <= int(refused.headers["Retry-After"]) <= 20
    assert make_program("clinician").ask("GET", PATIENTS).status_code == 200
    ApiToken.objects.filter(pk=clinician.token.pk).update(due=0)
    assert clinician.ask("GET", PATIENTS).status_code == 200


def test_the_last_use_is_kept(clinician: Program) -> None:
    assert clinician.token.last_used_at is None
    clinician.ask("GET", PATIENTS)
    clinician.token.refresh_from_db()
    assert clinician.token.last_used_at is not None


def test_a_wrong_method_is_a_problem_that_names_the_right_ones(clinician: Program) -> None:
    refused = clinician.ask("PUT", PATIENTS, {})
    assert refused.status_code == 405
    assert set(refused.headers["Allow"].split(", ")) == {"GET", "POST"}

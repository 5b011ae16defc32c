"""Every route has a rule, every rule a route; nobody passes without one."""

import pytest
from django.core.checks import run_checks
from django.test import Client

from secondlook.clinic.accounts import rules
from secondlook.clinic.accounts.rules import ROUTES
from tests.clinic.conftest import AsRole


def test_every_route_has_a_rule_and_every_rule_a_route(site: object) -> None:
    assert run_checks(tags=["accounts"]) == []


def test_a_route_without_a_rule_is_reported_and_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ROUTES, "models")
    assert [fault.id for fault in run_checks(tags=["accounts"])] == ["accounts.E001"]
    assert client.get("/models/").status_code == 403


def test_a_rule_without_a_route_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ROUTES, "gone", rules.ANYBODY)
    assert [fault.id for fault in run_checks(tags=["accounts"])] == ["accounts.E002"]


def test_who_is_not_logged_in_is_led_to_the_log_in(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ROUTES, "models", rules.MEMBER)
    monkeypatch.setitem(ROUTES, "api:predict", rules.MEMBER)
    assert client.get("/models/?x=1").headers["Location"] == "/account/login/?next=%2Fmodels%2F%3Fx%3D1"
    assert client.get("/models/", headers={"hx-request": "true"}).headers["HX-Redirect"] == "/account/login/"
    refused = client.post("/api/v1/predict")
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_what_signed_in_people_see_is_kept_nowhere(as_role: AsRole, client: Client) -> None:
    assert "no-store" in as_role("clinician").get("/models/").headers["Cache-Control"]
    assert "Cache-Control" not in client.get("/models/").headers

"""Both doors do what their schemas say, whatever is sent: hundreds of requests that schemathesis makes up."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import schemathesis
from django.conf import settings as site_settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from ninja import NinjaAPI
from schemathesis import Case
from schemathesis.checks import positive_data_acceptance

from secondlook.clinic.api.protocol import routes as protocol
from secondlook.clinic.api.routes import api
from secondlook.clinic.cases.models import Lesion, Patient, Picture, Visit
from tests.clinic.api.conftest import Program
from tests.clinic.api.test_pictures import picture, visit

__all__ = ["picture", "visit"]
KEY = re.compile(r"[A-Za-z0-9_-]{16}")
MODEL = re.compile(r"[A-Za-z0-9._-]{1,80}")
UNHURRIED = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@pytest.fixture
def keys(clinician: Program, patient: str, visit: str, picture: dict[str, Any]) -> dict[str, str]:
    """Return keys of rows that are there, by how paths and bodies call them."""
    result = picture["result"]["key"]
    place = {"patient": patient, "side": "front", "site": "face"}
    lesion = clinician.ask("POST", "/api/v1/lesions", place).json()["key"]
    opinion = clinician.ask("POST", "/api/v1/opinions", {"result": result, "verdict": "agree"}).json()["key"]
    return {
        "patient": patient,
        "visit": visit,
        "lesion": lesion,
        "picture": picture["key"],
        "result": result,
        "opinion": opinion,
    }


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a token ask as often as it likes, and leave the test's connection to the database open between requests."""
    unlimited = site_settings.CONFIGURATION.model_copy(update={"requests_per_minute": 10**9})
    monkeypatch.setattr(site_settings, "CONFIGURATION", unlimited)
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


start_site = cache(WSGIHandler)


def application(environ: Any, start_response: Any) -> Any:
    """Ask the site, which is started with the first request: after its static files are there."""
    return start_site()(environ, start_response)


def load_schema(api: NinjaAPI) -> Any:
    """Return the schema of an API, with the site to ask."""
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(api.get_openapi_schema())))
    schema.app = application
    return schema


def call(case: Case, program: Program, keys: dict[str, str]) -> None:
    """Send one request, about rows that are there wherever a key has the form of one."""
    for kind in (Patient, Visit, Lesion, Picture):
        kind._default_manager.update(removed_at=None)
    kind_asked = next((name for name in keys if f"/{name}s" in case.path), "")
    known = keys | {name: keys.get(kind_asked, "") for name in ("key", "after")} | {"model": "tiny"}
    for given in (case.path_parameters, case.query, case.body):
        name_rows(given, known)
    # What no schema can say is refused, too: a file that is no picture, a birth date to come.
    excluded = [positive_data_acceptance] if case.method in ("POST", "PATCH") else []
    case.call_and_validate(headers={"Authorization": f"Bearer {program.text}"}, excluded_checks=excluded)


def name_rows(given: Any, known: dict[str, str]) -> None:
    """Put names of what is there in the place of those that are made up well."""
    for name in given if isinstance(given, dict) else ():
        form = MODEL if name == "model" else KEY
        if known.get(name) and isinstance(given[name], str) and form.fullmatch(given[name]):
            given[name] = known[name]


@load_schema(api).parametrize()
@UNHURRIED
def test_the_api_does_what_its_schema_says(case: Case, clinician: Program, keys: dict[str, str]) -> None:
    call(case, clinician, keys)


@load_schema(protocol.api).parametrize()
@UNHURRIED
def test_the_protocol_does_what_its_schema_says(case: Case, clinician: Program, keys: dict[str, str]) -> None:
    call(case, clinician, keys)

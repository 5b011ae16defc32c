"""Logs say where something failed, and nothing of a patient."""

import io
import logging
import logging.config
import os
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from secondlook.clinic.accounts.actors import Actor
from secondlook.clinic.cases import patients
from secondlook.clinic.cases.models import Patient, Visit
from secondlook.clinic.logs import DiscreetFormatter, DiscreetPaths, configure_server_logs, shorten_path
from secondlook.clinic.look import predictors
from secondlook.errors import BundleError
from tests.clinic.cases.conftest import actor, visit
from tests.clinic.conftest import AsRole
from tests.site import run_server

__all__ = ["actor", "visit"]
NAME = "Jane Doe"


def fail() -> None:
    """Fail with a patient's name, behind another failure with it."""
    try:
        {}[NAME]
    except KeyError as error:
        raise ValueError(NAME) from error


@pytest.fixture
def written() -> io.StringIO:
    """Return what the site's own handler writes."""
    return io.StringIO()


@pytest.fixture(autouse=True)
def logs(written: io.StringIO) -> Any:
    """Configure the logs as the site does, into a text."""
    logging.config.dictConfig(settings.LOGGING)
    for name in ("django", "secondlook"):
        for handler in logging.getLogger(name).handlers:
            handler.setStream(written)  # type: ignore[attr-defined]
    yield
    logging.config.dictConfig(settings.LOGGING)


def test_a_failure_is_told_by_place_and_kind_alone(written: io.StringIO) -> None:
    try:
        fail()
    except ValueError:
        logging.getLogger("secondlook.x").exception("It failed.")
    text = written.getvalue()
    assert NAME not in text
    for word in ("test_logs.py", "in fail", "ValueError", "KeyError", "It failed."):
        assert word in text


def test_our_own_errors_say_what_to_do(written: io.StringIO) -> None:
    logging.getLogger("secondlook.x").error("It failed.", exc_info=BundleError("Seal it anew."))
    assert "BundleError: Seal it anew." in written.getvalue()


def test_a_page_that_fails_writes_no_patient_data(
    visit: Visit, actor: Actor, as_role: AsRole, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    Patient.objects.filter(pk=visit.patient_id).update(name=NAME)
    monkeypatch.setattr(patients, "record", lambda *_a, about, **_o: (_ for _ in ()).throw(ValueError(about.name)))
    client = as_role(user=actor.user)
    client.raise_request_exception = False
    response = client.get(f"/patients/{visit.patient.key}/?text={NAME}")
    assert response.status_code == 500
    text = written.getvalue()
    assert "Internal Server Error: /patients/…" in text
    assert "ValueError" in text
    assert NAME not in text
    assert visit.patient.key not in text


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("/patients/?text=Jane", "/patients/"),
        ("/patients/abcdefghijklmnop/", "/patients/…/"),
        ("/account/password/reset/key/1-abcdef-0123456789/", "/account/password/reset/key/…/"),
        ("127.0.0.1:80", "127.0.0.1:80"),
        (404, 404),
    ],
)
def test_addresses_lose_queries_and_keys(address: Any, shown: Any) -> None:
    assert shorten_path(address) == shown


def test_a_probe_that_is_told_to_wait_alarms_nobody(
    client: Client, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictors, "start_loading", Future)
    assert client.get("/readyz").status_code == 503
    assert written.getvalue() == ""


def test_the_server_logs_with_the_same_care() -> None:
    configured = configure_server_logs()
    assert configured["formatters"]["default"]["()"] is DiscreetFormatter
    assert all(handler["filters"] == ["paths"] for handler in configured["handlers"].values())
    assert configured["filters"]["paths"]["()"] is DiscreetPaths


def test_the_access_log_holds_no_query(site_bundle: Path, tmp_path: Path) -> None:
    with run_server(os.environ["SECONDLOOK_BUNDLES"], tmp_path, arguments=("--access-log",)) as server:
        server.ask("GET", "/patients/?text=Jane+Doe")
        server.ask("GET", "/account/password/reset/key/1-abcdef-0123456789/")
    text = server.log.read_text()
    assert '"GET /patients/ HTTP/1.1"' in text
    assert "Jane" not in text
    assert "0123456789" not in text

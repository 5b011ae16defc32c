"""Health and readiness, while the model loads, when it cannot, and when it is there."""

import gc
import json
from concurrent.futures import Future
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from secondlook.clinic.look import predictors
from secondlook.errors import BundleError
from tests.site import draw_triage


@pytest.fixture
def loading(monkeypatch: pytest.MonkeyPatch) -> "Future[Any]":
    """Return the future of a load that is still under way."""
    future: Future[Any] = Future()
    monkeypatch.setattr(predictors, "start_loading", lambda: future)
    return future


def test_health_is_always_fine(client: Client, loading: "Future[Any]") -> None:
    assert client.get("/healthz").status_code == 200
    loading.set_exception(BundleError("Broken."))
    assert client.get("/healthz").status_code == 200


def test_not_ready_while_the_model_loads(client: Client, loading: "Future[Any]") -> None:
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.content.decode() == "The model is loading.\n"
    loading.set_result({})
    assert client.get("/readyz").status_code == 200


def test_the_page_is_there_while_the_model_loads(client: Client, loading: "Future[Any]") -> None:
    assert client.get("/try/").status_code == 200


def test_a_model_that_cannot_be_loaded_is_said_everywhere(client: Client, loading: "Future[Any]") -> None:
    loading.set_exception(BundleError("The bundle was changed."))
    ready = client.get("/readyz")
    assert (ready.status_code, ready.content) == (503, b"The bundle was changed.\n")
    page = client.post("/try/", {"file": SimpleUploadedFile("a.png", draw_triage("urgent"))})
    assert page.status_code == 503
    assert "The bundle was changed." in page.content.decode()
    answer = client.post("/api/v1/predict", {"file": SimpleUploadedFile("a.png", draw_triage("urgent"))})
    assert answer.status_code == 503
    assert json.loads(answer.content)["detail"] == "The bundle was changed."
    assert client.get("/models/").status_code == 503


def test_a_fault_of_the_model_shows_no_trace(client: Client, loading: "Future[Any]") -> None:
    loading.set_exception(RuntimeError("/secret/place"))
    response = client.get("/readyz")
    assert (response.status_code, response.content) == (503, b"The model could not be loaded.\n")


def test_the_collector_passes_by_what_was_loaded_for_good(client: Client) -> None:
    gc.unfreeze()
    predictors.load_offered()
    assert gc.get_freeze_count() > 10_000


def test_probes_need_no_known_host(client: Client) -> None:
    assert client.get("/healthz", headers={"host": "10.0.0.7"}).status_code == 200

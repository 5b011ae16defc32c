"""The picture itself says its task: on the page and in the API, said plainly, and overruled by who knows better."""

import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from secondlook.clinic.look import predictors
from secondlook.inference.auto import load_auto
from secondlook.inference.router import load_router
from tests.clinic.conftest import BUNDLES, PLACE
from tests.clinic.test_page import read
from tests.site import SHOWS, draw_triage

TRIAGES = {"skin": "urgent", "chest": "urgent", "knee": "refer"}


def ask(client: Client, content: bytes, **fields: str) -> str:
    """Return the answer to a picture, as htmx gets it."""
    picture = SimpleUploadedFile("a.png", content)
    response = client.post("/try/", {"file": picture, **fields}, headers={"hx_request": "true"})
    assert response.status_code == 200
    return read(response)


def ask_api(client: Client, content: bytes, **fields: str) -> dict[str, object]:
    """Return the API's answer to a picture."""
    response = client.post("/api/v1/predict", {"file": SimpleUploadedFile("a.png", content), **fields})
    assert response.status_code == 200
    answer: dict[str, object] = json.loads(response.content)
    return answer


def read_probabilities(page: str) -> dict[str, float]:
    """Return the probabilities on a page."""
    return {key: float(value) for key, value in re.findall(r'data-label="(\w+)" value="([^"]+)"', page)}


def list_overruling(page: str) -> list[str]:
    """Return the tasks that can be chosen instead."""
    return re.findall(r'href="/try/\?task=(\w+)" data-overrule="\1"', page)


@pytest.mark.parametrize("fields", [{}, {"task": "auto"}])
@pytest.mark.parametrize("task", SHOWS)
def test_the_page_says_what_the_picture_was_taken_for_and_offers_the_others(
    client: Client, task: str, fields: dict[str, str]
) -> None:
    page = ask(client, draw_triage(TRIAGES[task], task), **fields)
    name = {"skin": "Skin lesion", "chest": "Chest X-ray", "knee": "Knee X-ray"}[task]
    assert f"Taken for: <strong>{name}</strong>." in page
    assert list_overruling(page) == [other for other in SHOWS if other != task]
    assert 'href="/try/?task=auto">Look at another picture' in page


@pytest.mark.parametrize("task", SHOWS)
def test_every_door_gives_the_answer_of_the_task_s_own_bundle(client: Client, task: str) -> None:
    content = draw_triage(TRIAGES[task], task)
    chosen = ask(client, content, task=task)
    assert "Taken for" not in chosen
    expected = pytest.approx(read_probabilities(chosen), abs=1e-12, rel=0)
    assert read_probabilities(ask(client, content)) == expected
    answer = ask_api(client, content)
    assert answer["task"] == answer["route"]["nearest"] == task
    assert answer["probabilities"] == expected
    python = load_auto(BUNDLES.split(","), router=load_router(PLACE / "router")).predict(content)
    assert dict(python.probabilities) == expected


def test_who_knows_better_overrules_on_the_page_and_in_the_api(client: Client) -> None:
    content = draw_triage("urgent", "skin")
    assert set(read_probabilities(ask(client, content, task="chest"))) <= {"normal", "pneumonia"}
    for fields in ({"task": "knee"}, {"bundle": "tiny-knee"}, {"bundle": "tiny-knee", "task": "skin"}):
        answer = ask_api(client, content, **fields)
        assert (answer["task"], answer["route"]) == ("knee", None)


def test_what_belongs_nowhere_gets_why_and_a_choice_but_no_probabilities(client: Client) -> None:
    page = ask(client, draw_triage("not_evaluable"))
    assert re.search(r'<h1 id="answer-title"[^>]*>Not evaluable</h1>', page)
    assert "resembles nothing that is looked at here" in page
    assert "If it is one of these, choose which:" in page
    assert list_overruling(page) == list(SHOWS)
    assert "data-label=" not in page
    assert 'id="heatmap"' not in page
    assert "malignan" not in page.lower()


def test_what_belongs_nowhere_is_none_in_the_api(client: Client) -> None:
    answer = ask_api(client, draw_triage("not_evaluable"))
    assert (answer["task"], answer["triage"], answer["probabilities"]) == ("none", "not_evaluable", {})
    assert answer["label"] is answer["risk"] is answer["bundle"] is answer["heatmap"] is answer["outline"] is None
    assert min(answer["route"]["scores"].values()) > 1
    assert [reason["code"] for reason in answer["reasons"]][:1] == ["unplaced"]
    assert "no diagnosis" in answer["notice"]


def test_both_speak_french(french: Client) -> None:
    page = ask(french, draw_triage("urgent", "chest"))
    assert "Prise pour\N{NO-BREAK SPACE}: <strong>Radiographie du thorax</strong>." in page
    page = ask(french, draw_triage("not_evaluable"))
    assert "ne ressemble à rien de ce qui est examiné ici" in page
    assert not re.search(r"\b(the|of|and|is|with)\b", re.sub(r"<[^>]*>", " ", page)), page


def test_without_javascript_the_answer_stands_in_a_whole_page(client: Client) -> None:
    for content in (draw_triage("urgent"), draw_triage("not_evaluable")):
        page = read(client.post("/try/", {"file": SimpleUploadedFile("a.png", content)}))
        assert "<html" in page
        assert "data-overrule=" in page


def test_an_unknown_task_is_refused_in_the_api(client: Client) -> None:
    picture = SimpleUploadedFile("a.png", draw_triage("urgent"))
    response = client.post("/api/v1/predict", {"file": picture, "task": "hand"})
    assert response.status_code == 404
    assert "one of auto, skin, chest, knee" in json.loads(response.content)["detail"]


def test_with_a_single_bundle_there_is_nothing_to_find_out(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    knee = predictors.find_choice("knee")
    monkeypatch.setattr(predictors, "list_offers", lambda: (knee,))
    assert not predictors.has_auto()
    assert ask_api(client, draw_triage("refer", "knee"))["route"] is None

"""``/api/v1``: the answer as JSON, and problems for everything else."""

import base64
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from tests.drawing import draw_lesion, encode
from tests.hostile import build_profile_bomb, build_zip, claim_jpeg_size
from tests.site import draw_triage

PREDICT = "/api/v1/predict"
NOT_PICTURES = {
    "empty": b"",
    "text": b"hello",
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "HTML": b"<!doctype html><title>x</title>",
    "PDF": b"%PDF-1.7\n",
    "ZIP": build_zip(),
    "claim": claim_jpeg_size(65500, 65500),
    "profile bomb": build_profile_bomb(),
    "cut short": encode(draw_lesion(1, size=(200, 150)))[:900],
}


def ask(client: Client, content: bytes, **fields: str) -> tuple[int, dict[str, Any]]:
    """Return status and JSON of one question."""
    response = client.post(PREDICT, {"file": SimpleUploadedFile("Jane Doe.png", content), **fields})
    body: dict[str, Any] = json.loads(response.content)
    if response.status_code >= 400:
        assert response.headers["Content-Type"] == "application/problem+json"
        assert body["status"] == response.status_code
        assert set(body) == {"type", "title", "status", "detail"}
    return response.status_code, body


def test_an_answer_has_every_part(client: Client) -> None:
    status, body = ask(client, draw_triage("urgent"))
    assert status == 200
    assert (body["task"], body["label"], body["triage"]) == ("skin", "mel", "urgent")
    assert list(body["probabilities"]) == ["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"]
    assert sum(body["probabilities"].values()) == pytest.approx(1)
    malignant = sum(body["probabilities"][key] for key in ("akiec", "bcc", "mel"))
    assert body["malignancy"] == pytest.approx(malignant)
    assert [reason["code"] for reason in body["reasons"]] == ["urgent", "decision_support"]
    assert body["quality"] == {"evaluable": True, "flags": []}
    assert body["outlier_score"] > 0
    assert body["bundle"]["name"] == "tiny"
    assert re.fullmatch(r"[0-9a-f]{64}", body["bundle"]["hash"])
    assert "no diagnosis" in body["notice"]


def test_the_heatmap_is_a_transparent_square(client: Client) -> None:
    _, body = ask(client, draw_triage("urgent"))
    head, content = body["heatmap"].split(",")
    assert head == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(content))) as image:
        assert image.mode == "RGBA"
        assert image.width == image.height
        assert image.getchannel("A").getextrema() == (0, 255)


def test_the_heatmap_of_any_label_can_be_asked_for(client: Client) -> None:
    picture = draw_triage("urgent")
    _, own = ask(client, picture)
    _, named = ask(client, picture, heatmap_label=own["label"])
    _, other = ask(client, picture, heatmap_label="vasc")
    assert named["heatmap"] == own["heatmap"] != other["heatmap"]
    assert other["label"] == own["label"]
    status, problem = ask(client, picture, heatmap_label="freckle")
    assert status == 400
    assert "Expected a label of the task skin" in problem["detail"]


def test_flags_carry_figure_limit_and_sentence(client: Client) -> None:
    _, body = ask(client, encode(Image.new("RGB", (300, 300), (128, 96, 80)), "PNG"))
    assert body["triage"] == "not_evaluable"
    assert not body["quality"]["evaluable"]
    flags = {flag["code"]: flag for flag in body["quality"]["flags"]}
    assert flags["flat"]["figure"] < flags["flat"]["limit"]
    assert flags["flat"]["text"].endswith(".")


def test_sentences_follow_the_reader(french: Client) -> None:
    _, body = ask(french, draw_triage("urgent"))
    assert body["reasons"][0]["text"].startswith("Malignité\N{NO-BREAK SPACE}: la probabilité est de")
    assert "n’est pas un diagnostic" in body["notice"]


def test_the_bundle_is_chosen_by_name(client: Client) -> None:
    assert ask(client, draw_triage("urgent"), bundle="tiny")[0] == 200


def test_a_task_without_malignant_labels_has_a_risk_alone(client: Client) -> None:
    status, body = ask(client, draw_triage("urgent", "chest"), bundle="tiny-chest")
    assert status == 200
    assert (body["task"], body["label"], body["triage"]) == ("chest", "pneumonia", "urgent")
    assert body["malignancy"] is None
    assert body["risk"] == body["probabilities"]["pneumonia"]
    assert body["seen"] == [0, 0, 1, 1]
    assert "a child who is unwell" in body["notice"]


def test_what_a_square_model_saw_is_given_in_shares(client: Client) -> None:
    _, body = ask(client, draw_triage("urgent", size=(480, 360)))
    assert body["seen"] == pytest.approx([0.125, 0, 0.875, 1])
    assert body["risk"] == pytest.approx(body["malignancy"])


@pytest.mark.parametrize("name", ["chest", "../tiny", "skin\n", ""])
def test_an_unknown_bundle_is_a_404(client: Client, name: str) -> None:
    status, body = ask(client, draw_triage("urgent"), bundle=name)
    assert status == 404
    assert body["detail"].startswith("Expected a bundle, one of tiny, tiny-chest, tiny-knee; got ")


def test_a_folder_is_never_a_bundle_s_name(client: Client, site_bundle: Path) -> None:
    assert ask(client, draw_triage("urgent"), bundle=str(site_bundle))[0] == 404


@pytest.mark.parametrize("kind", NOT_PICTURES)
def test_what_is_no_picture_is_a_400_with_its_sentence(client: Client, kind: str) -> None:
    status, body = ask(client, NOT_PICTURES[kind])
    assert status == 400
    assert body["detail"].startswith("Expected ")
    assert "Jane Doe" not in body["detail"]


def test_a_missing_file_is_a_422_that_names_the_field(client: Client) -> None:
    response = client.post(PREDICT, {"picture": "x"})
    assert response.status_code == 422
    problem = json.loads(response.content)
    assert problem["detail"].endswith("missing or wrong: file.")
    assert [fault["pointer"] for fault in problem["errors"]] == ["/file"]


def test_another_route_is_a_problem_too(client: Client) -> None:
    response = client.get("/api/v1/nothing")
    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/problem+json"


def test_answers_are_not_kept(client: Client) -> None:
    response = client.post(PREDICT, {"file": SimpleUploadedFile("a.png", draw_triage("urgent"))})
    assert "no-store" in response.headers["Cache-Control"]


def test_the_documentation_page_stays_on_this_site(client: Client) -> None:
    page = client.get("/api/v1/docs").content.decode()
    assert "swagger-ui" in page
    assert re.findall(r'(?:src|href)="(?!/)[^"]*"', page) == []
    assert '"validatorUrl": null' in page


def test_the_schema_names_fields_and_problems(client: Client) -> None:
    schema = json.loads(client.get("/api/v1/openapi.json").content)
    operation = schema["paths"][PREDICT]["post"]
    assert set(operation["responses"]) == {"200", "400", "404", "413", "422", "503"}
    form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert set(form["properties"]) == {"file", "bundle", "task", "heatmap_label", "outline"}
    assert form["required"] == ["file"]
    assert "Name of a bundle on offer" in form["properties"]["bundle"]["description"]

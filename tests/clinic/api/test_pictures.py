"""Pictures, as programs send them and read what was said of them."""

import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from secondlook.clinic.accounts.models import Practice
from secondlook.clinic.cases.models import Patient, Picture
from tests.clinic.api.conftest import MakeProgram, Program
from tests.site import draw_triage

PICTURES = "/api/v1/pictures"


@pytest.fixture
def visit(clinician: Program, patient: str) -> str:
    """Return the key of a visit."""
    return str(clinician.ask("POST", "/api/v1/visits", {"patient": patient, "date": "2026-01-02"}).json()["key"])


def send(program: Program, visit: str, triage: str = "urgent", *, key: str = "", **fields: str) -> Any:
    """Send a drawn picture and return the response."""
    upload = SimpleUploadedFile("Jane Doe.png", draw_triage(triage), content_type="image/png")
    headers = {"idempotency_key": key} if key else {}
    return program.send(PICTURES, {"file": upload, "visit": visit, **fields}, **headers)


@pytest.fixture
def picture(clinician: Program, visit: str) -> dict[str, Any]:
    """Return the record of a picture that was sent."""
    return dict(send(clinician, visit, task="skin").json())


def test_a_picture_is_sent_and_answered(clinician: Program, visit: str, patient: str) -> None:
    sent = send(clinician, visit)
    assert sent.status_code == 201
    record = sent.json()
    assert sent.headers["Location"] == f"{PICTURES}/{record['key']}"
    assert (record["visit"], record["patient"], record["lesion"]) == (visit, patient, None)
    assert (record["state"], record["width"], record["height"]) == ("answered", 480, 360)
    result = record["result"]
    assert (result["task"], result["label"], result["triage"]) == ("skin", "mel", "urgent")
    assert sum(result["probabilities"].values()) == pytest.approx(1)
    assert result["route"]["nearest"] == "skin"
    assert re.fullmatch(r"[0-9a-f]{64}", result["bundle"]["hash"])
    assert result["reasons"][0]["text"].startswith("Malignancy")
    assert "no diagnosis" in result["notice"]
    assert clinician.ask("GET", f"{PICTURES}/{record['key']}").json() == record
    assert clinician.ask("GET", f"/api/v1/results/{result['key']}").json() == result


def test_it_gives_the_same_answer_as_the_try_it_page(clinician: Program, picture: dict[str, Any]) -> None:
    upload = SimpleUploadedFile("a.png", draw_triage("urgent"))
    looked = clinician.send("/api/v1/predict", {"file": upload, "task": "skin"}).json()
    assert picture["result"]["probabilities"] == looked["probabilities"]


def test_the_same_upload_is_kept_once(clinician: Program, visit: str) -> None:
    first, second = (send(clinician, visit, key="k1") for _ in range(2))
    assert second.content == first.content
    assert send(clinician, visit, "routine", key="k1").status_code == 422
    assert Picture.objects.count() == 1


def test_an_upload_whose_answer_got_lost_is_kept_once(clinician: Program, visit: str) -> None:
    from secondlook.clinic.api.models import KeptAnswer

    first = send(clinician, visit, key="k1").json()
    KeptAnswer.objects.update(status=0)
    assert send(clinician, visit, key="k1").json() == first
    assert Picture.objects.count() == 1


def test_what_is_no_picture_is_refused_and_not_kept(clinician: Program, visit: str) -> None:
    sent = clinician.send(PICTURES, {"file": SimpleUploadedFile("a.png", b"hello"), "visit": visit})
    assert sent.status_code == 400
    assert sent.json()["detail"].startswith("Expected ")
    assert send(clinician, visit, task="feet").status_code == 404
    assert send(clinician, "a" * 16).status_code == 404
    assert send(clinician, "a").status_code == 422
    assert not Picture.objects.exists()


@pytest.mark.parametrize(("form", "media_type"), [("shown", "image/jpeg"), ("seen", "image/webp")])
def test_the_bytes_come_without_metadata(
    clinician: Program, picture: dict[str, Any], form: str, media_type: str
) -> None:
    response = clinician.ask("GET", f"{PICTURES}/{picture['key']}/file?form={form}")
    assert response.headers["Content-Type"] == media_type
    assert "no-store" in response.headers["Cache-Control"]
    with Image.open(io.BytesIO(response.content)) as image:
        assert Image.MIME[image.format or ""] == media_type
        assert image.size == (480, 360)
        assert not image.getexif()


def test_the_original_is_there_only_where_the_practice_keeps_it(
    clinician: Program, picture: dict[str, Any], visit: str, practice: Practice
) -> None:
    assert clinician.ask("GET", f"{PICTURES}/{picture['key']}/file?form=original").status_code == 404
    practice.keep_originals = True
    practice.save()
    kept = send(clinician, visit).json()
    response = clinician.ask("GET", f"{PICTURES}/{kept['key']}/file?form=original")
    assert response.content == draw_triage("urgent")


def test_lists_are_narrowed(clinician: Program, visit: str, picture: dict[str, Any]) -> None:
    send(clinician, visit, "routine")

    def count(query: str) -> int:
        return len(clinician.ask("GET", f"{PICTURES}?{query}").json()["items"])

    assert count("") == count(f"visit={visit}") == count("state=answered") == count("reviewed=false") == 2
    assert count("triage=urgent") == count("label=mel") == 1
    assert count("reviewed=true") == count("disagreed=true") == count(f"patient={'a' * 16}") == 0
    assert count("triage=urgent&acknowledged=false") == 1
    assert clinician.ask("GET", f"{PICTURES}?triage=worst").status_code == 422


def test_a_doctor_overrules_the_task(clinician: Program, picture: dict[str, Any]) -> None:
    asked = clinician.ask("POST", f"{PICTURES}/{picture['key']}/ask", {"task": "knee"}).json()
    assert asked["result"]["task"] == "knee"
    results = clinician.ask("GET", f"/api/v1/results?picture={picture['key']}").json()["items"]
    assert [one["task"] for one in results] == ["knee", "skin"]


def test_a_result_is_had_once_more(clinician: Program, picture: dict[str, Any]) -> None:
    found = clinician.ask("POST", f"/api/v1/results/{picture['result']['key']}/reproduce").json()
    assert (found["identical"], found["differing"]) == (True, [])


def test_opinions_are_given_and_read(clinician: Program, picture: dict[str, Any]) -> None:
    result = picture["result"]["key"]
    given = clinician.ask("POST", "/api/v1/opinions", {"result": result, "verdict": "correct", "label": "nv"})
    assert given.status_code == 201
    assert given.json()["author"] == "Alex Roe"
    assert clinician.ask("GET", given.headers["Location"]).json() == given.json()
    changed = clinician.ask("GET", f"{PICTURES}/{picture['key']}").json()
    assert (changed["reviewed"], changed["disagreed"], changed["confirmed_label"]) == (True, True, "nv")
    histology = {"result": result, "verdict": "histology", "label": "mel", "note": "Breslow 0.4 mm"}
    clinician.ask("POST", "/api/v1/opinions", histology)
    listed = clinician.ask("GET", f"/api/v1/opinions?picture={picture['key']}").json()["items"]
    assert [one["verdict"] for one in listed] == ["histology", "correct"]
    wrong = clinician.ask("POST", "/api/v1/opinions", {"result": result, "verdict": "correct", "label": "freckle"})
    assert wrong.status_code == 400


def test_an_urgent_result_is_acknowledged(clinician: Program, picture: dict[str, Any]) -> None:
    assert picture["acknowledged_at"] is None
    done = clinician.ask("POST", f"{PICTURES}/{picture['key']}/acknowledge").json()
    assert done["acknowledged_at"] is not None


def test_a_picture_is_removed_and_restored(clinician: Program, picture: dict[str, Any]) -> None:
    place = f"{PICTURES}/{picture['key']}"
    assert clinician.ask("DELETE", place).status_code == 204
    assert clinician.ask("GET", place).status_code == 404
    assert clinician.ask("GET", f"/api/v1/results/{picture['result']['key']}").status_code == 404
    assert clinician.ask("POST", f"{place}/restore").json() == picture


def walk(picture: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Give everything that may be asked of a picture."""
    place, result = f"{PICTURES}/{picture['key']}", picture["result"]["key"]
    yield "GET", place, None
    yield "GET", f"{place}/file", None
    yield "POST", f"{place}/ask", {"task": "skin"}
    yield "POST", f"{place}/acknowledge", None
    yield "DELETE", place, None
    yield "POST", f"{place}/restore", None
    yield "GET", f"/api/v1/results/{result}", None
    yield "POST", f"/api/v1/results/{result}/reproduce", None
    yield "POST", "/api/v1/opinions", {"result": result, "verdict": "agree"}


def test_another_practice_gets_nothing_of_it(picture: dict[str, Any], make_program: MakeProgram) -> None:
    other = make_program("clinician", "reviewer", practice=Practice.objects.create(name="Across the road"))
    assert [other.ask(*question).status_code for question in walk(picture)] == [404] * 9
    for kind in ("pictures", "results", "opinions"):
        assert other.ask("GET", f"/api/v1/{kind}").json()["items"] == []


def test_a_patient_reads_their_own_and_changes_nothing(picture: dict[str, Any], make_program: MakeProgram) -> None:
    me, other = make_program("patient"), make_program("patient")
    Patient.objects.update(account=me.user)
    statuses = [me.ask(*question).status_code for question in walk(picture)]
    assert statuses == [200, 200, 403, 403, 403, 403, 200, 403, 403]
    assert other.ask("GET", f"{PICTURES}/{picture['key']}").status_code == 404
    Practice.objects.update(patients_see_results=False)
    assert me.ask("GET", f"{PICTURES}/{picture['key']}").status_code == 404


def test_an_administrator_sees_no_picture(picture: dict[str, Any], make_program: MakeProgram) -> None:
    assert {make_program("administrator").ask(*question).status_code for question in walk(picture)} == {403}

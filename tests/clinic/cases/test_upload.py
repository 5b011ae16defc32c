"""Pictures come in one at a time or several, are checked, kept once, answered at once, and stop no other."""

import base64
import hashlib
import html
import io
import re
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from secondlook.clinic.accounts.actors import Actor
from secondlook.clinic.accounts.models import Practice
from secondlook.clinic.audit.models import Entry
from secondlook.clinic.cases import services
from secondlook.clinic.cases.material import decode_seen, encode_seen
from secondlook.clinic.cases.models import Lesion, Patient, Picture, Visit
from secondlook.clinic.cases.services import add_picture
from secondlook.clinic.files.models import FileState, KeptFile
from secondlook.clinic.files.services import read_file
from secondlook.clinic.jobs.models import Job, JobState
from secondlook.clinic.jobs.services import run_due_jobs
from secondlook.errors import BundleError, InputError
from secondlook.imaging.read import read_picture
from secondlook.inference.predictor import choose_target
from tests.clinic.cases.conftest import SendPicture
from tests.clinic.conftest import AsRole
from tests.dicom import build_dicom
from tests.drawing import draw_lesion, draw_noise, draw_phone_photo, encode, encode_turned
from tests.site import draw_triage
from tests.xrays import draw_chest


def open_png(name: str) -> np.ndarray:
    """Return the pixels of a kept PNG or JPEG."""
    with Image.open(io.BytesIO(read_file(name))) as image:
        return np.asarray(image)


def post(client: Client, visit: Visit, *files: bytes, **fields: Any) -> HttpResponse:
    """Send files as the plain form does, or one as the script does."""
    headers = {"hx-request": "true"} if fields.pop("scripted", False) else {}
    given = {"task": "skin", "lesion": "", "upload_key": "form"} | fields
    uploads = [SimpleUploadedFile(f"Jane Doe {number}.png", data) for number, data in enumerate(files)]
    return client.post(reverse("cases:send", args=[visit.key]), given | {"file": uploads}, headers=headers)


def test_the_very_pixels_and_a_picture_for_people_are_kept_and_nothing_else(actor: Actor, visit: Visit) -> None:
    data = encode_turned(draw_phone_photo(12, "bcc"), 6, quality=90)
    picture = add_picture(actor=actor, visit=visit, upload=ContentFile(data), task="skin", upload_key="a")
    assert (open_png(picture.seen) == read_picture(data, target_px=choose_target(64)).pixels).all()
    assert (picture.width, picture.height) == (3024, 4032)
    assert open_png(picture.shown).shape == (4032, 3024, 3)
    assert b"Exif" not in read_file(picture.shown)
    assert picture.sha256 == hashlib.sha256(data).hexdigest()
    assert picture.original == ""
    assert set(KeptFile.objects.values_list("name", "state")) == {
        (picture.seen, FileState.KEPT),
        (picture.shown, FileState.KEPT),
    }


@pytest.mark.parametrize("size", [(640, 480), (1, 1), (17_000, 16)])
def test_pixels_come_back_as_they_were(size: tuple[int, int]) -> None:
    pixels = np.asarray(draw_noise(3, size=size))
    back = decode_seen(encode_seen(pixels), width=9, height=7)
    assert (back.pixels == pixels).all()
    assert (back.source.width, back.source.height) == (9, 7)


def test_the_file_itself_is_kept_where_the_practice_says_so(actor: Actor, visit: Visit) -> None:
    actor.practice.keep_originals = True
    data = draw_triage("urgent")
    picture = add_picture(actor=actor, visit=visit, upload=ContentFile(data), upload_key="a")
    assert read_file(picture.original) == data


def test_the_answer_is_there_at_once_and_in_every_list(send: SendPicture, visit: Visit) -> None:
    lesion = Lesion.objects.create(practice=visit.practice, patient=visit.patient, number=1)
    picture = send("refer", "skin", lesion=lesion)
    lesion.refresh_from_db()
    assert (picture.state, picture.task, picture.triage) == ("answered", "skin", "refer")
    assert (lesion.task, lesion.triage, lesion.pictured_on) == ("skin", "refer", visit.date)
    assert picture.taken_on == visit.date
    assert list(Entry.objects.filter(key=picture.key).order_by("number").values_list("action", flat=True)) == [
        "picture.added",
        "picture.answered",
    ]


def test_what_cannot_be_judged_has_no_label_in_lists(send: SendPicture) -> None:
    picture = send("not_evaluable", "skin")
    assert (picture.triage, picture.label, picture.risk) == ("not_evaluable", "", None)
    assert picture.results.get().label


@pytest.mark.parametrize("task", ["skin", "chest", "knee"])
def test_the_router_picks_the_model_and_the_doctor_overrules_it(send: SendPicture, task: str) -> None:
    found = send("refer", upload=ContentFile(draw_triage("refer", task)))
    assert (found.chosen_task, found.task) == ("", task)
    told = send("refer", task="knee", upload=ContentFile(draw_triage("refer", task)))
    assert (told.chosen_task, told.task) == ("knee", "knee")


def test_dicom_with_the_size_of_its_pixels(actor: Actor, visit: Visit) -> None:
    pixels = np.asarray(draw_chest(4, "normal", size=(480, 380)).convert("L"))
    spaced = build_dicom(pixels, bits=8, PixelSpacing=[0.2, 0.2])
    picture = add_picture(actor=actor, visit=visit, upload=ContentFile(spaced), task="chest", upload_key="a")
    assert picture.mm_per_px == pytest.approx(0.2)
    assert picture.results.get().outline is None


def test_the_same_upload_twice_is_one_picture(send: SendPicture) -> None:
    first, second = send("urgent", upload_key="same"), send("urgent", upload_key="same")
    assert first == second
    assert Picture.objects.count() == Job.objects.filter(kind="predict").count() == first.results.count() == 1
    assert KeptFile.objects.count() == 2


def test_another_file_under_the_same_key_is_refused(send: SendPicture) -> None:
    send("urgent", upload_key="same")
    with pytest.raises(InputError, match="Expected the same file under the same upload key"):
        send("refer", upload_key="same")


def test_two_at_the_same_moment_are_one(send: SendPicture, monkeypatch: pytest.MonkeyPatch) -> None:
    first, find, calls = send("urgent", upload_key="same"), services.find_earlier, []

    def find_late(*arguments: Any) -> Picture | None:
        calls.append(arguments)
        return None if len(calls) == 1 else find(*arguments)

    monkeypatch.setattr(services, "find_earlier", find_late)
    assert send("urgent", upload_key="same") == first
    assert KeptFile.objects.count() == 2


def test_a_lesion_of_somebody_else_is_refused(send: SendPicture, practice: Practice) -> None:
    other = Patient.objects.create(practice=practice, name="Other")
    lesion = Lesion.objects.create(practice=practice, patient=other, number=1)
    with pytest.raises(InputError, match="a lesion of the patient whose visit"):
        send("urgent", lesion=lesion)
    assert not Picture.objects.exists()


def test_a_wrong_file_leaves_nothing(actor: Actor, visit: Visit) -> None:
    with pytest.raises(InputError, match="Expected a picture"):
        add_picture(actor=actor, visit=visit, upload=ContentFile(b"%PDF-1.7"), upload_key="a")
    assert not Picture.objects.exists()
    assert not KeptFile.objects.exists()


def test_a_worker_takes_over_what_a_killed_process_left(send: SendPicture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "run_job", lambda job: job)  # the process ended after it had kept the picture
    picture = send("urgent", "skin")
    assert picture.state == "waiting"
    assert run_due_jobs() == 0  # it has a head start
    Job.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert run_due_jobs() == 1
    picture.refresh_from_db()
    assert picture.triage == "urgent"
    assert picture.results.count() == 1


def test_a_failure_of_ours_is_tried_again_and_then_said(send: SendPicture, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: Any) -> None:
        raise BundleError("The bundle's graph fails.")

    monkeypatch.setattr(services, "answer_picture", fail)
    picture = send("urgent", "skin")
    assert picture.state == "waiting"
    for _attempt in range(3):
        Job.objects.update(due_at=timezone.now() - timedelta(seconds=1))
        run_due_jobs()
    picture.refresh_from_db()
    assert picture.state == "failed"
    assert "failed each time" in picture.failure
    assert "ont échoué" in picture.failure_french
    assert Job.objects.get(kind="predict").state == JobState.FAILED


def test_several_with_a_broken_one_by_the_plain_form(as_role: AsRole, visit: Visit) -> None:
    client = as_role("clinician")
    for _twice in range(2):  # a page that is loaded anew sends its form again
        response = post(client, visit, draw_triage("urgent"), b"%PDF-1.7", draw_triage("routine"))
        page = html.unescape(response.content.decode())
        assert response.status_code == 200
        assert [picture.triage for picture in Picture.objects.order_by("pk")] == ["urgent", "routine"]
        assert re.search(r'Jane Doe 1\.png</p>\s*<p class="problem" lang="en">Expected a picture', page)


def test_one_by_the_script_gets_its_answer_or_its_refusal_alone(as_role: AsRole, visit: Visit) -> None:
    client = as_role("clinician", language="fr")
    lesion = Lesion.objects.create(practice=visit.practice, patient=visit.patient, number=1)
    answered = post(client, visit, draw_triage("refer"), lesion=lesion.key, scripted=True)
    assert b"triage-refer" in answered.content
    assert b"<html" not in answered.content
    assert Picture.objects.get().lesion == lesion
    refused = post(client, visit, b"%PDF-1.7", scripted=True)
    assert refused.status_code == 400
    assert 'lang="fr">Attendu' in html.unescape(refused.content.decode())


def test_a_form_without_a_file_is_refused(as_role: AsRole, visit: Visit) -> None:
    response = post(as_role("clinician"), visit)
    assert response.status_code == 400
    assert "Expected a picture, got none." in html.unescape(response.content.decode())


def test_a_lesion_of_another_patient_is_not_found(as_role: AsRole, visit: Visit, practice: Practice) -> None:
    other = Patient.objects.create(practice=practice, name="Other")
    lesion = Lesion.objects.create(practice=practice, patient=other, number=1)
    assert post(as_role("clinician"), visit, draw_triage("refer"), lesion=lesion.key).status_code == 404


CHECKS = {
    "a good one": (draw_triage("urgent"), 200, "Good enough. Taken for: Skin lesion"),
    "a small one": (encode(draw_lesion(3, "mel", size=(88, 70))), 200, "its shorter side has 70 pixels"),
    "a broken one": (b"%PDF-1.7", 400, "Expected a picture"),
}


@pytest.mark.parametrize(("data", "status", "sentence"), CHECKS.values(), ids=CHECKS)
def test_a_picture_is_checked_before_and_nothing_of_it_is_kept(
    as_role: AsRole, data: bytes, status: int, sentence: str
) -> None:
    upload = {"file": SimpleUploadedFile("a", data), "task": "auto"}
    response = as_role("clinician").post(reverse("cases:check"), upload)
    assert response.status_code == status
    assert sentence in html.unescape(response.content.decode())
    assert not KeptFile.objects.exists()


def test_a_copy_is_judged_by_the_size_of_its_original(as_role: AsRole) -> None:
    upload = {"file": SimpleUploadedFile("a", draw_triage("urgent")), "task": "skin", "shorter_side_px": "60"}
    page = as_role("clinician").post(reverse("cases:check"), upload).content.decode()
    assert "its shorter side has 60 pixels" in page
    assert "data:image/jpeg" not in page


def test_what_the_browser_cannot_show_comes_back_small(as_role: AsRole) -> None:
    upload = {"file": SimpleUploadedFile("a", encode(draw_lesion(3, "mel", size=(800, 600)), "TIFF")), "task": "skin"}
    page = as_role("clinician").post(reverse("cases:check"), upload).content.decode()
    found = re.search(r'src="data:image/jpeg;base64,([^"]+)"', page)
    assert found
    with Image.open(io.BytesIO(base64.b64decode(found[1]))) as image:
        assert image.size == (320, 240)

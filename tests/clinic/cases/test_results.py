"""The page of a picture, and who may see it and its bytes."""

import html
import io
import re

import pytest
from django.http import HttpResponse
from django.urls import reverse
from PIL import Image

from secondlook.clinic.accounts.models import Practice
from secondlook.clinic.audit.models import Entry
from secondlook.clinic.cases.models import Lesion, Picture, Visit
from secondlook.clinic.cases.services import ask_again, remove_picture
from secondlook.clinic.files.store import delete_sealed
from tests.clinic.cases.conftest import SendPicture
from tests.clinic.conftest import AsRole
from tests.clinic.test_page import TITLES
from tests.site import SHOWS

ADDRESSES = ("cases:picture", "cases:shown", "cases:small")


def read(response: HttpResponse) -> str:
    """Return the text of a page as a reader has it."""
    return html.unescape(response.content.decode())


@pytest.mark.parametrize("triage", TITLES)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_page_says_what_the_try_it_page_says(
    send: SendPicture, as_role: AsRole, triage: str, language: str
) -> None:
    picture = send(triage, "skin")
    page = read(as_role("clinician", language=language).get(reverse("cases:picture", args=[picture.key])))
    title = TITLES[triage][language == "fr"]
    assert re.search(rf'<h1 id="answer-title"[^>]*>{title}</h1>', page)
    assert ("data:image/png;base64," in page) == ('id="heatmap"' in page) == (triage != "not_evaluable")
    assert len(re.findall(r'data-label="\w+" value="[\d.e-]+"', page)) == (0 if triage == "not_evaluable" else 7)
    assert f'href="/pictures/{picture.key}/shown.jpg"' in page
    assert picture.results.get().bundle_sha256[:16] in page
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|javascript:", page)


@pytest.mark.parametrize("task", SHOWS)
def test_every_task_has_its_page(send: SendPicture, as_role: AsRole, task: str) -> None:
    picture = send("refer", task)
    page = read(as_role("clinician").get(reverse("cases:picture", args=[picture.key])))
    assert ('id="outlined"' in page) == (task == "skin")
    assert "Taken for: <strong>" in page


def test_a_picture_of_nothing_known_can_be_said_to_be_something(send: SendPicture, as_role: AsRole) -> None:
    picture, client = send("not_evaluable"), as_role("clinician")
    page = read(client.get(reverse("cases:picture", args=[picture.key])))
    assert "If it is one of these, choose which:" in page
    client.post(reverse("cases:ask", args=[picture.key]), {"task": "chest"})
    picture.refresh_from_db()
    assert [result.task for result in picture.results.all()] == ["chest", "none"]


def test_earlier_answers_stay_within_reach(send: SendPicture, as_role: AsRole, actor: object) -> None:
    picture = ask_again(send("urgent", "skin"), actor=actor, task="knee")
    earlier = picture.results.last()
    client = as_role("clinician")
    page = read(client.get(reverse("cases:picture", args=[picture.key])))
    assert f"/results/{earlier.key}/" in page
    assert "This is an earlier answer." not in page
    page = read(client.get(reverse("cases:result", args=[earlier.key])))
    assert "What the lesion may be" in page
    assert "This is an earlier answer." in page


def test_an_answer_of_a_bundle_that_is_gone_is_shown_all_the_same(send: SendPicture, as_role: AsRole) -> None:
    result = send("urgent", "skin").results.get()
    result.bundle_sha256 = "0" * 64
    result.save()
    page = read(as_role("clinician").get(reverse("cases:result", args=[result.key])))
    assert "What the lesion may be" in page
    assert "Model card of" not in page


def test_a_picture_that_waits_or_failed_says_so(send: SendPicture, as_role: AsRole) -> None:
    picture, client = send("urgent", "skin"), as_role("clinician")
    picture.results.all().delete()
    Picture.objects.update(state="waiting")
    assert "its answer is being worked out" in read(client.get(reverse("cases:picture", args=[picture.key])))
    Picture.objects.update(state="failed", failure="The graph fails.", failure_french="Le graphe échoue.")
    assert '<p lang="en">The graph fails.' in read(client.get(reverse("cases:picture", args=[picture.key])))
    french = as_role(user=client.user, language="fr")  # type: ignore[attr-defined]
    assert '<p lang="fr">Le graphe échoue.' in read(french.get(reverse("cases:picture", args=[picture.key])))
    Picture.objects.update(failure_french="")
    assert '<p lang="en">The graph fails.' in read(french.get(reverse("cases:picture", args=[picture.key])))


def test_a_page_asks_until_its_picture_waits_no_more(send: SendPicture, as_role: AsRole) -> None:
    picture, client = send("urgent", "skin"), as_role("clinician")
    address, asked = reverse("cases:picture", args=[picture.key]), {"HX-Request": "true"}
    Picture.objects.update(state="waiting")
    page = read(client.get(address))
    assert f'hx-get="{address}"' in page
    assert f'href="{address}">Look again' in page
    entries = Entry.objects.count()
    response = client.get(address, headers=asked)
    assert (response.status_code, response.content, response.headers.get("HX-Refresh")) == (204, b"", None)
    for state in ("answered", "failed"):
        Picture.objects.update(state=state)
        assert client.get(address, headers=asked).headers["HX-Refresh"] == "true"
        assert "hx-get" not in read(client.get(address)).split("</header>")[1]
    assert Entry.objects.count() == entries + 2  # asking shows nothing, and is not written down


def test_the_bytes_are_a_jpeg_that_no_cache_keeps(send: SendPicture, as_role: AsRole) -> None:
    picture, client = send("urgent", "skin"), as_role("clinician")
    for name, size in (("cases:shown", (480, 360)), ("cases:small", (320, 240))):
        response = client.get(reverse(name, args=[picture.key]))
        assert response.headers["Content-Type"] == "image/jpeg"
        assert "no-store" in response.headers["Cache-Control"]
        with Image.open(io.BytesIO(response.content)) as image:
            assert image.size == size


def test_looking_is_written_down(send: SendPicture, as_role: AsRole) -> None:
    picture, client = send("urgent", "skin"), as_role("clinician")
    client.get(reverse("cases:picture", args=[picture.key]))
    client.get(reverse("cases:shown", args=[picture.key]))
    seen = Entry.objects.filter(user_id=client.user.pk).values_list("action", flat=True)  # type: ignore[attr-defined]
    assert {"result.seen", "picture.seen"} <= set(seen)


@pytest.mark.parametrize("name", ADDRESSES)
def test_nobody_else_sees_it(send: SendPicture, as_role: AsRole, client: object, name: str) -> None:
    picture = send("urgent", "skin")
    address = reverse(name, args=[picture.key])
    other = Practice.objects.create(name="Other")
    assert as_role("clinician", practice=other).get(address).status_code == 404
    assert as_role("patient").get(address).status_code == 404
    assert as_role("administrator").get(address).status_code in (302, 403)
    assert client.get(address).status_code == 302  # type: ignore[attr-defined]


def test_patients_see_their_own_without_the_doctors_tools(send: SendPicture, as_role: AsRole) -> None:
    picture, client = send("urgent", "skin"), as_role("patient")
    picture.patient.account = client.user  # type: ignore[attr-defined]
    picture.patient.save()
    page = read(client.get(reverse("cases:picture", args=[picture.key])))
    assert "No doctor has spoken on this picture yet." in page
    assert "I agree" not in page
    assert "Remove the picture" not in page
    assert "Ask your practice today" in page
    assert "Refer as a suspected" not in page
    assert client.post(reverse("cases:opinion", args=[picture.results.get().key])).status_code == 403


def test_removing_is_undone_by_a_button(send: SendPicture, as_role: AsRole) -> None:
    picture, client = send("urgent", "skin"), as_role("clinician")
    page = read(client.post(reverse("cases:remove_picture", args=[picture.key]), follow=True))
    assert "The picture was taken out of every list." in page
    assert client.get(reverse("cases:picture", args=[picture.key])).status_code == 404
    undo = reverse("cases:restore_picture", args=[picture.key])
    assert f'action="{undo}"' in page
    assert client.post(undo, follow=True).status_code == 200
    picture.refresh_from_db()
    assert picture.removed_at is None


def test_a_removed_picture_is_out_of_its_lesion(send: SendPicture, actor: object) -> None:
    picture = send("urgent", "skin")
    lesion = Lesion.objects.create(practice=picture.practice, patient=picture.patient, number=1)
    picture.lesion = lesion
    picture.save()
    lesion.repeat_latest()
    assert lesion.triage == "urgent"
    remove_picture(picture, actor=actor)
    lesion.refresh_from_db()
    assert lesion.triage == ""


def test_a_worse_retake_hides_no_urgent_answer(send: SendPicture, visit: Visit) -> None:
    lesion = Lesion.objects.create(practice=visit.practice, patient=visit.patient, number=1)
    for triage, shown in (("not_evaluable", "not_evaluable"), ("urgent", "urgent"), ("routine", "urgent")):
        send(triage, "skin", lesion=lesion)
        lesion.refresh_from_db()
        assert lesion.triage == shown
    send("not_evaluable", "skin", lesion=lesion)
    lesion.refresh_from_db()
    assert lesion.triage == "urgent"


def test_lost_bytes_are_a_refusal_in_words(send: SendPicture, as_role: AsRole) -> None:
    picture = send("urgent", "skin")
    delete_sealed(picture.shown)
    response = as_role("clinician").get(reverse("cases:shown", args=[picture.key]))
    assert response.status_code == 503
    assert "Restore it from a backup." in read(response)

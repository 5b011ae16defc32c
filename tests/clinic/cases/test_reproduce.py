"""A result is had again, to the last digit, from the pixels that were kept."""

import json

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse

from secondlook import load
from secondlook.clinic.accounts.actors import Actor
from secondlook.clinic.audit.models import Entry
from secondlook.clinic.cases.commands import reproduce
from secondlook.clinic.cases.models import Result, Visit
from secondlook.clinic.cases.results import describe_answer
from secondlook.clinic.cases.services import add_picture, ask_again, reproduce_result
from secondlook.clinic.look.services import answer_upload
from secondlook.errors import InputError
from tests.clinic.cases.conftest import SendPicture
from tests.clinic.conftest import AsRole
from tests.clinic.test_same_answer import PICTURES
from tests.site import SHOWS

FIELDS = ("logits", "probabilities", "risk", "triage", "outlier_score", "embedding", "heatmap", "outline", "reasons")


@pytest.mark.parametrize("name", PICTURES)
def test_a_kept_result_equals_the_try_it_page_and_the_predictor_to_the_last_digit(
    actor: Actor, visit: Visit, site_bundle: object, name: str
) -> None:
    data = PICTURES[name]()
    picture = add_picture(actor=actor, visit=visit, upload=ContentFile(data), task="skin", upload_key=name)
    result = picture.results.get()
    prediction = load(site_bundle).predict(data)
    assert result.logits == prediction.logits.tolist()
    assert result.probabilities == dict(prediction.probabilities)
    tried = describe_answer(answer_upload(ContentFile(data), task="skin"))
    for field in FIELDS:
        kept, fresh = getattr(result, field), tried[field]
        assert bytes(kept) == fresh if isinstance(fresh, bytes) else kept == json.loads(json.dumps(fresh)), field


@pytest.mark.parametrize(("task", "triage"), [(task, triage) for task in SHOWS for triage in SHOWS[task].pictures])
def test_every_kind_of_result_is_had_again(send: SendPicture, actor: Actor, task: str, triage: str) -> None:
    result = send(triage, task).results.get()
    assert result.triage == triage
    assert reproduce_result(result, actor=actor).differing == ()
    assert Entry.objects.filter(action="result.reproduced", key=result.key).exists()


def test_results_that_the_router_led_to_and_refused_are_had_again(send: SendPicture) -> None:
    led, refused = send("refer").results.get(), send("not_evaluable").results.get()
    assert led.route["nearest"] == led.task == "skin"
    assert refused.task == "none"
    assert reproduce_result(led).identical
    assert reproduce_result(refused).identical


def test_what_differs_is_named(send: SendPicture) -> None:
    result = send("urgent", "skin").results.get()
    result.logits[0] += 1e-6
    result.save()
    assert reproduce_result(result).differing == ("logits",)


def test_a_changed_pixel_is_noticed(send: SendPicture) -> None:
    first, second = send("urgent", "skin"), send("refer", "skin")
    result = first.results.get()
    first.seen = second.seen
    first.save()
    result.refresh_from_db()
    assert {"logits", "embedding", "heatmap", "probabilities"} <= set(reproduce_result(result).differing)


def test_another_bundle_is_refused_by_name(send: SendPicture) -> None:
    result = send("urgent", "skin").results.get()
    result.bundle_sha256 = "0" * 64
    result.save()
    with pytest.raises(InputError, match=r"Expected the bundle that gave the result, tiny .* \(0{16}\)"):
        reproduce_result(result)


def test_asking_for_another_task_keeps_the_answer_before(send: SendPicture, actor: Actor) -> None:
    picture = ask_again(send("urgent", "skin"), actor=actor, task="chest")
    assert [result.task for result in picture.results.all()] == ["chest", "skin"]
    assert picture.task == "chest"
    assert all(reproduce_result(result).identical for result in picture.results.all())


def test_the_button_tells_what_came_out(send: SendPicture, as_role: AsRole) -> None:
    result: Result = send("urgent", "skin").results.get()
    page = as_role("clinician").post(reverse("cases:reproduce", args=[result.key]), follow=True).content.decode()
    assert "Asked once more: the same answer, to the last digit." in page


def test_the_command_says_the_same(send: SendPicture, site_bundle: object) -> None:
    result = send("urgent", "skin").results.get()
    assert reproduce(result.key, None) == "The same answer from tiny 0.0.1, to the last digit: skin, urgent."
    Result.objects.update(risk=0.5)
    with pytest.raises(InputError, match=r"different: risk\. It was kept by version"):
        reproduce(result.key, str(site_bundle))
    with pytest.raises(InputError, match="Expected the key of an answer"):
        reproduce("none", None)

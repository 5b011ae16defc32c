"""Similar cases come from the practice's own confirmed pictures, of other patients alone."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from django.urls import reverse
from django.utils import timezone

from secondlook.clinic.accounts.actors import Actor, find_actor
from secondlook.clinic.accounts.models import Practice
from secondlook.clinic.cases.models import Patient, Picture, Result
from secondlook.clinic.cases.services import give_opinion
from secondlook.clinic.timeline import similar
from secondlook.clinic.timeline.similar import SHOWN, find_similar
from tests.clinic.cases.conftest import MakePatient, MakePicture, SendPicture
from tests.clinic.cases.conftest import send as send
from tests.clinic.conftest import AsRole, MakePerson

Judge = Callable[..., Result]
HERE = np.eye(8)[0]


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """Let every test begin with nothing in memory: the rows of the last one are gone, their numbers come again."""
    similar._sets.clear()
    yield
    similar._sets.clear()


@pytest.fixture
def judge(make_picture: MakePicture) -> Judge:
    """Return ``judge(patient, away=0.0, label=None, **fields)``: a picture at that distance, confirmed if labelled."""

    def add(patient: Patient, *, away: float = 0.0, label: str = "", **fields: Any) -> Result:
        picture = make_picture(patient, **({"confirmed_label": label} | fields))
        values = HERE + away * np.eye(8)[1]
        return Result.objects.create(
            practice_id=picture.practice_id,
            picture=picture,
            bundle_sha256="a" * 64,
            software="0",
            task=picture.task,
            label="nv",
            triage=picture.triage,
            embedding=values.astype("<f4").tobytes(),
            seconds=0.1,
        )

    return add


def list_found(actor: Actor, result: Result) -> list[Picture]:
    return [one.picture for one in find_similar(actor, result)]


def test_the_nearest_come_first_and_only_confirmed_ones_of_others(
    actor: Actor, make_patient: MakePatient, judge: Judge, practice: Practice
) -> None:
    own, other = make_patient("Own"), make_patient("Other")
    asked = judge(own)
    far, near = judge(other, away=0.5, label="mel"), judge(other, away=0.1, label="nv")
    judge(own, label="nv")
    judge(other)
    judge(other, label="nv", triage="not_evaluable")
    strange = make_patient("Strange", practice=Practice.objects.create(name="Practice by the sea"))
    judge(strange, label="nv")
    assert list_found(actor, asked) == [near.picture, far.picture]
    shown = find_similar(actor, asked)
    assert [(one.name, one.alarming, one.similarity) for one in shown] == [
        ("Melanocytic nevus", False, "1.00"),
        ("Melanoma", True, "0.89"),
    ]


def test_of_a_lesion_one_picture_is_shown(actor: Actor, make_patient: MakePatient, judge: Judge) -> None:
    asked = judge(make_patient("Own"))
    other = make_patient("Other", lesions=1)
    lesion = other.lesions.get()
    nearest = judge(other, away=0.1, label="nv", lesion=lesion)
    judge(other, away=0.2, label="nv", lesion=lesion)
    assert list_found(actor, asked) == [nearest.picture]


def test_no_more_than_five_are_shown(actor: Actor, make_patient: MakePatient, judge: Judge) -> None:
    asked, other = judge(make_patient("Own")), make_patient("Other")
    confirmed = [judge(other, away=away, label="nv") for away in np.linspace(0.1, 0.9, SHOWN + 3)]
    assert list_found(actor, asked) == [one.picture for one in confirmed[:SHOWN]]


def test_many_pictures_of_the_same_patient_do_not_hide_the_others(
    actor: Actor, make_patient: MakePatient, judge: Judge
) -> None:
    own = make_patient("Own")
    asked = judge(own)
    for _ in range(similar.FIRST_LOOK):
        judge(own, label="nv")
    far = judge(make_patient("Other"), away=0.5, label="nv")
    assert list_found(actor, asked) == [far.picture]


def test_a_new_opinion_counts_at_once(actor: Actor, make_patient: MakePatient, judge: Judge) -> None:
    asked, other = judge(make_patient("Own")), judge(make_patient("Other"), away=0.1)
    first = judge(make_patient("First"), away=0.3, label="nv")
    assert list_found(actor, asked) == [first.picture]
    give_opinion(actor=actor, result=other, verdict="histology", label="bcc", note="")
    found = find_similar(actor, asked)
    assert [one.picture for one in found] == [other.picture, first.picture]
    assert found[0].histology
    assert not found[1].histology
    give_opinion(actor=actor, result=first, verdict="cannot_tell", label="", note="")
    assert list_found(actor, asked) == [other.picture]


def test_a_removed_picture_is_gone_at_once(actor: Actor, make_patient: MakePatient, judge: Judge) -> None:
    asked, other = judge(make_patient("Own")), judge(make_patient("Other"), away=0.1, label="nv")
    assert list_found(actor, asked) == [other.picture]
    Picture.objects.filter(pk=other.picture.pk).update(removed_at=timezone.now())
    assert list_found(actor, asked) == []


def test_nothing_is_older_than_an_hour(
    actor: Actor, make_patient: MakePatient, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, other = judge(make_patient("Own")), judge(make_patient("Other"), away=0.1, label="nv")
    assert list_found(actor, asked) == [other.picture]
    Result.objects.filter(pk=other.pk).delete()
    cases = similar.open_cases(actor.practice.pk, "a" * 64)
    assert len(cases) == 1
    monkeypatch.setattr(similar, "OLDEST_S", 0)
    assert list_found(actor, asked) == []
    assert len(cases) == 0


def test_patients_are_shown_none(
    actor: Actor, make_patient: MakePatient, judge: Judge, make_person: MakePerson
) -> None:
    asked = judge(make_patient("Own"))
    judge(make_patient("Other"), label="nv")
    person = find_actor(make_person("patient"))
    assert person is not None
    assert find_similar(person, asked) == []
    assert find_similar(actor, asked) != []


def test_the_page_of_a_picture_shows_them(
    send: SendPicture, actor: Actor, as_role: AsRole, make_patient: MakePatient, judge: Judge
) -> None:
    result = send("refer", "skin").results.get()
    like = judge(make_patient("Other"), label="mel")
    Result.objects.filter(pk=like.pk).update(bundle_sha256=result.bundle_sha256, embedding=result.embedding)
    page = as_role("clinician").get(reverse("cases:picture", args=[result.picture.key])).content.decode()
    assert "Similar confirmed cases of this practice" in page
    assert reverse("cases:picture", args=[like.picture.key]) in page

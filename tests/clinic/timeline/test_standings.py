"""The lesion that differs from the patient's others is named, and never from too few."""

from collections.abc import Callable

import numpy as np
import pytest
from django.urls import reverse

from secondlook.clinic.accounts.actors import Actor
from secondlook.clinic.cases.models import Lesion, Patient, Result
from secondlook.clinic.timeline.standings import rank_lesions
from tests.clinic.cases.conftest import MakePatient, MakePicture
from tests.clinic.conftest import AsRole

Judge = Callable[..., Result]


@pytest.fixture
def judge(make_picture: MakePicture) -> Judge:
    """Return ``judge(lesion, odd=False, **fields)``: a picture of the lesion and the answer to it, by rows alone."""

    def add(lesion: Lesion, *, odd: bool = False, bundle: str = "a" * 64, **fields: str) -> Result:
        picture = make_picture(lesion.patient, lesion=lesion, **fields)
        values = np.random.default_rng(picture.pk).normal(0, 1, 16) + (8 if odd else 0)
        return Result.objects.create(
            practice_id=picture.practice_id,
            picture=picture,
            bundle_sha256=bundle,
            software="0",
            task=picture.task,
            triage=picture.triage,
            embedding=values.astype("<f4").tobytes(),
            seconds=0.1,
        )

    return add


@pytest.fixture
def patient(make_patient: MakePatient) -> Patient:
    """Return a patient with six lesions."""
    return make_patient(lesions=6)


def test_the_odd_one_stands_out(patient: Patient, judge: Judge, actor: Actor, as_role: AsRole) -> None:
    lesions = list(patient.lesions.order_by("number"))
    for lesion in lesions:
        judge(lesion, odd=lesion.number == 4)
    standings = rank_lesions(actor, lesions[3])
    assert standings.shown[0].lesion == lesions[3]
    assert [one.lesion.number for one in standings.shown if one.standing.stands_out] == [4]
    assert standings.here is standings.shown[0]
    page = as_role("clinician").get(reverse("timeline:lesion", args=[lesions[3].key])).content.decode()
    assert "This lesion stands out" in page
    other = as_role("clinician").get(reverse("timeline:lesion", args=[lesions[0].key])).content.decode()
    assert "This lesion does not stand out" in other


def test_too_few_lesions_say_nothing(patient: Patient, judge: Judge, actor: Actor, as_role: AsRole) -> None:
    lesions = list(patient.lesions.order_by("number"))
    for lesion in lesions[:4]:
        judge(lesion)
    judge(lesions[4], bundle="b" * 64)  # another model's embeddings cannot be compared
    judge(lesions[5], triage="not_evaluable")
    standings = rank_lesions(actor, lesions[0])
    assert standings.shown == ()
    assert standings.counted == 4
    page = as_role("clinician").get(reverse("timeline:lesion", args=[lesions[0].key])).content.decode()
    assert "from 5 lesions on" in page
    assert "there are 4" in page


def test_the_latest_picture_counts_and_removed_ones_do_not(patient: Patient, judge: Judge, actor: Actor) -> None:
    lesions = list(patient.lesions.order_by("number"))
    for lesion in lesions:
        judge(lesion, odd=lesion.number == 2)
    calm = judge(lesions[1])
    assert not rank_lesions(actor, lesions[1]).shown[0].standing.stands_out
    calm.picture.removed_at = calm.created_at
    calm.picture.save()
    assert rank_lesions(actor, lesions[1]).shown[0].lesion == lesions[1]
    Lesion.objects.filter(pk=lesions[5].pk).update(removed_at=calm.created_at)
    assert rank_lesions(actor, lesions[1]).counted == 5

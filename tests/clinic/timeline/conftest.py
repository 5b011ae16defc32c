"""Lesions that are followed: pictures of a drawn one on several days, sent as a person sends them."""

import math
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from PIL import Image

from secondlook.clinic.accounts.actors import Actor
from secondlook.clinic.cases.models import Lesion, Patient, Picture, Visit
from secondlook.clinic.cases.services import add_picture
from tests.clinic.cases.conftest import actor, make_patient, make_picture, visit  # noqa: F401 - fixtures
from tests.drawing import draw_lesion, encode

Follow = Callable[..., Picture]


@pytest.fixture
def lesion(actor: Actor) -> Lesion:  # noqa: F811 - the fixture
    """Return a lesion of a patient whose reports are in French."""
    patient = Patient.objects.create(practice=actor.practice, name="P-1", language="fr")
    return Lesion.objects.create(
        practice=actor.practice, patient=patient, number=1, side="front", site="chest", x=0.5, y=0.3
    )


@pytest.fixture
def follow(actor: Actor, lesion: Lesion, site: Path) -> Follow:  # noqa: F811 - the fixture
    """Return ``follow(day, growth=1.0, turn=0, seed=2, **fields)``: a picture of the lesion on a day of May 2026."""

    def take(day: int, *, growth: float = 1.0, turn: float = 0.0, seed: int = 2, **fields: Any) -> Picture:
        on = date(2026, 5, day)
        facts = {"practice": actor.practice, "patient": lesion.patient, "date": on}
        seen, _ = Visit.objects.get_or_create(**facts)
        drawn = draw_lesion(seed, "nv", size=(560, 420), growth=0.8 * math.sqrt(growth))
        turned = drawn.rotate(turn, Image.Resampling.BICUBIC).crop((40, 30, 520, 390))
        picture = add_picture(
            actor=actor,
            visit=seen,
            lesion=lesion,
            upload=ContentFile(encode(turned, quality=92)),
            task="skin",
            upload_key=f"followed-{Picture.objects.count()}",
        )
        if fields:
            Picture.objects.filter(pk=picture.pk).update(**fields)
            picture.refresh_from_db()
        return picture

    return take

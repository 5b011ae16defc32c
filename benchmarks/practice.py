"""A practice with 100,000 pictures in its database, for benchmarks: inserted in bulk, without files.

Every answer is one real answer to a drawn picture, so that rows are as long as real ones; who is answered how is drawn.
"""

import os
import random
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np

from secondlook.imaging.drawing import draw_lesion
from tests.drawing import encode

PICTURES_PER_VISIT, VISITS_PER_PATIENT = 2, 5
DIMENSIONS = 256
OTHER_PRACTICE = 10  # one picture of so many belongs to another practice
TRIAGES = {"routine": 80, "refer": 12, "urgent": 5, "not_evaluable": 3}
LABELS = {"nv": 67, "bkl": 11, "mel": 11, "bcc": 5, "akiec": 3, "vasc": 2, "df": 1}
NAMES = ("Ann", "Bob", "Chloé", "Dan", "Eva", "Finn", "Gül", "Hanna", "Igor", "Jo")


def set_up(folder: Path) -> None:
    """Set the site up on the database in a folder."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "secondlook.clinic.settings",
        "SECONDLOOK_DATA_FOLDER": str(folder),
        "SECONDLOOK_REQUESTS_PER_MINUTE": "60000",  # of the token that benchmarks ask with
    }
    import django

    django.setup(set_prefix=False)


def fill_site(folder: Path, pictures: int) -> None:
    """Make a site with two practices, a doctor who is all that one can be, and so many pictures."""
    set_up(folder)
    from secondlook.clinic.accounts.models import Practice, Role, User
    from secondlook.clinic.preparation import prepare_site

    prepare_site()
    practices = [Practice.objects.create(name=name) for name in ("Lake", "Hill")]
    user = User.objects.create_user("doctor@example.org", first_name="Ann", last_name="Roe")
    for role in (Role.CLINICIAN, Role.REVIEWER, Role.ADMINISTRATOR):
        user.memberships.create(practice=practices[0], role=role)
    fill_database(pictures, random.Random(7))  # noqa: S311 - nothing here is secret


def fill_database(pictures: int, rng: random.Random) -> None:
    """Insert practices' worth of records, the pictures in a mixture as of real life."""
    from django.db import connection

    from secondlook.clinic.accounts.models import Practice
    from secondlook.clinic.audit.models import Entry
    from secondlook.clinic.cases.models import Lesion, Opinion, Patient, Picture, Result, Visit

    practices = list(Practice.objects.order_by("pk"))
    per_patient = PICTURES_PER_VISIT * VISITS_PER_PATIENT
    keep(Patient, make_patients(practices, pictures // per_patient, rng))
    patients = list(Patient.objects.order_by("pk"))
    keep(Lesion, make_lesions(patients))
    keep(Visit, make_visits(patients, rng))
    lesions = {(lesion.patient_id, lesion.number): lesion for lesion in Lesion.objects.all()}
    keep(Picture, make_pictures(Visit.objects.order_by("pk"), lesions, rng))
    keep(Result, make_results(np.random.default_rng(3)))
    keep(Opinion, make_opinions(rng))
    keep(Entry, make_entries())
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE cases_lesion SET (task, label, triage, pictured_on) = (SELECT task, label, triage, taken_on "
            "FROM cases_picture WHERE lesion_id = cases_lesion.id ORDER BY taken_on DESC, id DESC LIMIT 1)"
        )
        cursor.execute("ANALYZE")  # as the site does every hour


def keep(model: Any, rows: Iterable[Any]) -> None:
    """Insert rows, some thousands at a time."""
    left = iter(rows)
    while some := list(islice(left, 5000)):
        model.objects.bulk_create(some)


def make_patients(practices: list[Any], number: int, rng: random.Random) -> Iterator[Any]:
    """Make patients; a tenth of them are another practice's."""
    from django.utils import timezone

    from secondlook.clinic.cases.models import Patient, fold_name

    for place in range(number):
        name = f"{rng.choice(NAMES)} {rng.choice(NAMES)}sen {place}"
        yield Patient(
            practice=practices[place % OTHER_PRACTICE == 0],
            name=name,
            folded_name=fold_name(name),
            created_at=timezone.now() - timedelta(minutes=number - place),
        )


def make_lesions(patients: list[Any]) -> Iterator[Any]:
    """Make two lesions for each patient."""
    from secondlook.clinic.cases.models import Lesion

    for patient in patients:
        for number in range(1, PICTURES_PER_VISIT + 1):
            yield Lesion(
                practice_id=patient.practice_id,
                patient=patient,
                number=number,
                side="front",
                site="chest",
                x=0.5,
                y=0.3,
            )


def make_visits(patients: list[Any], rng: random.Random) -> Iterator[Any]:
    """Make visits over five years."""
    from django.utils import timezone

    from secondlook.clinic.cases.models import Visit

    today = timezone.localdate()
    for _visit in range(VISITS_PER_PATIENT):
        for patient in patients:
            yield Visit(
                practice_id=patient.practice_id, patient=patient, date=today - timedelta(days=rng.randrange(1800))
            )


def make_pictures(visits: Iterable[Any], lesions: dict[tuple[int, int], Any], rng: random.Random) -> Iterator[Any]:
    """Make answered pictures, most of them reviewed; a few of the urgent ones nobody has acknowledged yet."""
    from django.utils import timezone

    from secondlook.clinic.cases.models import Picture

    now, upload = timezone.now(), count()
    for visit in visits:
        for number in range(1, PICTURES_PER_VISIT + 1):
            place = next(upload)
            reviewed = rng.random() < 0.9
            yield Picture(
                practice_id=visit.practice_id,
                patient_id=visit.patient_id,
                visit=visit,
                lesion=lesions[visit.patient_id, number],
                shown="shown",
                seen="seen",
                width=800,
                height=600,
                sha256="0" * 64,
                upload_key=f"upload-{place}",
                taken_on=visit.date,
                created_at=now - timedelta(seconds=60 * 100_000 - 60 * place),
                state="answered",
                task="skin",
                label=rng.choices(list(LABELS), list(LABELS.values()))[0],
                triage=rng.choices(list(TRIAGES), list(TRIAGES.values()))[0],
                risk=rng.random() ** 4,
                reviewed=reviewed,
                disagreed=reviewed and rng.random() < 0.05,
                acknowledged_at=now if place % 200 else None,
            )


def answer_drawn() -> dict[str, Any]:
    """Return the fields of the default bundle's answer to a drawn lesion."""
    from secondlook.clinic.cases.results import describe_answer
    from secondlook.clinic.look.services import answer_picture, choose_predictor

    return describe_answer(answer_picture(encode(draw_lesion(7, "mel", size=(800, 600))), choose_predictor("skin")))


def make_results(rng: np.random.Generator) -> Iterator[Any]:
    """Make an answer for each picture, its embedding near those of the same label."""
    from secondlook.clinic.cases.models import Picture, Result

    fields = answer_drawn()
    centres = {label: 2 * rng.normal(size=DIMENSIONS) for label in LABELS}
    for picture in Picture.objects.only("practice", "label", "triage", "risk").iterator():
        said: dict[str, Any] = {"label": picture.label, "triage": picture.triage, "risk": picture.risk}
        embedding = centres[picture.label] + rng.normal(size=DIMENSIONS)
        said["embedding"] = embedding.astype("<f4").tobytes()
        yield Result(practice_id=picture.practice_id, picture=picture, **fields | said)


def make_opinions(rng: random.Random) -> Iterator[Any]:
    """Make a doctor's word on each picture that one has spoken on."""
    from secondlook.clinic.accounts.models import User
    from secondlook.clinic.cases.models import Opinion, Result

    author = User.objects.get()
    spoken = Result.objects.filter(picture__reviewed=True).select_related("picture").defer("embedding", "heatmap")
    for result in spoken.iterator():
        disagreed = result.picture.disagreed
        yield Opinion(
            practice_id=result.practice_id,
            picture=result.picture,
            result=result,
            author=author,
            verdict="correct" if disagreed else "agree",
            label=rng.choice(list(LABELS)) if disagreed else result.label,
        )


def make_entries() -> Iterator[Any]:
    """Make an entry of the audit log for each picture; their seals are none."""
    from secondlook.clinic.accounts.models import User
    from secondlook.clinic.audit.models import Entry
    from secondlook.clinic.cases.models import Picture

    user = User.objects.get()
    for number, picture in enumerate(Picture.objects.only("key", "practice").iterator(), start=1):
        yield Entry(
            number=number,
            user_id=user.pk,
            practice_id=picture.practice_id,
            action="picture.seen",
            kind="picture",
            key=picture.key,
            seal="0" * 64,
        )

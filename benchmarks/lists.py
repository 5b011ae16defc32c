"""Server time of every list of the clinic with 100,000 pictures in the database, and the memory of the process.

The rows are inserted in bulk, without files: lists read none. Each address is asked by Django's test client through the
whole middleware, as a clinician who is logged in.
"""

import argparse
import multiprocessing
import os
import random
import re
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.test import Client

PICTURES_PER_VISIT, VISITS_PER_PATIENT = 2, 5
OTHER_PRACTICE = 10  # one picture of so many belongs to another practice
TRIAGES = {"routine": 80, "refer": 12, "urgent": 5, "not_evaluable": 3}
LABELS = {"nv": 67, "bkl": 11, "mel": 11, "bcc": 5, "akiec": 3, "vasc": 2, "df": 1}
NAMES = ("Ann", "Bob", "Chloé", "Dan", "Eva", "Finn", "Gül", "Hanna", "Igor", "Jo")
LONGEST_MS = 100
LARGEST_MB = 400


def set_up(folder: Path) -> None:
    """Set the site up on the database in a folder."""
    os.environ |= {"DJANGO_SETTINGS_MODULE": "secondlook.clinic.settings", "SECONDLOOK_DATA_FOLDER": str(folder)}
    import django

    django.setup(set_prefix=False)


def log_in() -> "Client":
    """Return a browser in which a doctor is logged in who is all that lists may ask for."""
    from django.test import Client

    from secondlook.clinic.accounts.models import User
    from secondlook.clinic.accounts.sessions import PROVEN

    client = Client(headers={"accept-language": "en"}, SERVER_NAME="localhost")
    client.force_login(User.objects.get())
    session = client.session
    session[PROVEN] = True
    session.save()
    return client


def fill_site(folder: Path, pictures: int) -> None:
    """Make a site with two practices, a doctor and so many pictures."""
    set_up(folder)
    from secondlook.clinic.accounts.models import Practice, Role, User
    from secondlook.clinic.preparation import prepare_site

    prepare_site()
    practices = [Practice.objects.create(name=name) for name in ("Lake", "Hill")]
    user = User.objects.create_user("doctor@example.org", first_name="Ann", last_name="Roe")
    for role in (Role.CLINICIAN, Role.REVIEWER):
        user.memberships.create(practice=practices[0], role=role)
    fill_database(pictures, random.Random(7))  # noqa: S311 - nothing here is secret


def fill_database(pictures: int, rng: random.Random) -> None:
    """Insert practices' worth of patients, lesions, visits and pictures, the pictures in a mixture as of real life."""
    from django.db import connection

    from secondlook.clinic.accounts.models import Practice
    from secondlook.clinic.cases.models import Lesion, Patient, Picture, Visit

    practices = list(Practice.objects.order_by("pk"))
    per_patient = PICTURES_PER_VISIT * VISITS_PER_PATIENT
    keep(Patient, make_patients(practices, pictures // per_patient, rng))
    patients = list(Patient.objects.order_by("pk"))
    keep(Lesion, make_lesions(patients))
    keep(Visit, make_visits(patients, rng))
    lesions = {(lesion.patient_id, lesion.number): lesion for lesion in Lesion.objects.all()}
    keep(Picture, make_pictures(Visit.objects.order_by("pk"), lesions, rng))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE cases_lesion SET (task, label, triage, pictured_on) = (SELECT task, label, triage, taken_on "
            "FROM cases_picture WHERE lesion_id = cases_lesion.id ORDER BY taken_on DESC, id DESC LIMIT 1)"
        )


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


ADDRESSES = {
    "patients": "/patients/",
    "patients by name": "/patients/?text=chloe+7",
    "patients, no such name": "/patients/?text=zzz",
    "patients, newest": "/patients/?sort=new",
    "patients with an urgent result": "/patients/?triage=urgent",
    "lesions": "/lesions/",
    "lesions, urgent": "/lesions/?triage=urgent",
    "lesions, label and dates": "/lesions/?label=skin:df&since=2024-01-01&until=2024-06-30",
    "lesions by patient": "/lesions/?text=gul+77",
    "results": "/results/",
    "results, oldest": "/results/?sort=old",
    "results, highest probability": "/results/?sort=risk",
    "results, urgent": "/results/?triage=urgent",
    "results, rare mixture": "/results/?triage=urgent&label=skin:df&review=disagreed",
    "results that fit nothing": "/results/?triage=urgent&label=skin:df&review=disagreed&until=1999-01-01",
    "results by date": "/results/?since=2023-03-01&until=2023-03-07",
    "results waiting for review": "/results/?review=waiting",
    "results where doctor and model disagree": "/results/?review=disagreed",
    "results by patient": "/results/?text=igor+42",
    "results of half the patients": "/results/?text=sen+1&triage=refer",
    "review queue": "/review/",
    "home": "/",
}


def measure_addresses(client: "Client", rounds: int) -> dict[str, tuple[float, float]]:
    """Return the 95th percentiles of each address's milliseconds by the clock, and of the processor's; in turns."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in ADDRESSES}
    for turn in range(rounds + 1):
        for name, address in ADDRESSES.items():
            start = time.perf_counter(), time.thread_time()
            response = client.get(address)
            spent = 1000 * (time.perf_counter() - start[0]), 1000 * (time.thread_time() - start[1])
            assert response.status_code == 200, f"{address}: {response.status_code}"
            if turn:  # the first warms templates and caches up
                times[name].append(spent)
    return {
        name: (statistics.quantiles(wall, n=20)[-1], statistics.quantiles(cpu, n=20)[-1])
        for name, (wall, cpu) in ((name, tuple(zip(*spent, strict=True))) for name, spent in times.items())
    }


def walk_pages(client: "Client", pages: int) -> float:
    """Go through the results page by page, and return the slowest page's milliseconds of the processor."""
    address, slowest = "/results/?triage=routine", 0.0
    for _page in range(pages):
        start = time.thread_time()
        content = client.get(address).content.decode()
        slowest = max(slowest, 1000 * (time.thread_time() - start))
        onward = re.search(r'rel="next" href="([^"]+)"', content)
        assert onward, f"{address} has no next page"
        address = onward[1].replace("&amp;", "&")
    return slowest


def run(_bundle: Path | None = None, *, rounds: int = 20, pictures: int = 100_000, folder: Path | None = None) -> None:
    """Fill a database, then measure every list, each in a process of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        place = folder or Path(scratch)
        if not (place / "secondlook.sqlite3").exists():
            run_apart(fill_site, place, pictures)
        run_apart(measure_site, place, rounds)


def run_apart(work: Callable[..., None], *arguments: Any) -> None:
    """Do something in a process of its own, whose memory is then its own too."""
    process = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
    process.start()
    process.join()
    assert process.exitcode == 0, f"{work.__name__} failed"


def measure_site(folder: Path, rounds: int) -> None:
    """Print what every list takes in a web process with its models loaded."""
    set_up(folder)
    from secondlook.clinic.cases.models import Picture
    from secondlook.clinic.look.predictors import start_loading

    start_loading().result()
    client = log_in()
    print(f"\nLists of the clinic, {Picture.objects.count():,} pictures in SQLite")
    for name, (wall, cpu) in measure_addresses(client, rounds).items():
        verdict = "" if wall <= LONGEST_MS else "   TOO SLOW"
        print(f"  {name:<42}  p95 {wall:6.1f} ms by the clock, {cpu:5.1f} ms of the processor{verdict}")
    print(f"  {'the slowest of 40 pages in a row':<42}  {walk_pages(client, 40):27.1f} ms of the processor")
    peak = read_peak_mb()
    print(f"  memory of the process, its models loaded: {peak:.0f} MB{'   TOO LARGE' if peak > LARGEST_MB else ''}")


def read_peak_mb() -> float:
    """Return the most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Run with options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20, help="how often each list is asked for")
    parser.add_argument("--pictures", type=int, default=100_000, help="rows in the database")
    parser.add_argument("--folder", type=Path, help="a site that was filled before, or where it is kept for next time")
    options = parser.parse_args()
    run(rounds=options.rounds, pictures=options.pictures, folder=options.folder)


if __name__ == "__main__":
    main()

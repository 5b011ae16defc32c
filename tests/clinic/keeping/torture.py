"""A site that is killed over and over: uploads and erasures go on in a process that ends at any moment.

    python -m tests.clinic.keeping.torture kill --rounds 50
    python -m tests.clinic.keeping.torture crowd --people 50
    python -m tests.clinic.keeping.torture lease
    python -m tests.clinic.keeping.torture reproduce
    python -m tests.clinic.keeping.torture invite --people 50
    python -m tests.clinic.keeping.torture settle

Each prints what it found as JSON; nothing of it is judged here. The database and the store are those of the settings.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import django

django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402 - after Django
from django.db import connection, connections, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from secondlook.clinic.accounts.actors import Actor, find_actor  # noqa: E402
from secondlook.clinic.accounts.models import Practice, Role, User  # noqa: E402
from secondlook.clinic.api.models import Scope  # noqa: E402
from secondlook.clinic.api.services import make_token  # noqa: E402
from secondlook.clinic.audit.chain import prove_chain  # noqa: E402
from secondlook.clinic.audit.models import Entry  # noqa: E402
from secondlook.clinic.cases.models import Patient, Picture, Visit  # noqa: E402
from secondlook.clinic.cases.services import add_picture, reproduce_result  # noqa: E402
from secondlook.clinic.files.models import KeptFile  # noqa: E402
from secondlook.clinic.files.services import read_file, sweep_files  # noqa: E402
from secondlook.clinic.files.store import list_sealed  # noqa: E402
from secondlook.clinic.jobs.models import Job, JobState  # noqa: E402
from secondlook.clinic.jobs.services import Lease, enqueue_job, handles, run_due_jobs  # noqa: E402
from secondlook.clinic.keeping.erasure import erase_pictures  # noqa: E402
from secondlook.clinic.keeping.inspection import inspect_files  # noqa: E402
from secondlook.clinic.look.predictors import find_predictor  # noqa: E402
from secondlook.clinic.preparation import make_tables  # noqa: E402
from tests.site import draw_triage  # noqa: E402

NOW = timedelta(0)
FORKED = "tortured"
DRAWN = [draw_triage(triage, size=(240, 180)) for triage in ("urgent", "refer", "routine")]


def make_doctor(number: int = 0) -> tuple[Actor, Visit]:
    """Return somebody who sends pictures, and a visit to send them to."""
    practice = Practice.objects.first() or Practice.objects.create(name="By the lake", keep_originals=True)
    user = User.objects.create_user(f"doctor{number}@example.org", first_name="Alex", last_name="Roe")
    user.memberships.create(practice=practice, role=Role.CLINICIAN)
    patient = Patient.objects.create(practice=practice, name=f"Patient {number}")
    actor = find_actor(user)
    assert actor
    return actor, Visit.objects.create(practice=practice, patient=patient, date=date(2026, 1, 2))


def run_threads(count: int, work: Callable[[int], None]) -> list[str]:
    """Do the work in threads at once, and return what failed."""
    faults: list[str] = []

    def run(number: int) -> None:
        try:
            work(number)
        except Exception as error:  # noqa: BLE001 - counted by who called
            faults.append(repr(error))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return faults


def fork(work: Callable[[], None]) -> int:
    """Have another process do the work, and return its number."""
    connections.close_all()
    if hasattr(connection, "close_pool"):
        connection.close_pool()  # a process cannot take over the connections of another
    pid = os.fork()
    if pid == 0:
        os.environ["PGAPPNAME"] = FORKED  # what PostgreSQL knows its connections by
        try:
            work()
        finally:
            os._exit(0)
    return pid


def wait_until_gone() -> None:
    """Wait until the database has ended what a killed process had asked it for; SQLite works in the process itself."""
    if connection.vendor != "postgresql":
        return
    asked = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s"
    with connection.cursor() as cursor:
        while cursor.execute(asked, [FORKED]).fetchone():
            time.sleep(0.01)


def send_and_erase(actor: Actor, visit: Visit, pipe: int, name: str) -> None:
    """Send pictures, three at once, and erase some, until killed; say what is done, and what is about to go."""

    def say(word: str, key: str) -> None:
        os.write(pipe, f"{word} {key}\n".encode())

    def work(thread: int) -> None:
        chance = random.Random(f"{name} {thread}")  # noqa: S311 - not a secret
        for number in range(1000):
            data = DRAWN[(thread + number) % len(DRAWN)]
            picture = add_picture(
                actor=actor, visit=visit, upload=data, task="skin", upload_key=f"{name}-{thread}-{number}"
            )
            say("kept", picture.key)
            if chance.random() < 0.3:
                say("going", picture.key)
                erase_pictures([picture])
                say("gone", picture.key)

    run_threads(3, work)


def kill(rounds: int, seed: int) -> dict[str, Any]:
    """Kill a process at random moments and look each time at what it left."""
    chance = random.Random(seed)  # noqa: S311 - not a secret
    actor, visit = make_doctor()
    kept, going, gone = set[str](), set[str](), set[str]()
    missing = orphans = unreadable = 0
    lived, left = [], 0
    for number in range(rounds):
        reader, writer = os.pipe()
        pid = fork(lambda name=f"{seed}-{number}", pipe=writer: send_and_erase(actor, visit, pipe, name))
        os.close(writer)
        said = os.read(reader, 1)
        time.sleep(chance.uniform(0, 0.4))
        started = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        while part := os.read(reader, 65536):
            said += part
        os.close(reader)
        lived.append(time.monotonic() - started)
        wait_until_gone()
        for line in said.decode().splitlines():
            word, key = line.split()
            {"kept": kept, "going": going, "gone": gone}[word].add(key)
        rows = {picture.key: picture for picture in Picture.objects.all()}
        missing += len(kept - going - rows.keys()) + len(gone & rows.keys())
        left += sweep_files(grace=NOW)
        named = {name for row in rows.values() for name in (row.seen, row.shown, row.original)}
        drafts = list((settings.CONFIGURATION.data_folder / "pictures").rglob("*.draft"))
        orphans += (
            len(drafts) + len(list_sealed() ^ named) + len(set(KeptFile.objects.values_list("name", flat=True)) ^ named)
        )
        for name in named:
            try:
                read_file(name)
            except Exception:  # noqa: BLE001 - counted
                unreadable += 1
    # Whoever was at a picture is dead: their leases are over.
    Job.objects.exclude(state=JobState.DONE).filter(kind="predict").update(due_at=timezone.now())
    taken_over = run_due_jobs()
    return {
        "rounds": rounds,
        "acknowledged": len(kept),
        "erased": len(gone),
        "kept": Picture.objects.count(),
        "missing": missing,
        "orphans": orphans,
        "unreadable": unreadable,
        "swept": left,
        "taken_over": taken_over,
        "answered_once": sum(picture.results.count() == 1 for picture in Picture.objects.all()),
        "entries": prove_chain(Entry.objects.order_by("number")).number,
    }


def crowd(people: int, first: int) -> dict[str, Any]:
    """Have many people each send two pictures at once."""
    doctors = [make_doctor(first + number) for number in range(people)]
    connections.close_all()
    times: list[float] = []

    def send(number: int) -> None:
        actor, visit = doctors[number]
        for turn in range(2):
            started = time.monotonic()
            data = DRAWN[(number + turn) % len(DRAWN)]
            add_picture(actor=actor, visit=visit, upload=data, task="skin", upload_key=f"{first + number}-{turn}")
            times.append(time.monotonic() - started)

    started = time.monotonic()
    faults = run_threads(people, send)
    pictures = list(Picture.objects.all())
    return {
        "people": people,
        "faults": faults,
        "pictures": len(pictures),
        "answered_once": sum(picture.results.count() == 1 for picture in pictures),
        "readable": sum(len(read_file(picture.seen)) > 0 for picture in pictures),
        "files": len(list_sealed()),
        "entries": prove_chain(Entry.objects.order_by("number")).number,
        "seconds": round(time.monotonic() - started, 2),
        "slowest_s": round(max(times), 2),
        "median_s": round(sorted(times)[len(times) // 2], 2),
    }


def lease(workers: int) -> dict[str, Any]:
    """Kill a worker at its job, then have many take it over at once."""
    pipe = os.pipe()

    @handles("tortured")
    def work(held: Lease) -> None:
        with transaction.atomic():
            Job.objects.create(kind="effect", idempotency_key=f"effect {os.getpid()} {time.monotonic_ns()}")
            if held.job.attempts == 1:
                os.write(pipe[1], b"x")
                time.sleep(60)
            held.complete({"by": os.getpid()})

    job = enqueue_job("tortured", {}, key="tortured")
    first = fork(lambda: run_due_jobs() and None)
    os.read(pipe[0], 1)
    os.kill(first, signal.SIGKILL)
    os.waitpid(first, 0)
    early = run_due_jobs()
    Job.objects.filter(pk=job.pk).update(due_at=timezone.now() - timedelta(seconds=1))
    others = [fork(lambda: run_due_jobs() and None) for _ in range(workers)]
    for pid in others:
        os.waitpid(pid, 0)
    job.refresh_from_db()
    return {
        "early": early,
        "state": job.state,
        "attempts": job.attempts,
        "effects": Job.objects.filter(kind="effect").count(),
        "by_another": job.result["by"] in others if job.result else False,
    }


def invite(people: int) -> dict[str, Any]:
    """Make people with tokens, each with a visit to send to."""
    doctors = []
    for number in range(people):
        actor, visit = make_doctor(number)
        _token, text = make_token(actor=actor, name="torture", scopes=list(Scope), days=1)
        doctors.append({"token": text, "visit": visit.key})
    return {"doctors": doctors}


def settle() -> dict[str, Any]:
    """Do what a worker does once leases and the time of grace are over, and look at what is there."""
    sweep_files(grace=NOW)
    Job.objects.exclude(state=JobState.DONE).filter(kind="predict").update(due_at=timezone.now())
    run_due_jobs()
    pictures = list(Picture.objects.all())
    named = {name for row in pictures for name in (row.seen, row.shown, row.original) if name}
    return {
        "pictures": [picture.key for picture in pictures],
        "orphans": len(list_sealed() ^ named),
        "answered_once": sum(picture.results.count() == 1 for picture in pictures),
    }


def reproduce() -> dict[str, Any]:
    """Have every result said once more, and look at every file."""
    pictures = list(Picture.objects.prefetch_related("results"))
    repeated = [reproduce_result(result) for picture in pictures for result in picture.results.all()]
    inspection = inspect_files()
    return {
        "pictures": sorted(picture.key for picture in pictures),
        "results": len(repeated),
        "identical": sum(each.identical for each in repeated),
        "logits": {each.result.key: each.result.logits for each in repeated},
        "missing": inspection.missing,
        "damaged": inspection.damaged,
        "strange": inspection.strange,
        "entries": prove_chain(Entry.objects.order_by("number")).number,
    }


def main() -> None:
    """Do what is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("kill", "crowd", "lease", "reproduce", "invite", "settle"))
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--first", type=int, default=0, help="number of the first of the people")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    settings.CONFIGURATION.data_folder.mkdir(parents=True, exist_ok=True)
    make_tables()
    find_predictor()
    started = time.monotonic()
    found = {
        "kill": lambda: kill(options.rounds, options.seed),
        "crowd": lambda: crowd(options.people, options.first),
        "lease": lambda: lease(8),
        "reproduce": reproduce,
        "invite": lambda: invite(options.people),
        "settle": settle,
    }[options.what]()
    json.dump(found | {"wall_s": round(time.monotonic() - started, 1), "database": connection.vendor}, sys.stdout)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()

"""A job is done once, by one worker at a time, and not forgotten when its worker ends."""

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from secondlook.clinic.jobs import services
from secondlook.clinic.jobs.models import Job, JobState
from secondlook.clinic.jobs.services import (
    GIVEN_UP,
    HANDLERS,
    LEASE,
    MOST_ATTEMPTS,
    Lease,
    LeaseLostError,
    enqueue_job,
    enqueue_periodic_jobs,
    handles,
    lease_job,
    run_due_jobs,
    run_job,
)
from secondlook.errors import InputError

pytestmark = pytest.mark.django_db


@pytest.fixture
def done() -> Iterator[list[int]]:
    """Return a list that jobs of the kind ``count`` add their number to."""
    numbers: list[int] = []

    @handles("count")
    def count(lease: Lease) -> dict[str, int]:
        numbers.append(lease.payload["number"])
        return {"number": lease.payload["number"]}

    yield numbers
    del HANDLERS["count"]


def enqueue(number: int = 1, **options: object) -> Job:
    """Ask for a job of the kind ``count``."""
    return enqueue_job("count", {"number": number}, key=f"count {number}", **options)  # type: ignore[arg-type]


def let_lease_end(job: Job) -> None:
    """Have the time of a lease be over."""
    Job.objects.filter(pk=job.pk).update(due_at=timezone.now() - timedelta(seconds=1))


def test_due_jobs_are_done_in_their_order(done: list[int]) -> None:
    for number in (3, 1, 2):
        enqueue(number)
    assert run_due_jobs() == 3
    assert done == [3, 1, 2]
    assert run_due_jobs() == 0


def test_who_asks_twice_asks_once(done: list[int]) -> None:
    assert enqueue() == enqueue()
    run_due_jobs()
    assert enqueue().state == JobState.DONE
    run_due_jobs()
    assert done == [1]


def test_a_result_is_kept(done: list[int]) -> None:
    job = run_job(enqueue())
    assert (job.state, job.result, job.attempts) == (JobState.DONE, {"number": 1}, 1)
    assert job.finished_at is not None


def test_a_job_waits_until_it_is_due_unless_its_asker_runs_it(done: list[int]) -> None:
    job = enqueue(due_at=timezone.now() + timedelta(hours=1))
    assert run_due_jobs() == 0
    run_job(job)
    assert done == [1]


def test_a_leased_job_is_left_alone_until_its_lease_is_over(done: list[int]) -> None:
    job = enqueue()
    assert lease_job(Job.objects.all())
    assert run_due_jobs() == 0
    assert run_job(job).state == JobState.RUNNING
    let_lease_end(job)
    assert run_due_jobs() == 1
    job.refresh_from_db()
    assert (job.state, job.attempts) == (JobState.DONE, 2)


def test_of_two_workers_that_see_the_same_job_one_gets_it(done: list[int]) -> None:
    job = enqueue()

    class Stale:
        """What a worker read before another one wrote."""

        def filter(self, *_conditions: object, **_fields: object) -> "Stale":
            return self

        def order_by(self, *_fields: str) -> list[Job]:
            return [job]

    assert lease_job(Job.objects.all())
    assert lease_job(Stale()) is None  # type: ignore[arg-type]  # it answers like a queryset
    job.refresh_from_db()
    assert job.attempts == 1


def test_who_lost_the_lease_cannot_commit(done: list[int]) -> None:
    job = enqueue()
    first = lease_job(Job.objects.all())
    let_lease_end(job)
    second = lease_job(Job.objects.filter(due_at__lte=timezone.now()))
    assert first
    assert second

    def finish() -> None:
        with transaction.atomic():
            Job.objects.create(kind="effect", idempotency_key="effect")
            first.complete()

    with pytest.raises(LeaseLostError):
        finish()
    assert not Job.objects.filter(kind="effect").exists()
    with pytest.raises(LeaseLostError):
        first.renew()
    second.complete({"by": "second"})
    with pytest.raises(LeaseLostError):
        second.complete()


def test_a_renewed_lease_lasts_longer(done: list[int]) -> None:
    job = enqueue()
    lease = lease_job(Job.objects.all())
    assert lease
    let_lease_end(job)
    lease.renew()
    job.refresh_from_db()
    assert job.due_at > timezone.now() + LEASE / 2
    assert run_due_jobs() == 0


def test_a_failure_is_tried_again_later_and_given_up_in_the_end(caplog: pytest.LogCaptureFixture) -> None:
    tries, given_up = [], []

    @handles("fail", given_up=given_up.append)
    def fail(lease: Lease) -> None:
        tries.append(lease.job.attempts)
        raise ValueError("Jane Doe")

    try:
        job = enqueue_job("fail", {"number": 7}, key="fail")
        for attempt in range(1, MOST_ATTEMPTS + 3):
            run_due_jobs()
            job.refresh_from_db()
            assert run_due_jobs() == 0, "not again at once"
            if attempt < MOST_ATTEMPTS:
                assert (job.state, given_up) == (JobState.WAITING, [])
                assert job.due_at > timezone.now()
            let_lease_end(job)
    finally:
        del HANDLERS["fail"], GIVEN_UP["fail"]
    assert given_up == [{"number": 7}]
    assert (job.state, tries) == (JobState.FAILED, list(range(1, MOST_ATTEMPTS + 1)))
    assert job.failure == "ValueError", "what it says may be of a patient"


def test_our_own_errors_are_kept_with_their_sentence(done: list[int]) -> None:
    @handles("refuse")
    def refuse(lease: Lease) -> None:
        raise InputError("Expected a picture, got none.")

    try:
        assert run_job(enqueue_job("refuse", {}, key="refuse")).failure == "Expected a picture, got none."
    finally:
        del HANDLERS["refuse"]


def test_a_job_that_kills_its_workers_is_given_up(done: list[int]) -> None:
    job = enqueue()
    for _ in range(MOST_ATTEMPTS):
        assert lease_job(Job.objects.all())
        let_lease_end(job)
    run_due_jobs()
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert done == []


def test_jobs_without_a_handler_here_are_left_for_others() -> None:
    enqueue_job("unheard of", {}, key="x")
    assert run_due_jobs() == 0


def test_periodic_jobs_are_asked_for_once_in_their_period(monkeypatch: pytest.MonkeyPatch) -> None:
    enqueue_periodic_jobs()
    count = Job.objects.count()
    assert count == len(services.PERIODS) >= 2
    enqueue_periodic_jobs()
    assert Job.objects.count() <= count + len(services.PERIODS), "a period may end in between"
    monkeypatch.setattr(services, "PERIODS", {"yearly": timedelta(days=10_000)})
    for _ in range(2):
        asked = enqueue_periodic_jobs()
    assert Job.objects.filter(kind="yearly").count() == 1
    Job.objects.all().delete()
    assert enqueue_periodic_jobs(asked) == asked
    assert not Job.objects.exists()
    enqueue_periodic_jobs({"yearly:0"})
    assert Job.objects.filter(kind="yearly").count() == 1


def test_a_lost_lease_is_logged_and_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    @handles("slow")
    def slow(lease: Lease) -> None:
        Job.objects.filter(pk=lease.job.pk).update(lease="another")

    logging.getLogger("secondlook").propagate = True
    try:
        job = run_job(enqueue_job("slow", {}, key="slow"))
    finally:
        logging.getLogger("secondlook").propagate = False
        del HANDLERS["slow"]
    assert job.state == JobState.RUNNING
    assert "another worker has it" in caplog.text

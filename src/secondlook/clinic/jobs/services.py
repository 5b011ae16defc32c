"""Jobs: asked for once, leased by one worker at a time, taken over when its lease is over, done once.

    @handles("predict")
    def predict(lease: Lease) -> None:
        prediction = ...                      # slow, outside any transaction
        with transaction.atomic():
            Result.objects.create(...)
            lease.complete({"result": key})   # only who still holds the lease gets to commit

A handler that has nothing to commit returns its result instead. A worker may be killed at any moment: until
``complete`` is committed nothing has happened, and another one begins anew once the lease is over.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from secondlook.clinic.jobs.models import Job, JobState
from secondlook.clinic.keys import make_key
from secondlook.errors import SecondlookError

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
MOST_ATTEMPTS = 4
REST = timedelta(seconds=5)  # before the second attempt; doubled before each further one

Payload = dict[str, Any]
Handler = Callable[["Lease"], Payload | None]
HANDLERS: dict[str, Handler] = {}
PERIODS: dict[str, timedelta] = {}
GIVEN_UP: dict[str, Callable[[Payload], None]] = {}
ASKED = threading.Event()


class LeaseLostError(SecondlookError):
    """The job took longer than its lease, and somebody else works on it now."""


@dataclass(slots=True)
class Lease:
    """The right to work on one job for a while.

    Attributes:
        job: The job.
        token: What tells this lease from a later one of the same job.
        completed: Whether it was completed by its holder.
    """

    job: Job
    token: str
    completed: bool = False

    @property
    def payload(self) -> Payload:
        """What was asked for."""
        payload: Payload = self.job.payload
        return payload

    def renew(self) -> None:
        """Prolong the lease, from time to time in long work.

        Raises:
            LeaseLostError: It is too late.
        """
        self._update(due_at=timezone.now() + LEASE)

    def complete(self, result: Payload | None = None) -> None:
        """Mark the job as done, within the transaction that stores what was done.

        Raises:
            LeaseLostError: The lease is over and somebody else has one; the transaction must not be committed.
        """
        self._update(state=JobState.DONE, result=result, finished_at=timezone.now(), lease="", failure="")
        self.completed = True

    def fail(self, failure: str) -> None:
        """Put the job back for another attempt, or give it up after the last one."""
        last = self.job.attempts >= MOST_ATTEMPTS
        now = timezone.now()
        with transaction.atomic():
            self._update(
                state=JobState.FAILED if last else JobState.WAITING,
                due_at=now + REST * 2 ** (self.job.attempts - 1),
                finished_at=now if last else None,
                failure=failure[:400],
                lease="",
            )
            if last and self.job.kind in GIVEN_UP:
                GIVEN_UP[self.job.kind](self.payload)

    def _update(self, **fields: Any) -> None:
        held = Job.objects.filter(pk=self.job.pk, state=JobState.RUNNING, lease=self.token)
        if not held.update(**fields):
            raise LeaseLostError("The work took longer than its lease and was taken over; nothing of it was stored.")


def handles(
    kind: str, *, every: timedelta | None = None, given_up: Callable[[Payload], None] | None = None
) -> Callable[[Handler], Handler]:
    """Register the handler of a kind of job; it lives in a module ``work`` of its app, which is found at the start.

    Args:
        kind: What it does.
        every: It is done without being asked for, once in each such period, however many workers there are.
        given_up: Told when a job is given up after its last attempt.
    """

    def register(handler: Handler) -> Handler:
        HANDLERS[kind] = handler
        if every:
            PERIODS[kind] = every
        if given_up:
            GIVEN_UP[kind] = given_up
        return handler

    return register


def enqueue_job(kind: str, payload: Payload, *, key: str, due_at: datetime | None = None) -> Job:
    """Ask for a job, within the transaction of what it is about; who asks again under the same key gets the same job.

    Args:
        kind: What is to be done; has a handler.
        payload: Keys of rows that it is about.
        key: Whatever tells this piece of work from any other.
        due_at: Not before this; a few seconds ahead where the asker calls `run_job` at once, as workers then wait.
    """
    defaults = {"kind": kind, "payload": payload, "due_at": due_at or timezone.now()}
    job, created = Job.objects.get_or_create(idempotency_key=key, defaults=defaults)
    if created:
        transaction.on_commit(ASKED.set)
    return job


def enqueue_periodic_jobs(asked: Collection[str] = ()) -> set[str]:
    """Ask for what is done regularly; all workers ask, and it is done once.

    Args:
        asked: Keys that the caller has asked for already; the database is not troubled with them again.

    Returns:
        The keys of the periods under way.
    """
    now = timezone.now().timestamp()
    keys = {f"{kind}:{int(now // every.total_seconds())}": kind for kind, every in PERIODS.items()}
    for key in keys.keys() - set(asked):
        enqueue_job(keys[key], {}, key=key)
    return set(keys)


def run_job(job: Job) -> Job:
    """Do this job now, unless somebody does it already or it is done, and return it as it is then."""
    lease = lease_job(Job.objects.filter(pk=job.pk))
    if lease:
        work_on(lease)
    job.refresh_from_db()
    return job


def run_due_jobs(*, stop: threading.Event | None = None) -> int:
    """Do all jobs that are due, one after another, and return how many were worked on."""
    count = 0
    while not (stop and stop.is_set()):
        lease = lease_job(Job.objects.filter(due_at__lte=timezone.now()))
        if lease is None:
            break
        work_on(lease)
        count += 1
    return count


def lease_job(jobs: QuerySet[Job]) -> Lease | None:
    """Lease the one that has been due for longest; nobody else gets it until the lease is over."""
    now = timezone.now()
    free = Q(state=JobState.WAITING) | Q(state=JobState.RUNNING, due_at__lte=now)
    for job in jobs.filter(free, kind__in=HANDLERS).order_by("due_at", "pk")[:8]:
        token = make_key()
        # Of several who try, one alone finds the lease as it was.
        mine = Job.objects.filter(pk=job.pk, state=job.state, lease=job.lease, attempts=job.attempts)
        gone = mine.update(state=JobState.RUNNING, lease=token, due_at=now + LEASE, attempts=job.attempts + 1)
        if gone:
            job.attempts += 1
            return Lease(job, token)
    return None


def work_on(lease: Lease) -> None:
    """Have the handler do the job; a failure is kept, without what the exception says, which may be of a patient."""
    job = lease.job
    try:
        if job.attempts > MOST_ATTEMPTS:
            # Its workers were killed each time: it may well be what kills them.
            lease.fail("Its workers ended before it was done.")
            return
        result = HANDLERS[job.kind](lease)
        if not lease.completed:
            lease.complete(result)
    except LeaseLostError:
        logger.warning("Job %s (%s) took longer than its lease; another worker has it.", job.key, job.kind)
    except Exception as error:
        logger.exception("Job %s (%s) failed at attempt %d.", job.key, job.kind, job.attempts)
        with contextlib.suppress(LeaseLostError):
            lease.fail(str(error) if isinstance(error, SecondlookError) else type(error).__name__)

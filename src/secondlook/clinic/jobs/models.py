"""One row for each piece of work."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from secondlook.clinic.keys import Keyed


class JobState(models.TextChoices):
    """How far a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Job(Keyed):
    """Work of one kind; the payload holds keys of rows, never anything of a patient."""

    kind = models.CharField(max_length=40)
    # Who asks twice under one key asks once.
    idempotency_key = models.CharField(max_length=120, unique=True)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=7, choices=JobState, default=JobState.WAITING)
    due_at = models.DateTimeField(default=timezone.now)
    # Whoever holds the lease works on it; from ``due_at`` on, where a job runs, the lease is over.
    lease = models.CharField(max_length=16, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(default=0)
    result = models.JSONField(null=True, blank=True)
    failure = models.CharField(max_length=400, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Found by what is due."""

        indexes: ClassVar = [models.Index(fields=["state", "due_at"]), models.Index(fields=["finished_at"])]

"""Tokens that let a program ask for a person, and the answers that a repeated request gets again."""

import math
import time
from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from secondlook.clinic.accounts.models import Practice
from secondlook.clinic.keys import Keyed

KEPT_FOR = timedelta(hours=24)


class Scope(models.TextChoices):
    """What a token may be used for; the person's role must allow it too."""

    READ = "cases:read", _("See patients, lesions, visits, pictures, results and opinions")
    WRITE = "cases:write", _("Add and change patients, lesions and visits; send pictures")
    OPINE = "opinions:write", _("Give opinions and acknowledge urgent results")
    REPORT = "reports:read", _("Make reports")
    INFER = "infer", _("Ask the models by the Open Inference Protocol; nothing is stored")


class TokenSet(models.QuerySet["ApiToken"]):
    """Tokens."""

    def usable(self) -> Self:
        """Return those that are neither revoked nor expired."""
        return self.filter(revoked_at=None, expires_at__gt=timezone.now())


class ApiToken(Keyed):
    """A token of one person in one practice; what it reads as is known to nobody but its holder."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    practice = models.ForeignKey(Practice, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=80)
    # A token holds 256 random bits, so that a plain hash gives nothing away and is found by one look.
    sha256 = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(_("expires"))
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    # When the next request is due at an even pace, in seconds since 1970; see `draw`.
    due = models.FloatField(default=0)

    objects = TokenSet.as_manager()

    class Meta:
        """The newest comes first."""

        ordering: ClassVar = ["-id"]

    @property
    def ended(self) -> bool:
        """Whether it is revoked or its time is over."""
        return self.revoked_at is not None or self.expires_at <= timezone.now()

    def describe_scopes(self) -> list[str]:
        """Return what it may be used for, in words."""
        return [str(Scope(scope).label) for scope in self.scopes]

    def draw(self) -> int:
        """Count a request, and return 0, or how many seconds to wait where there were too many.

        The generic cell rate algorithm (ITU-T I.371): one statement on one row, so that any number of processes agree.
        """
        per_minute = settings.CONFIGURATION.requests_per_minute
        pace_s, now = 60 / per_minute, time.time()
        free = ApiToken.objects.filter(pk=self.pk, due__lte=now + 60 - pace_s)
        if free.update(due=Greatest(F("due"), now) + pace_s, last_used_at=timezone.now()):
            return 0
        self.refresh_from_db(fields=["due"])
        return max(1, math.ceil(self.due - (now + 60 - pace_s)))


def choose_expiry() -> datetime:
    """Return until when a fresh answer is kept."""
    return timezone.now() + KEPT_FOR


class KeptAnswer(models.Model):
    """What a request with an idempotency key was answered, sealed with the token, which the site does not know."""

    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, related_name="+")
    key_sha256 = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    sealed = models.BinaryField(default=bytes)
    expires_at = models.DateTimeField(default=choose_expiry, db_index=True)

    class Meta:
        """A key is used once by a token."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["token", "key_sha256"], name="kept_answer_once")]

    def __str__(self) -> str:
        """Name the row."""
        return f"answer {self.pk}"

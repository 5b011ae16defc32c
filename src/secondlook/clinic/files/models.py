"""One row for each kept file, there before the file is and after it; and what each person sent in a day."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from secondlook.clinic.accounts.models import Practice, User


class FileState(models.TextChoices):
    """How far a file is; only one that is kept may be named by another row."""

    INTENDED = "intended"
    KEPT = "kept"
    CONDEMNED = "condemned"


class KeptFile(models.Model):
    """A file in the store."""

    name = models.CharField(max_length=40, unique=True)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=9, choices=FileState, default=FileState.INTENDED)
    size_bytes = models.PositiveIntegerField()
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Found by what is still to be done with them."""

        indexes: ClassVar = [models.Index(fields=["state", "changed_at"])]

    def __str__(self) -> str:
        """Name the file."""
        return f"{self.state} file {self.name}"


class DailyUse(models.Model):
    """How much one person sent in one day."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    pictures = models.PositiveIntegerField(default=0)
    size_bytes = models.PositiveBigIntegerField(default=0)

    class Meta:
        """One row for each day."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "day"], name="daily_use_once")]

    def __str__(self) -> str:
        """Say whose it is."""
        return f"use of user {self.user_id} on {self.day}"

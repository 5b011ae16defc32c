"""One row for each kept file; the row is there before the file is, and after it."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from secondlook.clinic.accounts.models import Practice


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

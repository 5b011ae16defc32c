"""One row for each thing that somebody did; no row is ever changed or removed."""

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self

from django.db import models
from django.utils import timezone

if TYPE_CHECKING:
    from secondlook.clinic.accounts.actors import Actor


class EntrySet(models.QuerySet["Entry"]):
    """Entries; they can be read and added to."""

    def seen_by(self, actor: "Actor") -> Self:
        """Return what the actor may see: a practice's administrator its own entries."""
        return self.filter(practice_id=actor.practice.pk) if actor.is_administrator else self.none()

    def update(self, **fields: Any) -> NoReturn:  # noqa: ARG002 - as Django has it
        """Refuse."""
        refuse_change()

    def delete(self) -> NoReturn:
        """Refuse."""
        refuse_change()


class Entry(models.Model):
    """Something that was done; it names rows by their keys and holds nothing of a patient.

    Nothing here is a foreign key: what an entry speaks of may be erased, and the entry stays as it is.
    """

    number = models.PositiveBigIntegerField(primary_key=True)
    at = models.DateTimeField(default=timezone.now)
    user_id = models.BigIntegerField(null=True)
    practice_id = models.BigIntegerField(null=True)
    action = models.CharField(max_length=40)
    kind = models.CharField(max_length=40, blank=True)
    key = models.CharField(max_length=64, blank=True)
    details = models.JSONField(default=dict)
    seal = models.CharField(max_length=64)

    objects = EntrySet.as_manager()

    class Meta:
        """Listed from the latest on, by practice, by person, by action, by what it is about."""

        ordering: ClassVar = ["-number"]
        indexes: ClassVar = [
            models.Index(fields=["practice_id", "-number"]),
            models.Index(fields=["practice_id", "action", "-number"]),
            models.Index(fields=["practice_id", "user_id", "-number"]),
            models.Index(fields=["practice_id", "key", "-number"]),
            models.Index(fields=["at"]),
        ]

    def __str__(self) -> str:
        """Name the entry."""
        return f"entry {self.number}: {self.action}"

    def save(self, *arguments: Any, **options: Any) -> None:
        """Add the entry; refuse to change one."""
        if not self._state.adding:
            refuse_change()
        super().save(*arguments, **options | {"force_insert": True})

    def delete(self, *arguments: Any, **options: Any) -> NoReturn:  # noqa: ARG002 - as Django has it
        """Refuse."""
        refuse_change()


def refuse_change() -> NoReturn:
    """Say that the log only grows."""
    raise TypeError("The audit log only grows: an entry is neither changed nor removed.")

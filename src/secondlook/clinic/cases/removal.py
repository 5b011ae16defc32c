"""Removing by hand, and undoing it: a row goes with all that hangs on it, and the same comes back."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from secondlook.clinic.cases.models import Lesion, Patient, Picture, Visit

Removable = Patient | Lesion | Visit | Picture


def remove_row(row: Removable) -> None:
    """Take a row and what belongs to it out of every list; all get one stamp, which undoing looks for."""
    with transaction.atomic():
        stamp_rows(row, before=None, after=timezone.now())


def restore_row(row: Removable) -> None:
    """Bring a removed row back, with what went with it; what had been removed before stays away."""
    with transaction.atomic():
        stamp_rows(row, before=row.removed_at, after=None)


def stamp_rows(row: Removable, *, before: datetime | None, after: datetime | None) -> None:
    """Give the row, and all below it that bears one stamp, another stamp."""
    row.removed_at = after
    row.save(update_fields=["removed_at"])
    if isinstance(row, Patient):
        for rows in (row.visits, row.lesions, row.pictures):
            rows.filter(removed_at=before).update(removed_at=after)
    elif isinstance(row, Visit):
        row.pictures.filter(removed_at=before).update(removed_at=after)
        for lesion in Lesion.objects.filter(pictures__visit=row).distinct():
            lesion.repeat_latest()
    elif isinstance(row, Picture) and row.lesion:
        row.lesion.repeat_latest()

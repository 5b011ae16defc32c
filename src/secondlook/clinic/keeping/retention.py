"""Pictures that a practice keeps for a number of days and no longer."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from secondlook.clinic.accounts.models import Practice
from secondlook.clinic.audit.services import record
from secondlook.clinic.cases.models import Picture
from secondlook.clinic.jobs.services import Lease
from secondlook.clinic.keeping.erasure import erase_pictures

AT_ONCE = 50


def erase_expired(practice: Practice, *, lease: Lease | None = None) -> int:
    """Erase what a practice keeps no longer, some at a time, and return how many pictures went."""
    if practice.retention_days is None:
        return 0
    before = timezone.now() - timedelta(days=practice.retention_days)
    expired = Picture.objects.filter(practice=practice, created_at__lt=before).order_by("pk")
    total = 0
    while pictures := list(expired[:AT_ONCE]):
        with transaction.atomic():
            total += erase_pictures(pictures)
            details = {"days": practice.retention_days, "pictures": [picture.key for picture in pictures]}
            record(None, "pictures.expired", practice=practice, details=details)
        if lease:
            lease.renew()
    return total


def erase_all_expired(lease: Lease | None = None) -> int:
    """Erase what any practice keeps no longer."""
    practices = Practice.objects.exclude(retention_days=None)
    return sum(erase_expired(practice, lease=lease) for practice in practices)

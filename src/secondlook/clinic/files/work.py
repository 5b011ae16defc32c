"""What tidies the store."""

from datetime import timedelta

from django.utils import timezone

from secondlook.clinic.files.models import DailyUse
from secondlook.clinic.files.services import sweep_files
from secondlook.clinic.jobs.services import Lease, Payload, handles

COUNTED = timedelta(days=7)


@handles("files.sweep", every=timedelta(minutes=5))
def sweep(lease: Lease) -> Payload:
    """Remove what killed processes left, and what was counted on days gone by."""
    DailyUse.objects.filter(day__lt=(timezone.now() - COUNTED).date()).delete()
    return {"removed": sweep_files()}

"""What keeps the table of jobs short."""

from datetime import timedelta

from django.utils import timezone

from secondlook.clinic.jobs.models import Job
from secondlook.clinic.jobs.services import Lease, Payload, handles

KEPT = timedelta(days=30)


@handles("jobs.forget", every=timedelta(days=1))
def forget_old_jobs(lease: Lease) -> Payload:
    """Remove jobs that ended long ago."""
    return {"removed": Job.objects.filter(finished_at__lt=timezone.now() - KEPT).delete()[0]}

"""What keeps the table of kept answers short."""

from datetime import timedelta

from django.utils import timezone

from secondlook.clinic.api.models import KeptAnswer
from secondlook.clinic.jobs.services import Lease, Payload, handles


@handles("api.forget", every=timedelta(hours=1))
def forget_old_answers(lease: Lease) -> Payload:
    """Remove answers that are given again no more."""
    return {"removed": KeptAnswer.objects.filter(expires_at__lt=timezone.now()).delete()[0]}

"""What this app does by itself."""

from datetime import timedelta

from secondlook.clinic.jobs.services import Lease, Payload, handles
from secondlook.clinic.keeping.retention import erase_all_expired


@handles("keeping.expire", every=timedelta(hours=6))
def expire(lease: Lease) -> Payload:
    """Erase the pictures whose days are over."""
    return {"erased": erase_all_expired(lease)}

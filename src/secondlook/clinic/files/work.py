"""What tidies the store."""

from datetime import timedelta

from secondlook.clinic.files.services import sweep_files
from secondlook.clinic.jobs.services import Lease, Payload, handles


@handles("files.sweep", every=timedelta(minutes=5))
def sweep(lease: Lease) -> Payload:
    """Remove what killed processes left."""
    return {"removed": sweep_files()}

"""What this app does by itself."""

from datetime import timedelta

from django.db import connection

from secondlook.clinic.jobs.services import Lease, Payload, handles
from secondlook.clinic.keeping.retention import erase_all_expired


@handles("keeping.expire", every=timedelta(hours=6))
def expire(lease: Lease) -> Payload:
    """Erase the pictures whose days are over."""
    return {"erased": erase_all_expired(lease)}


@handles("keeping.count", every=timedelta(hours=1))
def count_rows(lease: Lease) -> None:
    """Have SQLite look how rows are spread, as PostgreSQL does by itself; this takes it milliseconds, however many.

    Without that it walks along all pictures of a practice to find those of a visit.
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA analysis_limit=1000")
            cursor.execute("ANALYZE")

"""Write to the log, within the transaction of what is written about."""

import json
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from secondlook.clinic.accounts.actors import Actor
from secondlook.clinic.accounts.models import Practice, User
from secondlook.clinic.audit.chain import FIRST, seal_entry
from secondlook.clinic.audit.models import Entry
from secondlook.clinic.keys import Keyed

LOCK = 0x5EC0D100  # PostgreSQL's advisory locks have numbers


def record(
    who: Actor | User | None,
    action: str,
    *,
    practice: Practice | None = None,
    about: Keyed | None = None,
    kind: str = "",
    key: str = "",
    details: dict[str, Any] | None = None,
) -> Entry:
    """Add an entry to the log; it is there when the transaction is committed, and not otherwise.

    Entries wait for one another until their transaction ends, so this is called last in a transaction.

    Args:
        who: The person who did it, or nobody for what the site does by itself.
        action: Dotted words, such as ``patient.seen``.
        practice: Where; an actor's own by default.
        about: The row that it is about, where there is one.
        kind: Kind of what it is about, where it is no row of ours.
        key: What names it.
        details: Further facts; numbers and keys, never anything of a patient.
    """
    user, practice = (who.user, practice or who.practice) if isinstance(who, Actor) else (who, practice)
    with transaction.atomic():
        lock_chain()
        last = Entry.objects.first()
        entry = Entry(
            number=last.number + 1 if last else 1,
            at=timezone.now(),
            user_id=user.pk if user else None,
            practice_id=practice.pk if practice else None,
            action=action,
            kind=str(about._meta.model_name) if about else kind,
            key=about.key if about else key,
            details=json.loads(json.dumps(details or {})),  # as it will be read back
        )
        entry.seal = seal_entry(entry, before=last.seal if last else FIRST)
        entry.save()
    return entry


def lock_chain() -> None:
    """Have all other writers wait until this transaction ends; on SQLite its first statement does that already."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])

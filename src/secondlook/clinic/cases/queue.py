"""The reviewers' queue: what no doctor has spoken on yet, the most pressing first, the oldest first among those."""

from collections.abc import Iterator

from django.db.models import Q

from secondlook.clinic.accounts.actors import Actor
from secondlook.clinic.cases.models import Picture, Triage
from secondlook.clinic.cases.queries import PictureSet

ORDER = (Triage.URGENT, Triage.REFER, Triage.NOT_EVALUABLE, Triage.ROUTINE)


def list_waiting(actor: Actor, *, count: int) -> list[Picture]:
    """Return the first of the queue."""
    found: list[Picture] = []
    for rows in walk_queue(actor):
        if len(found) >= count:
            break
        found += rows.select_related("patient", "lesion")[: count - len(found)]
    return found


def count_waiting(actor: Actor) -> int:
    """Return how many wait."""
    return Picture.objects.seen_by(actor).waiting().count()


def find_next(actor: Actor, *, after: Picture | None = None) -> Picture | None:
    """Return the one that comes after a picture, whether that waits still or not; the first where none is named."""
    for rows in walk_queue(actor, after=after):
        if found := rows.first():
            return found
    return None


def walk_queue(actor: Actor, *, after: Picture | None = None) -> Iterator[PictureSet]:
    """Yield what waits, triage by triage: each is a walk along one index, where sorting would look at every row."""
    waiting = Picture.objects.seen_by(actor).waiting().order_by("created_at", "pk")
    start = ORDER.index(Triage(after.triage)) if after and after.triage else 0
    for triage in ORDER[start:]:
        rows = waiting.filter(triage=triage)
        if after and triage == after.triage:
            later = Q(created_at__gt=after.created_at) | Q(created_at=after.created_at, pk__gt=after.pk)
            rows = rows.filter(later)
        yield rows

"""Who comes in, goes, and fails to come in: an entry for each practice that the person belongs to."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import transaction

from secondlook.clinic.accounts.models import Practice, User
from secondlook.clinic.audit.services import record


def listen() -> None:
    """Connect to what Django tells."""
    user_logged_in.connect(note_login, dispatch_uid="audit login")
    user_logged_out.connect(note_logout, dispatch_uid="audit logout")
    user_login_failed.connect(note_failure, dispatch_uid="audit failure")


def note_login(user: User, **_told: Any) -> None:
    """Write down that somebody came in."""
    note(user, "login.done")


def note_logout(user: User | None, **_told: Any) -> None:
    """Write down that somebody went."""
    if user:
        note(user, "logout.done")


def note_failure(credentials: dict[str, Any], **_told: Any) -> None:
    """Write down that somebody failed to come in as a person whom we know; others are nobody's matter."""
    email = next((str(credentials[name]) for name in ("email", "username") if credentials.get(name)), "")
    user = User.objects.filter(email__iexact=email).first() if email else None
    if user:
        note(None, "login.failed", about=user)


def note(who: User | None, action: str, *, about: User | None = None) -> None:
    """Write an entry for each practice of the person."""
    person = who or about
    practices = Practice.objects.filter(memberships__user=person, memberships__ended_at=None).distinct()
    with transaction.atomic():
        for practice in practices:
            record(who, action, practice=practice, about=about)
        if not practices:
            record(who, action, about=about)

"""Make, find and revoke tokens."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from secondlook.clinic.accounts.actors import Actor
from secondlook.clinic.accounts.models import Practice
from secondlook.clinic.api.models import ApiToken, KeptAnswer, Scope
from secondlook.clinic.audit.services import record

MARK = "slk_"  # so that scanners for leaked secrets can know one
SECRET_BYTES = 32


def make_token(*, actor: Actor, name: str, scopes: Iterable[Scope], days: int) -> tuple[ApiToken, str]:
    """Make a token for a person in the practice that they work in, and return it with its text, shown this once."""
    text = MARK + secrets.token_urlsafe(SECRET_BYTES)
    with transaction.atomic():
        token = ApiToken.objects.create(
            user=actor.user,
            practice=actor.practice,
            name=name,
            sha256=hash_token(text),
            scopes=sorted(set(scopes)),
            expires_at=timezone.now() + timedelta(days=days),
        )
        details = {"scopes": token.scopes, "days": days}
        record(actor, "token.made", practice=actor.practice, kind="token", key=token.key, details=details)
    return token, text


def find_token(text: str) -> ApiToken | None:
    """Return the token that reads so, if it may still be used and its person is still with the site."""
    usable = ApiToken.objects.usable().filter(user__is_active=True)
    return usable.select_related("user", "practice").filter(sha256=hash_token(text)).first()


def revoke_token(*, actor: Actor, token: ApiToken) -> None:
    """Revoke a token for good: whoever holds it gets no more answers."""
    with transaction.atomic():
        if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
            record(actor, "token.revoked", practice=token.practice, kind="token", key=token.key)


def forget_answers(practice: Practice) -> None:
    """Remove what is kept for repeated requests in a practice: sealed, so that nobody knows whom it tells of."""
    KeptAnswer.objects.filter(token__practice=practice).delete()


def hash_token(text: str) -> str:
    """Return what the site keeps of a token."""
    return hashlib.sha256(text.encode()).hexdigest()

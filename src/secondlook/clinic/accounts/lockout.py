"""Answers to those who try too often."""

from typing import Any

from axes.utils import reset
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from secondlook.clinic.accounts.models import User
from secondlook.clinic.refusals import refuse


def read_email(request: HttpRequest, credentials: dict[str, Any] | None) -> str | None:
    """Return whom a log-in is for, as axes counts its failures."""
    return str((credentials or {}).get("email") or "").strip().lower() or None


def unlock(user: User, **_told: Any) -> None:
    """Forget failures for somebody who has set a new password by e-mail: they have proved who they are."""
    reset(username=user.email.lower())


def refuse_locked(request: HttpRequest, *_arguments: Any) -> HttpResponse:
    """Answer a log-in after too many failures with this e-mail address from this place; whether it exists or not."""
    sentence = _(
        "Too many log-ins failed here with this e-mail address. Wait %(minutes)d minutes, or set a new password; "
        "from elsewhere, the account is not locked."
    ) % {"minutes": settings.AXES_COOLOFF_TIME.total_seconds() // 60}
    return refuse(request, sentence, status=429)


def refuse_frequent(request: HttpRequest) -> HttpResponse:
    """Answer who asks too often from one place."""
    return refuse(request, _("Too many requests came from here. Wait a minute, then try again."), status=429)

"""How many pictures one person may send in a day, and how large they may be together."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db.models import F
from django.http import HttpRequest, parse_cookie
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from secondlook.clinic.accounts.models import User
from secondlook.clinic.files.models import DailyUse
from secondlook.errors import InputError

OVER_QUOTA = "secondlook.over_quota"
# Where pictures come in to be kept: by the page, and by the door for machines.
UPLOADS = re.compile(r"^/(visits/[^/]+/pictures/|api/v1/pictures)$")


class QuotaError(InputError):
    """A person has sent as much as one may in a day."""


def count_upload(user: User, *, size_bytes: int) -> None:
    """Count a picture, within the transaction that keeps it.

    Raises:
        QuotaError: It is one too many; the transaction must not be committed.
    """
    today = timezone.now().date()
    DailyUse.objects.get_or_create(user=user, day=today)
    counted = DailyUse.objects.filter(user=user, day=today)
    counted.update(pictures=F("pictures") + 1, size_bytes=F("size_bytes") + size_bytes)
    used, configuration = counted.get(), settings.CONFIGURATION
    # The last picture may go beyond the bytes: its sender could not know.
    if used.pictures > configuration.pictures_per_day or used.size_bytes - size_bytes >= configuration.bytes_per_day:
        with override("fr"):
            french = describe_quota()
        with override("en"):
            raise QuotaError(describe_quota(), french=french)


def is_used_up(user_id: int) -> bool:
    """Return whether a person has sent as much as one may in a day."""
    used = DailyUse.objects.filter(user_id=user_id, day=timezone.now().date()).first()
    limits = settings.CONFIGURATION
    if used is None:
        return False
    return used.pictures >= limits.pictures_per_day or used.size_bytes >= limits.bytes_per_day


def describe_quota() -> str:
    """Return the sentence for whoever has used up their quota."""
    sentence = _(
        "Expected at most %(pictures)d pictures and %(megabytes)d MB from one person in a day. Send the rest tomorrow, "
        "or ask whoever runs this site for more."
    )
    limits = settings.CONFIGURATION
    return sentence % {"pictures": limits.pictures_per_day, "megabytes": limits.bytes_per_day // 10**6}


def count_wait_s() -> int:
    """Return the seconds until the next day begins."""
    now = timezone.now()
    tomorrow = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), tzinfo=now.tzinfo)
    return max(1, int((tomorrow - now).total_seconds()))


def is_upload(scope: Mapping[str, Any]) -> bool:
    """Return whether a request sends pictures to be kept."""
    return scope.get("method") == "POST" and UPLOADS.match(scope.get("path", "")) is not None


def is_refused(scope: Mapping[str, Any]) -> bool:
    """Return whether whoever sends pictures has used up their quota, from the head of the request alone."""
    user_id = find_sender({name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]})
    return user_id is not None and is_used_up(user_id)


def find_sender(headers: Mapping[str, str]) -> int | None:
    """Return who a request says it is from; whether that may be believed is judged later, as for any request."""
    from secondlook.clinic.api.services import find_token

    scheme, _space, text = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        token = find_token(text.strip())
        return token.user_id if token else None
    session = parse_cookie(headers.get("cookie", "")).get(settings.SESSION_COOKIE_NAME)
    said = SessionStore(session).get(SESSION_KEY) if session else None
    return int(said) if said else None


def is_over_quota(request: HttpRequest) -> bool:
    """Return whether the handler stopped reading a request for that."""
    return bool(getattr(request, "scope", {}).get(OVER_QUOTA))

"""How long a log-in lasts: while it is used, and never longer than a working day."""

import time

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.http import HttpRequest

BEGAN, SEEN = "began_at", "seen_at"
NOTED_EVERY_S = 60


def continue_session(request: HttpRequest) -> bool:
    """Return whether the log-in still stands, and note now and then that it is used."""
    now = int(time.time())
    began = request.session.get(BEGAN, now)
    seen = request.session.get(SEEN, now)
    if now - seen > settings.SESSION_IDLE_S or now - began > settings.SESSION_COOKIE_AGE:
        return False
    if SEEN not in request.session or now - seen >= NOTED_EVERY_S:
        request.session[BEGAN], request.session[SEEN] = began, now
        UserSession.objects.create_from_request(request)
    return True

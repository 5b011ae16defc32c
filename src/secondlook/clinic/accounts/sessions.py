"""How long a log-in lasts: while it is used, and never longer than a working day."""

import time

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.http import HttpRequest
from django.middleware.csrf import rotate_token

from secondlook.clinic.accounts.actors import SESSION_PRACTICE
from secondlook.clinic.accounts.models import Practice

BEGAN, SEEN, PROVEN = "began_at", "seen_at", "proven"
NOTED_EVERY_S = 60
FRESH_S = 300


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


def enter_practice(request: HttpRequest, practice: Practice) -> None:
    """Work in a practice from now on; a form that another tab opened before, for another practice, is refused then."""
    request.session[SESSION_PRACTICE] = practice.key
    rotate_token(request)


def is_fresh(request: HttpRequest) -> bool:
    """Return whether the log-in is a few minutes old."""
    return int(time.time()) - int(request.session.get(BEGAN, 0)) < FRESH_S


def take_as_proven(request: HttpRequest) -> None:
    """Ask for no second factor in this session: a link that the site printed at its start was one."""
    request.session[PROVEN] = True


def is_proven(request: HttpRequest) -> bool:
    """Return whether no second factor is asked for in this session."""
    return bool(request.session.get(PROVEN))

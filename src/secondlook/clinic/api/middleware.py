"""Who asks at the doors for machines: whoever the token says, and never a browser's session."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from secondlook.clinic.accounts.actors import find_actor
from secondlook.clinic.api.services import find_token
from secondlook.clinic.refusals import PROBLEM, is_door, refuse

Responder = Callable[[HttpRequest], HttpResponseBase]
SCHEME = "bearer"


def read_token(get_response: Responder) -> Responder:
    """Set who asks from the bearer token, and refuse a token that is not valid or asks too often."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not is_door(request):
            return get_response(request)
        refusal = admit(request)
        return refusal or describe_problem(request, get_response(request))

    return middleware


def admit(request: HttpRequest) -> HttpResponse | None:
    """Set the request's token, user and actor; all empty without a token."""
    request.user, request.actor, request.token = AnonymousUser(), None, None  # type: ignore[attr-defined]
    scheme, _space, text = request.headers.get("Authorization", "").partition(" ")
    if not scheme:
        return None
    token = find_token(text.strip()) if scheme.lower() == SCHEME else None
    actor = find_actor(token.user, token.practice.key) if token else None
    # A person who left the token's practice is nobody there, whatever they are elsewhere.
    if token is None or actor is None or actor.practice.pk != token.practice_id:
        sentence = _("Expected a valid bearer token; this one is unknown, expired or revoked. Make a new one.")
        return refuse(request, sentence, status=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
    wait_s = token.draw()
    if wait_s:
        sentence = _("Expected at most %(limit)d requests a minute by one token. Try again in %(wait)d s.")
        figures = {"limit": settings.CONFIGURATION.requests_per_minute, "wait": wait_s}
        return refuse(request, sentence % figures, status=429, headers={"Retry-After": str(wait_s)})
    request.user, request.actor, request.token = token.user, actor, token  # type: ignore[attr-defined]
    return None


def describe_problem(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Turn the refusals that frameworks write by themselves into problems, and keep their headers."""
    if response.status_code < 400 or response.headers.get("Content-Type") == PROBLEM:
        return response
    sentence = _("There is nothing at this address.")
    if response.status_code == 405:
        sentence = _("Expected one of the methods %(allowed)s.") % {"allowed": response.headers.get("Allow", "")}
    kept = {name: response.headers[name] for name in ("Allow", "WWW-Authenticate") if name in response.headers}
    return refuse(request, sentence, status=response.status_code, headers=kept)

"""Sets who asks, and applies the rules before any view runs."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils.cache import add_never_cache_headers
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from secondlook.clinic.accounts.actors import SESSION_PRACTICE, find_actor
from secondlook.clinic.accounts.rules import ROUTES, is_allowed
from secondlook.clinic.refusals import refuse

SIGN_IN = "/account/login/"


class RulesMiddleware:
    """Sets ``request.actor`` and lets a request through to its view only where a rule says so.

    A middleware before this one may have set ``request.user`` and ``request.actor`` from a token; they stay.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, and keep what signed-in people see out of every cache."""
        if not hasattr(request, "actor"):
            practice = request.session.get(SESSION_PRACTICE)
            request.actor = find_actor(request.user, practice) if request.user.is_authenticated else None  # type: ignore[attr-defined]
        response = self.get_response(request)
        if request.user.is_authenticated and isinstance(response, HttpResponse):
            add_never_cache_headers(response)
        return response

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponseBase | None:
        """Refuse what no rule allows."""
        name = request.resolver_match.view_name if request.resolver_match else ""
        audience = ROUTES.get(name)
        if audience is not None and is_allowed(audience, request.user, request.actor):  # type: ignore[attr-defined]
            return None
        if audience is None or request.user.is_authenticated:
            return refuse(request, _("Your role in this practice does not open this page."), status=403)
        return lead_to_sign_in(request)


def lead_to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """Ask for a log-in: a problem for machines, the log-in page for people."""
    sentence = _("Log in first.")
    if request.path_info.startswith(("/api/", "/v2/")):
        response = refuse(request, sentence, status=401)
        response.headers["WWW-Authenticate"] = "Bearer"
        return response
    wanted = request.get_full_path() if request.method == "GET" and "HX-Request" not in request.headers else ""
    address = resolve_url(SIGN_IN) + (f"?{urlencode({'next': wanted})}" if wanted else "")
    if "HX-Request" in request.headers:
        response = refuse(request, sentence, status=401)
        response.headers["HX-Redirect"] = address
        return response
    return redirect(address)

"""Sets who asks, ends log-ins that lasted too long, and applies the rules before any view runs."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils.cache import add_never_cache_headers
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from secondlook.clinic.accounts.actors import SESSION_PRACTICE, find_actor
from secondlook.clinic.accounts.adapters import has_second_factor
from secondlook.clinic.accounts.rules import ANYBODY, ROUTES, SIGNED_IN, is_allowed
from secondlook.clinic.accounts.sessions import continue_session, enter_practice, is_proven
from secondlook.clinic.refusals import is_door, refuse, refuse_forged

HOME = "home:home"


class RulesMiddleware:
    """Sets ``request.actor`` and lets a request through to its view only where a rule says so.

    At the doors for machines a middleware before this one has set ``request.user`` and ``request.actor`` from a token.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, and keep what signed-in people see out of every cache."""
        if not hasattr(request, "actor"):
            identify(request)
        signed_in = request.user.is_authenticated
        response = self.get_response(request)
        if (signed_in or request.user.is_authenticated) and isinstance(response, HttpResponse):
            add_never_cache_headers(response)
        return response

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponseBase | None:
        """Refuse what no rule allows."""
        name = request.resolver_match.view_name if request.resolver_match else ""
        audience = ROUTES.get(name)
        if getattr(request, "is_bare", False) and (audience not in (ANYBODY, SIGNED_IN) or name == HOME):
            return lead_to_second_factor(request)
        if getattr(request, "is_elsewhere", False) and request.method == "POST":
            return refuse_forged(request)
        if audience is not None and is_allowed(audience, request.user, request.actor):  # type: ignore[attr-defined]
            return None
        if audience is None or request.user.is_authenticated:
            return refuse(request, describe_refusal(request), status=403)
        return lead_to_sign_in(request)


def identify(request: HttpRequest) -> None:
    """Set the request's actor from its session, if that still stands; whoever lacks a second factor is none yet."""
    request.actor = None  # type: ignore[attr-defined]
    if not request.user.is_authenticated:
        return
    if continue_session(request):
        entered = request.session.get(SESSION_PRACTICE)
        request.actor = actor = find_actor(request.user, entered)  # type: ignore[attr-defined]
        if actor and entered not in (None, actor.practice.key):  # they hold no role there any more
            enter_practice(request, actor.practice)
            request.is_elsewhere = True  # type: ignore[attr-defined]
        request.is_bare = lacks_second_factor(request)  # type: ignore[attr-defined]
        if request.is_bare:  # type: ignore[attr-defined]
            request.actor = None  # type: ignore[attr-defined]
    else:
        logout(request)
        messages.info(request, _("You were logged out, as nothing was done for a while or a day had passed."))


def lacks_second_factor(request: HttpRequest) -> bool:
    """Return whether somebody whose role asks for a second factor has none."""
    actor = request.actor  # type: ignore[attr-defined]
    needed = request.user.is_site_administrator or (actor is not None and actor.is_privileged)  # type: ignore[union-attr]
    if not needed or is_proven(request):
        return False
    return not has_second_factor(request.user)  # type: ignore[arg-type]


def describe_refusal(request: HttpRequest) -> str:
    """Say why somebody who is signed in may not."""
    if request.actor is None:  # type: ignore[attr-defined]
        return _("You belong to no practice here yet. Ask yours for an invitation, or join one from your account.")
    return _("Your role in this practice does not open this page. Ask its administrator, or work in another practice.")


def lead_to_second_factor(request: HttpRequest) -> HttpResponseBase:
    """Have somebody set up a second factor first."""
    sentence = _("Your role sees what must stay private: set up a second way to prove who you are first.")
    if "HX-Request" in request.headers:
        return refuse(request, sentence, status=403, headers={"HX-Redirect": resolve_url("mfa_index")})
    messages.warning(request, sentence)
    return redirect("mfa_index")


def lead_to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """Ask for a log-in: a problem for machines, the log-in page for people."""
    if is_door(request):
        sentence = _(
            "Expected a bearer token in the header Authorization, got none. Make one on the page of your account."
        )
        return refuse(request, sentence, status=401, headers={"WWW-Authenticate": "Bearer"})
    sentence = _("Log in first.")
    if "HX-Request" in request.headers:
        return refuse(request, sentence, status=401, headers={"HX-Redirect": resolve_url("account_login")})
    query = {"next": request.get_full_path()} if request.method == "GET" else {}
    if not query:
        messages.warning(
            request, _("What you sent was not kept, as you are not logged in. Log in, then send it again.")
        )
    return redirect(f"{resolve_url('account_login')}{'?' if query else ''}{urlencode(query)}")

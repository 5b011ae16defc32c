"""What an operation asks for: a scope of the token, and the rule that pages ask for too."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from ninja import Router
from ninja.decorators import decorate_view
from ninja.security import HttpBearer

from secondlook.client.records import Problem
from secondlook.clinic.accounts.rules import ROUTES, is_allowed
from secondlook.clinic.api.models import ApiToken, Scope
from secondlook.clinic.api.repetition import PARAMETER, answer_once

ALWAYS = (401, 403, 422, 429)
WITH_BODY = frozenset({"POST", "PATCH"})


class ScopeError(Exception):
    """There is no token with the scope that an operation asks for."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        super().__init__(scope)


class RoleError(Exception):
    """The token's person is not of those that an operation is open to."""


class Bearer(HttpBearer):
    """Asks for a token with a scope, whose person the operation's rule lets through.

    Several operations share a path, and Django knows the path by the first one's name alone: the middleware has applied
    that one's rule, and this applies the operation's own.
    """

    def __init__(self, scope: Scope, route: str) -> None:
        self.scope = scope
        self.route = route
        super().__init__()

    def __call__(self, request: HttpRequest) -> ApiToken:
        """Return the token.

        Raises:
            ScopeError: There is none that has the scope.
            RoleError: Its person is not of the audience.
        """
        token: ApiToken | None = request.token  # type: ignore[attr-defined]  # set by the middleware
        if token is None or self.scope not in token.scopes:
            raise ScopeError(self.scope)
        if not is_allowed(ROUTES[self.route], request.user, request.actor):  # type: ignore[attr-defined]
            raise RoleError
        return token

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken:  # noqa: ARG002 - ninja passes the text
        """Do as when called; the middleware has read the header."""
        return self(request)

    def lets(self, request: HttpRequest) -> bool:
        """Return whether a request may pass."""
        try:
            return bool(self(request))
        except (ScopeError, RoleError):
            return False


class DoorRouter(Router):
    """A router whose operations name a scope as their ``auth``; what they create is created once.

    Args:
        namespace: That of the routes' names in the rules.
        atomic: See `answer_once`; None where nothing is created.
        options: Ninja's own.
    """

    def __init__(self, *, namespace: str = "api", atomic: bool | None = True, **options: Any) -> None:
        self.namespace = namespace
        self.atomic = atomic
        super().__init__(**options)

    def add_api_operation(  # type: ignore[override]  # a scope is no choice here
        self, path: str, methods: Any, view_func: Callable[..., Any], *, auth: Scope, response: Any, **options: Any
    ) -> None:
        """Add an operation; the parameters are ninja's, and the response is that of success alone."""
        bearer = Bearer(auth, f"{self.namespace}:{view_func.__name__}")
        refusals = {*ALWAYS, *((404,) if "{" in path else ()), *((400,) if WITH_BODY & set(methods) else ())}
        extra = {"security": [{"Bearer": [auth.value]}], **(options.pop("openapi_extra", None) or {})}
        if "POST" in methods and self.atomic is not None:
            extra["parameters"] = [PARAMETER]
            decorate_view(answer_once(bearer.lets, atomic=self.atomic))(view_func)
        options |= {"auth": bearer, "response": {**response, **dict.fromkeys(sorted(refusals), Problem)}}
        super().add_api_operation(path, methods, view_func, openapi_extra=extra, **options)

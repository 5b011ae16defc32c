"""Every refusal of the doors for machines as a problem (RFC 9457), whoever raises it."""

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from secondlook.clinic.accounts.middleware import describe_refusal
from secondlook.clinic.api.bearer import RoleError, ScopeError
from secondlook.clinic.refusals import refuse, refuse_error
from secondlook.errors import SecondlookError


class RequestError(Exception):
    """Fields of a request cannot be used.

    Args:
        faults: By the name of each, what was expected, what came and what to do.
    """

    def __init__(self, faults: dict[str, str]) -> None:
        self.faults = faults
        super().__init__(", ".join(faults))


def demand_valid(form: "forms.ModelForm[Any]") -> None:
    """Refuse what a page's form would refuse, in its words.

    Raises:
        RequestError: A field cannot be used.
    """
    if not form.is_valid():
        raise RequestError({name: " ".join(map(str, faults)) for name, faults in form.errors.items()})


def refuse_scope(request: HttpRequest, error: ScopeError) -> HttpResponse:
    """Name the scope that is missing."""
    sentence = _("Expected a token with the scope %(scope)s; this one has it not. Make another.")
    wanted = f'Bearer error="insufficient_scope", scope="{error.scope.value}"'
    headers = {"WWW-Authenticate": wanted}
    return refuse(request, sentence % {"scope": error.scope.value}, status=403, headers=headers)


def refuse_role(request: HttpRequest, error: Exception) -> HttpResponse:
    """Say that the person's role does not do."""
    return refuse(request, describe_refusal(request), status=403)


def refuse_fields(request: HttpRequest, error: RequestError) -> HttpResponse:
    """Name the fields, and what is wrong with each."""
    faults = [{"pointer": f"/{name}", "detail": sentence} for name, sentence in error.faults.items()]
    return refuse(request, " ".join(dict.fromkeys(error.faults.values())), status=422, faults=faults)


def refuse_shape(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Name the fields that are missing or are not what the schema says."""
    faults = [{"pointer": point_at(fault["loc"]), "detail": describe_shape(fault)} for fault in error.errors]
    names = ", ".join(sorted({str(fault["loc"][-1]) for fault in error.errors}))
    sentence = _("Expected a request as the schema of this interface says; missing or wrong: %(fields)s.")
    return refuse(request, sentence % {"fields": names}, status=422, faults=faults)


def describe_shape(fault: dict[str, Any]) -> str:
    """Say what the schema expects of a field, in the reader's language; what is rare, as pydantic says it."""
    kind, figures = str(fault["type"]), fault.get("ctx", {})
    sentence = SHAPES.get(kind) or SHAPES.get(kind.partition("_")[0])
    if sentence is None:
        return str(fault["msg"])
    return str(sentence) % {name: str(value).replace(" or ", ", ") for name, value in figures.items()}


def point_at(place: tuple[str | int, ...]) -> str:
    """Return a JSON pointer to a place in the body, whose first name is the operation's own; or a parameter's name."""
    source, *names = place
    return "/" + "/".join(map(str, names[1:] if source == "body" else names[-1:]))


# By the type of pydantic's error, or by what comes before its first underscore.
SHAPES = {
    "missing": gettext_lazy("Expected a value, got none."),
    "extra": gettext_lazy("Expected no field of this name."),
    "literal": gettext_lazy("Expected one of %(expected)s."),
    "enum": gettext_lazy("Expected one of %(expected)s."),
    "string": gettext_lazy("Expected a text."),
    "string_too_short": gettext_lazy("Expected at least %(min_length)s characters."),
    "string_too_long": gettext_lazy("Expected at most %(max_length)s characters."),
    "string_pattern_mismatch": gettext_lazy("Expected a text of the form %(pattern)s."),
    "bool": gettext_lazy("Expected true or false."),
    "int": gettext_lazy("Expected a whole number."),
    "float": gettext_lazy("Expected a number."),
    "finite": gettext_lazy("Expected a number."),
    "greater_than_equal": gettext_lazy("Expected %(ge)s or more."),
    "less_than_equal": gettext_lazy("Expected %(le)s or less."),
    "date": gettext_lazy("Expected a day, such as 2026-05-31."),
}


def refuse_missing(request: HttpRequest, error: Http404) -> HttpResponse:
    """Say that there is nothing, or nothing that the person may see."""
    return refuse(request, _("There is nothing at this address."), status=404)


def refuse_unread(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Refuse a body that cannot be read."""
    return refuse(request, _("Expected a body in JSON; it cannot be read as such."), status=error.status_code)


REFUSALS: dict[type[Exception], Any] = {
    SecondlookError: refuse_error,
    ScopeError: refuse_scope,
    RoleError: refuse_role,
    RequestError: refuse_fields,
    ValidationError: refuse_shape,
    Http404: refuse_missing,
    HttpError: refuse_unread,
}


def add_refusals(api: NinjaAPI) -> None:
    """Have an API turn all that may be raised into problems."""
    for kind, refuse_kind in REFUSALS.items():
        api.add_exception_handler(kind, refuse_kind)

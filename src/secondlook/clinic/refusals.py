"""One place where a refusal becomes a response: a page, a part of a page, or a problem as JSON."""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import floatformat
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from secondlook.clinic.files.quotas import QuotaError
from secondlook.clinic.look.predictors import UnknownBundleError
from secondlook.clinic.look.presentation import read_language
from secondlook.errors import InputError, SecondlookError

logger = logging.getLogger(__name__)

PROBLEM = "application/problem+json"
INFERENCE = "/v2"
DOORS = ("/api/", f"{INFERENCE}/")


def is_door(request: HttpRequest) -> bool:
    """Return whether a request came to one of the doors for machines."""
    return request.path_info.startswith(DOORS) or request.path_info == INFERENCE


def refuse(
    request: HttpRequest,
    sentence: str,
    *,
    status: int,
    language: str | None = None,
    headers: Mapping[str, str] | None = None,
    faults: list[dict[str, str]] | None = None,
) -> HttpResponse:
    """Return a refusal as its asker reads it: a problem as JSON (RFC 9457), a part of a page, or a page.

    Args:
        request: What was asked.
        sentence: What was expected, what came and what to do; safe to show.
        status: HTTP status.
        language: Language of the sentence, where it is not the reader's.
        headers: More headers of the response.
        faults: Of a problem, each fault with its ``pointer`` and ``detail``.
    """
    if is_door(request):
        problem = describe_problem(request, sentence, status=status, faults=faults)
        return HttpResponse(json.dumps(problem), content_type=PROBLEM, status=status, headers=headers)
    context = {
        "status": status,
        "title": choose_title(status),
        "sentence": sentence,
        "sentence_language": language or get_language(),
    }
    template = "clinic/_refusal.html" if "HX-Request" in request.headers else "clinic/refusal.html"
    response = render(request, template, context, status=status)
    for name, value in (headers or {}).items():
        response.headers[name] = value
    return response


def describe_problem(
    request: HttpRequest, sentence: str, *, status: int, faults: list[dict[str, str]] | None
) -> dict[str, Any]:
    """Return a problem's members; the Open Inference Protocol wants the sentence as ``error`` too."""
    problem = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": sentence}
    return (
        problem
        | ({"errors": faults} if faults else {})
        | ({"error": sentence} if request.path_info.startswith(INFERENCE) else {})
    )


def choose_title(status: int) -> str:
    """Return the heading of a refusal."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _("Not now")
    titles = {
        HTTPStatus.FORBIDDEN: _("Not open to you"),
        HTTPStatus.NOT_FOUND: _("Nothing here"),
        HTTPStatus.TOO_MANY_REQUESTS: _("Too often"),
    }
    return titles.get(HTTPStatus(status), _("This cannot be used"))


def refuse_error(request: HttpRequest, error: SecondlookError) -> HttpResponse:
    """Turn one of our own errors into a refusal: wrong input is a 400, an unknown bundle 404, all else a 503."""
    if isinstance(error, InputError):
        statuses = {UnknownBundleError: 404, QuotaError: 429}
        status, fault = statuses.get(type(error), 400), describe_fault(error)
        return refuse(request, fault["sentence"], status=status, language=fault["language"])
    logger.error("%s", error)
    return refuse(request, str(error), status=503, language="en")


def describe_fault(error: InputError) -> dict[str, str]:
    """Return the sentence of a refusal in the reader's language where it is known, and its language."""
    french = error.french if read_language() == "fr" else None
    return {"sentence": french or str(error), "language": "fr" if french else "en"}


def describe_limit() -> str:
    """Return the sentence for a file that is too large to be read at all."""
    sentence = _("Expected a file of at most %(limit)d MB, got a larger one. Send the picture in a smaller size.")
    return sentence % {"limit": settings.LARGEST_PICTURE_BYTES // 10**6}


def refuse_bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django itself refuses: text beyond its limit, or a host that is not ours for one."""
    if isinstance(exception, RequestDataTooBig):
        sentence = _("Expected at most %(limit)s MB of text, got more. Send less at once, and pictures as files.")
        limit = floatformat(settings.DATA_UPLOAD_MAX_MEMORY_SIZE / 10**6, 1)
        return refuse(request, sentence % {"limit": limit}, status=413)
    return refuse(request, _("This site does not answer to such a request; check the address."), status=400)


def refuse_forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form that came without its token."""
    return refuse(
        request,
        _(
            "This form was opened before you logged in or changed the practice, or cookies are not allowed. "
            "Nothing was kept: open the page anew and send it there."
        ),
        status=403,
    )


def refuse_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what a library denies."""
    return refuse(request, _("This page is not open to you."), status=403)


def refuse_unknown(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that is not there."""
    return refuse(request, _("There is nothing at this address."), status=404)


def refuse_failed(request: HttpRequest) -> HttpResponse:
    """Answer after a fault of our own."""
    return refuse(request, _("Something failed here, and the failure was logged. Try again."), status=500)

"""One place where a refusal becomes a response: a page, a part of a page, or a problem as JSON."""

import json
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from secondlook.clinic.look.predictors import UnknownBundleError
from secondlook.clinic.look.presentation import read_language
from secondlook.errors import BundleError, InputError, SecondlookError


def refuse(request: HttpRequest, sentence: str, *, status: int, language: str | None = None) -> HttpResponse:
    """Return a refusal as its asker reads it: a problem as JSON (RFC 9457), a part of a page, or a page.

    Args:
        request: What was asked.
        sentence: What was expected, what came and what to do; safe to show.
        status: HTTP status.
        language: Language of the sentence, where it is not the reader's.
    """
    if request.path_info.startswith("/api/"):
        problem = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": sentence}
        return HttpResponse(json.dumps(problem), content_type="application/problem+json", status=status)
    context = {
        "title": choose_title(status),
        "sentence": sentence,
        "sentence_language": language or get_language(),
    }
    template = "clinic/_refusal.html" if "HX-Request" in request.headers else "clinic/refusal.html"
    return render(request, template, context, status=status)


def choose_title(status: int) -> str:
    """Return the heading of a refusal."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _("Not now")
    return _("Nothing here") if status == HTTPStatus.NOT_FOUND else _("This cannot be used")


def refuse_error(request: HttpRequest, error: SecondlookError) -> HttpResponse:
    """Turn one of our own errors into a refusal: wrong input is a 400, an unknown bundle 404, a broken one 503."""
    if isinstance(error, InputError):
        french = error.french if read_language() == "fr" else None
        status = 404 if isinstance(error, UnknownBundleError) else 400
        return refuse(request, french or str(error), status=status, language="fr" if french else "en")
    if isinstance(error, BundleError):
        return refuse(request, str(error), status=503, language="en")
    raise error


def describe_limit() -> str:
    """Return the sentence for a file that is too large to be read at all."""
    sentence = _("Expected a file of at most %(limit)d MB, got a larger one. Send the picture in a smaller size.")
    return sentence % {"limit": settings.LARGEST_PICTURE_BYTES // 10**6}


def refuse_bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django itself refuses, a host that is not ours for one."""
    return refuse(request, _("This site does not answer to such a request; check the address."), status=400)


def refuse_forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form that came without its token."""
    return refuse(
        request, _("The form came without its token. Allow cookies, load the page anew, try again."), status=403
    )


def refuse_unknown(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that is not there."""
    return refuse(request, _("There is nothing at this address."), status=404)


def refuse_failed(request: HttpRequest) -> HttpResponse:
    """Answer after a fault of our own."""
    return refuse(request, _("Something failed here, and the failure was logged. Try again."), status=500)

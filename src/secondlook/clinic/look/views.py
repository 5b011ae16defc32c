"""The page and the model card; both are open to anybody who reaches the server."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods
from django.views.decorators.vary import vary_on_headers

from secondlook.clinic.look.card import render_card
from secondlook.clinic.look.predictors import find_predictor
from secondlook.clinic.look.presentation import present_answer
from secondlook.clinic.look.services import answer_upload
from secondlook.clinic.look.wording import NOTICE
from secondlook.clinic.refusals import describe_limit, refuse, refuse_error
from secondlook.errors import SecondlookError


@never_cache
@vary_on_headers("HX-Request")
@require_http_methods(["GET", "HEAD", "POST"])
def show_page(request: HttpRequest) -> HttpResponse:
    """Show the page, or answer an uploaded picture: in a page, or alone where htmx asks. Open to anybody."""
    limit = settings.LARGEST_PICTURE_BYTES
    context: dict[str, Any] = {
        "notice": NOTICE,
        "limit_bytes": limit,
        "limit_mb": limit // 10**6,
        "too_large": describe_limit(),
    }
    if request.method != "POST":
        return render(request, "clinic/page.html", context)
    upload = request.FILES.get("file")
    if upload is None:
        return refuse(request, _("Expected a picture, got none. Choose a file first."), status=400)
    try:
        answer = answer_upload(upload)
    except SecondlookError as error:
        return refuse_error(request, error)
    template = "clinic/_answer.html" if "HX-Request" in request.headers else "clinic/page.html"
    return render(request, template, context | {"answer": present_answer(answer)})


@require_GET
def show_default_card(request: HttpRequest) -> HttpResponse:
    """Lead to the card of the default bundle. Open to anybody."""
    try:
        return redirect("card", name=find_predictor().bundle.facts.name)
    except SecondlookError as error:
        return refuse_error(request, error)


@require_GET
def show_card(request: HttpRequest, name: str) -> HttpResponse:
    """Show the card of a bundle on offer. Open to anybody."""
    try:
        bundle = find_predictor(name).bundle
    except SecondlookError as error:
        return refuse_error(request, error)
    return render(request, "clinic/card.html", {"bundle": bundle, "card": render_card(bundle.card)})

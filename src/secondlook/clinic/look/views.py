"""The page, the list of models and their cards; all are open to anybody who reaches the server."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods
from django.views.decorators.vary import vary_on_headers

from secondlook.clinic.look.card import present_card
from secondlook.clinic.look.figures import describe_evidence
from secondlook.clinic.look.predictors import (
    AUTO,
    Offer,
    find_choice,
    find_predictor,
    has_auto,
    list_choices,
    list_offers,
)
from secondlook.clinic.look.presentation import present_answer, present_nowhere, read_language
from secondlook.clinic.look.services import NoAnswer, answer_upload, read_shown
from secondlook.clinic.look.wording import ANY, WORDS, TaskWords
from secondlook.clinic.refusals import describe_limit, refuse, refuse_error
from secondlook.errors import SecondlookError
from secondlook.imaging.signature import READS_HEIC


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that the picture may show, in the reader's words."""

    key: str
    name: str
    words: TaskWords
    kind: str
    whole: bool
    chosen: bool


@never_cache
@vary_on_headers("HX-Request")
@require_http_methods(["GET", "HEAD", "POST"])
def show_page(request: HttpRequest) -> HttpResponse:
    """Show the page, or answer an uploaded picture: in a page, or alone where htmx asks. Open to anybody."""
    upload = request.FILES.get("file")
    try:
        chosen = find_choice(request.POST.get("task") or request.GET.get("task"))
        context = describe_page(chosen)
        if request.method != "POST":
            return render(request, "clinic/page.html", context)
        if upload is None:
            return refuse(request, _("Expected a picture, got none. Choose a file first."), status=400)
        answer = answer_upload(upload, bundle=chosen.name if chosen else None)
        picture = read_shown(upload, answer)
    except SecondlookError as error:
        return refuse_error(request, error)
    shown = present_nowhere(answer, picture) if isinstance(answer, NoAnswer) else present_answer(answer, picture)
    template = "clinic/_answer.html" if "HX-Request" in request.headers else "clinic/page.html"
    return render(request, template, context | {"answer": shown})


def describe_page(chosen: Offer | None) -> dict[str, Any]:
    """Return what the page's template shows where this offer is chosen, or none and the picture says its task."""
    limit, choices = settings.LARGEST_PICTURE_BYTES, list_page_choices(chosen)
    return {
        "choices": choices,
        "chosen": WORDS[chosen.task.key] if chosen else ANY,
        "cropped": " ".join(choice.key for choice in choices if not choice.whole),
        "photographs": " ".join(choice.key for choice in choices if choice.kind == "photograph"),
        "limit_bytes": limit,
        "formats": describe_formats(),
        "too_large": describe_limit(),
    }


def describe_formats() -> str:
    """Return what files can be read here, and how large they may be."""
    if READS_HEIC:
        sentence = _("JPEG, PNG, WebP, TIFF, BMP, GIF, HEIC or DICOM, up to %(limit_mb)s MB")
    else:
        sentence = _("JPEG, PNG, WebP, TIFF, BMP, GIF or DICOM, up to %(limit_mb)s MB")
    return sentence % {"limit_mb": settings.LARGEST_PICTURE_BYTES // 10**6}


def list_page_choices(chosen: Offer | None) -> list[Choice]:
    """Return what a picture may be said to show; the first is to leave that to the picture, where that can be."""
    language = read_language()
    choices = [describe_auto(chosen is None)] if has_auto() else []
    return choices + [
        Choice(
            key=offer.task.key,
            name=offer.task.names[language],
            words=WORDS[offer.task.key],
            kind=offer.task.kind,
            whole=offer.whole,
            chosen=offer == chosen,
        )
        for offer in list_choices()
    ]


def describe_auto(chosen: bool) -> Choice:
    """Return the choice to leave the choice to the picture."""
    return Choice(key=AUTO, name=_("Find out"), words=ANY, kind="photograph", whole=True, chosen=chosen)


@require_GET
def list_models(request: HttpRequest) -> HttpResponse:
    """List the bundles on offer with what they do, or lead to the card of a single one. Open to anybody."""
    try:
        offers = list_offers()
        models = [(offer, find_predictor(offer.name).bundle.evidence) for offer in offers]
    except SecondlookError as error:
        return refuse_error(request, error)
    if len(models) == 1:
        return redirect("card", name=offers[0].name)
    language = read_language()
    listed = [
        {
            "offer": offer,
            "title": offer.task.names[language],
            "words": WORDS[offer.task.key],
            "evidence": describe_evidence(evidence, WORDS[offer.task.key].evidence),
        }
        for offer, evidence in models
    ]
    return render(request, "clinic/models.html", {"models": listed})


@require_GET
def show_card(request: HttpRequest, name: str, page: str = "") -> HttpResponse:
    """Show the card of a bundle on offer in the reader's language, or another page of it. Open to anybody."""
    try:
        bundle = find_predictor(name).bundle
        card = present_card(bundle, read_language(), name=page)
    except SecondlookError as error:
        return refuse_error(request, error)
    return render(request, "clinic/card.html", {"bundle": bundle, "card": card})

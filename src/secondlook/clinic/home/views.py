"""The first page, as it is for whoever asks."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from secondlook.clinic.accounts.actors import Actor
from secondlook.clinic.cases.models import Patient, Picture, Visit

LISTED = 8


@require_safe
def show_home(request: HttpRequest) -> HttpResponse:
    """Show what the site does, or a person's day. For anybody."""
    actor: Actor | None = request.actor  # type: ignore[attr-defined]  # set by the rules' middleware
    if actor is None:
        return render(request, "home/home.html")
    return render(request, "home/day.html", {"actor": actor, **describe_day(actor)})


def describe_day(actor: Actor) -> dict[str, Any]:
    """Return what waits for a person in the practice that they work in."""
    pictures = Picture.objects.seen_by(actor).select_related("patient", "lesion").order_by("-created_at", "-pk")
    if not actor.is_clinical:
        return {"results": pictures.order_by("-taken_on", "-pk")[:LISTED], "records": Patient.objects.seen_by(actor)}
    visits = Visit.objects.seen_by(actor).select_related("patient").order_by("-date", "-pk")
    return {
        "waiting": pictures.waiting()[:LISTED],
        "visits": visits[:LISTED],
        "has_patients": Patient.objects.seen_by(actor).exists(),
    }

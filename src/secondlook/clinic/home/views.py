"""The first page, as it is for whoever asks."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from secondlook.clinic.accounts.actors import Actor
from secondlook.clinic.accounts.services import list_joinable
from secondlook.clinic.cases.models import Patient, Picture, Visit
from secondlook.clinic.cases.queue import list_waiting

LISTED = 8


@require_safe
def show_home(request: HttpRequest) -> HttpResponse:
    """Show what the site does, or a person's day. For anybody."""
    actor: Actor | None = request.actor  # type: ignore[attr-defined]  # set by the rules' middleware
    if actor is None:
        user = request.user
        return render(request, "home/home.html", {"open_practices": user.is_authenticated and list_joinable(user)})
    return render(request, "home/day.html", {"actor": actor, **describe_day(actor)})


def describe_day(actor: Actor) -> dict[str, Any]:
    """Return what waits for a person in the practice that they work in."""
    if not actor.is_clinical:
        pictures = Picture.objects.seen_by(actor).select_related("patient", "lesion").order_by("-taken_on", "-pk")
        return {"results": pictures[:LISTED], "records": Patient.objects.seen_by(actor)}
    visits = Visit.objects.seen_by(actor).select_related("patient").order_by("-date", "-pk")
    return {
        "waiting": list_waiting(actor, count=LISTED),
        "visits": visits[:LISTED],
        "has_patients": Patient.objects.seen_by(actor).exists(),
    }

"""Lesions."""

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Path, Query
from ninja.responses import Status
from pydantic import Field

from secondlook.client import records
from secondlook.client.records import Key, LesionChange, NewLesion, Page
from secondlook.clinic.accounts.actors import get_actor
from secondlook.clinic.api.bearer import DoorRouter
from secondlook.clinic.api.faults import demand_valid
from secondlook.clinic.api.models import Scope
from secondlook.clinic.api.paging import Paging, locate, narrow, take_page
from secondlook.clinic.api.rows import describe_lesion
from secondlook.clinic.audit.services import record
from secondlook.clinic.cases import records as services
from secondlook.clinic.cases.forms import LesionForm
from secondlook.clinic.cases.models import Lesion, Patient

router = DoorRouter(tags=["Lesions"])
PLACE = ("side", "site")


class LesionFilters(Paging):
    """Which lesions are wanted."""

    patient: Key | None = Field(None, description="Of this patient.")
    triage: records.Triage | None = Field(None, description="Of the latest answered picture.")
    label: records.Word | None = Field(None, description="Of the latest answered picture.")


@router.get("/lesions", auth=Scope.READ, response={200: Page[records.Lesion]})
def list_lesions(request: HttpRequest, response: HttpResponse, filters: Query[LesionFilters]) -> Page[records.Lesion]:
    """List lesions, the newest record first."""
    actor = get_actor(request)
    seen = Lesion.objects.seen_by(actor)
    return take_page(
        request,
        response,
        narrow(seen, patient__key=filters.patient, triage=filters.triage, label=filters.label),
        paging=filters,
        describe=partial(describe_lesion, actor=actor),
        known=Lesion.objects.filter(practice=actor.practice),
        fetch=lambda rows: rows.select_related("patient"),
    )


@router.post("/lesions", auth=Scope.WRITE, response={201: records.Lesion, 404: records.Problem})
def add_lesion(request: HttpRequest, response: HttpResponse, order: NewLesion) -> Status[records.Lesion]:
    """Add a lesion of a patient; without `x` and `y` its mark is in the middle of the site."""
    actor = get_actor(request)
    patient = get_object_or_404(Patient.objects.seen_by(actor), key=order.patient)
    form = LesionForm(place_mark(order.model_dump()))
    demand_valid(form)
    lesion = services.add_lesion(form.save(commit=False), actor=actor, patient=patient)
    response.headers["Location"] = locate("show_lesion", lesion)
    return Status(201, describe_lesion(lesion, actor=actor))


def place_mark(fields: dict[str, Any]) -> dict[str, Any]:
    """Return fields as the page's form takes them."""
    return {**fields, "place": f"{fields['side']}:{fields['site']}"}


@router.get("/lesions/{key}", auth=Scope.READ, response={200: records.Lesion})
def show_lesion(request: HttpRequest, key: Path[Key]) -> records.Lesion:
    """Show a lesion."""
    actor = get_actor(request)
    lesion = get_object_or_404(Lesion.objects.seen_by(actor).select_related("patient"), key=key)
    record(actor, "lesion.seen", about=lesion)
    return describe_lesion(lesion, actor=actor)


@router.patch("/lesions/{key}", auth=Scope.WRITE, response={200: records.Lesion})
def change_lesion(request: HttpRequest, key: Path[Key], change: LesionChange) -> records.Lesion:
    """Change a lesion; what is left out stays. A lesion that is moved to another site is marked in its middle."""
    actor = get_actor(request)
    lesion = get_object_or_404(Lesion.objects.seen_by(actor).select_related("patient"), key=key)
    given = change.model_dump(exclude_unset=True)
    kept = ["name", "note", *PLACE] + ([] if given.keys() & set(PLACE) else ["x", "y"])
    form = LesionForm(place_mark({name: getattr(lesion, name) for name in kept} | given), instance=lesion)
    demand_valid(form)
    services.change_row(form.save(commit=False), actor=actor, fields=sorted(given))
    return describe_lesion(lesion, actor=actor)


@router.delete("/lesions/{key}", auth=Scope.WRITE, response={204: None})
def remove_lesion(request: HttpRequest, key: Path[Key]) -> Status[None]:
    """Take a lesion off the body map; its pictures stay with their visits, and `restore` undoes it."""
    actor = get_actor(request)
    services.remove_record(get_object_or_404(Lesion.objects.seen_by(actor), key=key), actor=actor)
    return Status(204, None)


@router.post("/lesions/{key}/restore", auth=Scope.WRITE, response={200: records.Lesion})
def restore_lesion(request: HttpRequest, key: Path[Key]) -> records.Lesion:
    """Undo the removal of a lesion."""
    actor = get_actor(request)
    removed = Lesion.objects.removed_from(actor).filter(patient__removed_at=None).select_related("patient")
    lesion = get_object_or_404(removed, key=key)
    services.restore_record(lesion, actor=actor)
    return describe_lesion(lesion, actor=actor)

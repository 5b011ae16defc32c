"""Visits."""

from functools import partial

from django.forms import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Path, Query
from ninja.responses import Status
from pydantic import Field

from secondlook.client import records
from secondlook.client.records import Key, NewVisit, Page, VisitChange
from secondlook.clinic.accounts.actors import get_actor
from secondlook.clinic.api.bearer import DoorRouter
from secondlook.clinic.api.faults import demand_valid
from secondlook.clinic.api.models import Scope
from secondlook.clinic.api.paging import Paging, locate, narrow, take_page
from secondlook.clinic.api.rows import describe_visit
from secondlook.clinic.audit.services import record
from secondlook.clinic.cases import records as services
from secondlook.clinic.cases.forms import VisitForm
from secondlook.clinic.cases.models import Patient, Visit
from secondlook.clinic.cases.paging import Order

router = DoorRouter(tags=["Visits"])


class VisitFilters(Paging):
    """Which visits are wanted."""

    patient: Key | None = Field(None, description="Of this patient.")


@router.get("/visits", auth=Scope.READ, response={200: Page[records.Visit]})
def list_visits(request: HttpRequest, response: HttpResponse, filters: Query[VisitFilters]) -> Page[records.Visit]:
    """List visits, the latest first."""
    actor = get_actor(request)
    return take_page(
        request,
        response,
        narrow(Visit.objects.seen_by(actor), patient__key=filters.patient),
        paging=filters,
        describe=partial(describe_visit, actor=actor),
        known=Visit.objects.filter(practice=actor.practice),
        fetch=lambda rows: rows.select_related("patient"),
        order=Order("date", descending=True),
    )


@router.post("/visits", auth=Scope.WRITE, response={201: records.Visit, 404: records.Problem})
def add_visit(request: HttpRequest, response: HttpResponse, order: NewVisit) -> Status[records.Visit]:
    """Add a visit of a patient."""
    actor = get_actor(request)
    patient = get_object_or_404(Patient.objects.seen_by(actor), key=order.patient)
    form = VisitForm(order.model_dump(), instance=Visit(patient=patient))
    demand_valid(form)
    visit = services.add_visit(form.save(commit=False), actor=actor, patient=patient)
    response.headers["Location"] = locate("show_visit", visit)
    return Status(201, describe_visit(visit, actor=actor))


@router.get("/visits/{key}", auth=Scope.READ, response={200: records.Visit})
def show_visit(request: HttpRequest, key: Path[Key]) -> records.Visit:
    """Show a visit."""
    actor = get_actor(request)
    visit = get_object_or_404(Visit.objects.seen_by(actor).select_related("patient"), key=key)
    record(actor, "visit.seen", about=visit)
    return describe_visit(visit, actor=actor)


@router.patch("/visits/{key}", auth=Scope.WRITE, response={200: records.Visit})
def change_visit(request: HttpRequest, key: Path[Key], change: VisitChange) -> records.Visit:
    """Change a visit; what is left out stays."""
    actor = get_actor(request)
    visit = get_object_or_404(Visit.objects.seen_by(actor).select_related("patient"), key=key)
    current = model_to_dict(visit, VisitForm.Meta.fields)
    form = VisitForm(current | change.model_dump(exclude_unset=True), instance=visit)
    demand_valid(form)
    services.change_visit(form.save(commit=False), actor=actor, fields=form.changed_data)
    return describe_visit(visit, actor=actor)


@router.delete("/visits/{key}", auth=Scope.WRITE, response={204: None})
def remove_visit(request: HttpRequest, key: Path[Key]) -> Status[None]:
    """Take a visit out of every list, with its pictures; `restore` undoes it."""
    actor = get_actor(request)
    services.remove_record(get_object_or_404(Visit.objects.seen_by(actor), key=key), actor=actor)
    return Status(204, None)


@router.post("/visits/{key}/restore", auth=Scope.WRITE, response={200: records.Visit})
def restore_visit(request: HttpRequest, key: Path[Key]) -> records.Visit:
    """Undo the removal of a visit."""
    actor = get_actor(request)
    removed = Visit.objects.removed_from(actor).filter(patient__removed_at=None).select_related("patient")
    visit = get_object_or_404(removed, key=key)
    services.restore_record(visit, actor=actor)
    return describe_visit(visit, actor=actor)

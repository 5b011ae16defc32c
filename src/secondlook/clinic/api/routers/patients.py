"""Patients."""

from functools import partial

from django.forms import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Path, Query
from ninja.responses import Status
from pydantic import Field

from secondlook.client import records
from secondlook.client.records import Key, NewPatient, Page, PatientChange
from secondlook.clinic.accounts.actors import get_actor
from secondlook.clinic.api.bearer import DoorRouter
from secondlook.clinic.api.faults import demand_valid
from secondlook.clinic.api.models import Scope
from secondlook.clinic.api.paging import Paging, locate, take_page
from secondlook.clinic.api.rows import describe_patient
from secondlook.clinic.audit.services import record
from secondlook.clinic.cases import records as services
from secondlook.clinic.cases.forms import PatientForm
from secondlook.clinic.cases.models import Patient
from secondlook.clinic.cases.search import PatientSearch

router = DoorRouter(tags=["Patients"])


class PatientFilters(Paging):
    """Which patients are wanted."""

    text: str = Field("", max_length=120, description="Words of the name.")
    triage: records.Triage | None = Field(None, description="With a result of this triage.")


@router.get("/patients", auth=Scope.READ, response={200: Page[records.Patient]})
def list_patients(
    request: HttpRequest, response: HttpResponse, filters: Query[PatientFilters]
) -> Page[records.Patient]:
    """List patients, the newest record first."""
    actor = get_actor(request)
    search = PatientSearch(request.GET, practice=actor.practice)
    return take_page(
        request,
        response,
        search.narrow(Patient.objects.seen_by(actor)),
        paging=filters,
        describe=partial(describe_patient, actor=actor),
        known=Patient.objects.filter(practice=actor.practice),
    )


@router.post("/patients", auth=Scope.WRITE, response={201: records.Patient})
def add_patient(request: HttpRequest, response: HttpResponse, order: NewPatient) -> Status[records.Patient]:
    """Add a patient to the practice."""
    actor = get_actor(request)
    form = PatientForm(order.model_dump())
    demand_valid(form)
    patient = services.add_patient(form.save(commit=False), actor=actor)
    response.headers["Location"] = locate("show_patient", patient)
    return Status(201, describe_patient(patient, actor=actor))


@router.get("/patients/{key}", auth=Scope.READ, response={200: records.Patient})
def show_patient(request: HttpRequest, key: Path[Key]) -> records.Patient:
    """Show a patient."""
    actor = get_actor(request)
    patient = get_object_or_404(Patient.objects.seen_by(actor), key=key)
    record(actor, "patient.seen", about=patient)
    return describe_patient(patient, actor=actor)


@router.patch("/patients/{key}", auth=Scope.WRITE, response={200: records.Patient})
def change_patient(request: HttpRequest, key: Path[Key], change: PatientChange) -> records.Patient:
    """Change a patient; what is left out stays."""
    actor = get_actor(request)
    patient = get_object_or_404(Patient.objects.seen_by(actor), key=key)
    current = model_to_dict(patient, PatientForm.Meta.fields)
    form = PatientForm(current | change.model_dump(exclude_unset=True), instance=patient)
    demand_valid(form)
    services.change_row(form.save(commit=False), actor=actor, fields=form.changed_data)
    return describe_patient(patient, actor=actor)


@router.delete("/patients/{key}", auth=Scope.WRITE, response={204: None})
def remove_patient(request: HttpRequest, key: Path[Key]) -> Status[None]:
    """Take a patient out of every list, with lesions, visits and pictures; `restore` undoes it."""
    actor = get_actor(request)
    services.remove_record(get_object_or_404(Patient.objects.seen_by(actor), key=key), actor=actor)
    return Status(204, None)


@router.post("/patients/{key}/restore", auth=Scope.WRITE, response={200: records.Patient})
def restore_patient(request: HttpRequest, key: Path[Key]) -> records.Patient:
    """Undo the removal of a patient."""
    actor = get_actor(request)
    patient = get_object_or_404(Patient.objects.removed_from(actor), key=key)
    services.restore_record(patient, actor=actor)
    return describe_patient(patient, actor=actor)

"""Pages of a patient."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from secondlook.clinic.accounts.actors import get_actor
from secondlook.clinic.audit.services import record
from secondlook.clinic.cases.forms import PatientForm, read_sent
from secondlook.clinic.cases.models import Lesion, Patient, Visit
from secondlook.clinic.cases.records import add_patient, change_row, remove_record, restore_record
from secondlook.clinic.cases.undoing import offer_undo


@require_GET
def show_patient(request: HttpRequest, key: str) -> HttpResponse:
    """Show a patient: lesions on the body map, visits, notes. For the patient too, without the notes."""
    actor = get_actor(request)
    patient = get_object_or_404(Patient.objects.seen_by(actor), key=key)
    context = {
        "patient": patient,
        "lesions": Lesion.objects.seen_by(actor).filter(patient=patient).order_by("number"),
        "visits": Visit.objects.seen_by(actor).filter(patient=patient).with_facts().order_by("-date", "-pk"),
    }
    record(actor, "patient.seen", about=patient)
    return render(request, "cases/patient.html", context)


@require_http_methods(["GET", "POST"])
def new_patient(request: HttpRequest) -> HttpResponse:
    """Ask for a new patient. For clinicians and reviewers."""
    actor = get_actor(request)
    form = PatientForm(read_sent(request), initial={"language": actor.practice.language})
    if form.is_valid():
        patient = add_patient(form.save(commit=False), actor=actor)
        return redirect("cases:patient", key=patient.key)
    return show_form(request, form, None)


@require_http_methods(["GET", "POST"])
def edit_patient(request: HttpRequest, key: str) -> HttpResponse:
    """Change a patient. For clinicians and reviewers."""
    actor = get_actor(request)
    patient = get_object_or_404(Patient.objects.seen_by(actor), key=key)
    form = PatientForm(read_sent(request), instance=patient)
    if form.is_valid():
        change_row(form.save(commit=False), actor=actor, fields=form.changed_data)
        return redirect("cases:patient", key=key)
    record(actor, "patient.seen", about=patient)
    return show_form(request, form, patient)


def show_form(request: HttpRequest, form: PatientForm, patient: Patient | None) -> HttpResponse:
    """Show the form, with its faults where it was sent."""
    context = {
        "form": form,
        "patient": patient,
        "title": _("Change the patient") if patient else _("New patient"),
        "back": reverse("cases:patient", args=[patient.key]) if patient else reverse("cases:patients"),
    }
    return render(request, "cases/form.html", context, status=400 if form.is_bound else 200)


@require_POST
def remove_patient(request: HttpRequest, key: str) -> HttpResponse:
    """Take a patient out of every list. For clinicians and reviewers."""
    actor = get_actor(request)
    patient = get_object_or_404(Patient.objects.seen_by(actor), key=key)
    remove_record(patient, actor=actor)
    sentence = _("The patient was taken out of every list, with lesions, visits and pictures.")
    offer_undo(request, sentence, reverse("cases:restore_patient", args=[key]))
    return redirect("cases:patients")


@require_POST
def restore_patient(request: HttpRequest, key: str) -> HttpResponse:
    """Undo it. For clinicians and reviewers."""
    actor = get_actor(request)
    patient = get_object_or_404(Patient.objects.removed_from(actor), key=key)
    restore_record(patient, actor=actor)
    return redirect("cases:patient", key=key)

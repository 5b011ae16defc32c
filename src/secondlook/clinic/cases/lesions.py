"""Pages of a lesion and its place on the body map."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from secondlook.clinic.accounts.actors import get_actor
from secondlook.clinic.audit.services import record
from secondlook.clinic.cases.forms import LesionForm, read_sent
from secondlook.clinic.cases.models import Lesion, Patient, Picture
from secondlook.clinic.cases.records import add_lesion, change_row, remove_record, restore_record
from secondlook.clinic.cases.undoing import offer_undo


@require_GET
def show_lesion(request: HttpRequest, key: str) -> HttpResponse:
    """Show a lesion with its place and its pictures. For the patient too, without the notes."""
    actor = get_actor(request)
    lesion = get_object_or_404(Lesion.objects.seen_by(actor).select_related("patient"), key=key)
    pictures = Picture.objects.seen_by(actor).filter(lesion=lesion).order_by("-taken_on", "-pk")
    record(actor, "lesion.seen", about=lesion)
    context = {"lesion": lesion, "patient": lesion.patient, "pictures": pictures, "marked": [lesion]}
    return render(request, "cases/lesion.html", context)


@require_http_methods(["GET", "POST"])
def new_lesion(request: HttpRequest, key: str) -> HttpResponse:
    """Ask for a new lesion of a patient. For clinicians and reviewers."""
    actor = get_actor(request)
    patient = get_object_or_404(Patient.objects.seen_by(actor), key=key)
    form = LesionForm(read_sent(request))
    if form.is_valid():
        add_lesion(form.save(commit=False), actor=actor, patient=patient)
        return redirect("cases:patient", key=key)
    return show_form(request, form, patient, None)


@require_http_methods(["GET", "POST"])
def edit_lesion(request: HttpRequest, key: str) -> HttpResponse:
    """Change a lesion or move its mark. For clinicians and reviewers."""
    actor = get_actor(request)
    lesion = get_object_or_404(Lesion.objects.seen_by(actor).select_related("patient"), key=key)
    form = LesionForm(read_sent(request), instance=lesion)
    if form.is_valid():
        change_row(form.save(commit=False), actor=actor, fields=form.changed_data)
        return redirect("cases:lesion", key=key)
    record(actor, "lesion.seen", about=lesion)
    return show_form(request, form, lesion.patient, lesion)


def show_form(request: HttpRequest, form: LesionForm, patient: Patient, lesion: Lesion | None) -> HttpResponse:
    """Show the form beside the body map, with its faults where it was sent."""
    others = patient.lesions.filter(removed_at=None).order_by("number")
    context = {
        "form": form,
        "patient": patient,
        "lesion": lesion,
        "title": _("Change the lesion") if lesion else _("New lesion"),
        "back": reverse("cases:lesion", args=[lesion.key]) if lesion else reverse("cases:patient", args=[patient.key]),
        "lesions": others.exclude(pk=lesion.pk) if lesion else others,
    }
    return render(request, "cases/lesion_form.html", context, status=400 if form.is_bound else 200)


@require_POST
def remove_lesion(request: HttpRequest, key: str) -> HttpResponse:
    """Take a lesion off the map; its pictures stay with their visits. For clinicians and reviewers."""
    actor = get_actor(request)
    lesion = get_object_or_404(Lesion.objects.seen_by(actor).select_related("patient"), key=key)
    remove_record(lesion, actor=actor)
    sentence = _("The lesion was taken off the body map; its pictures stay with their visits.")
    offer_undo(request, sentence, reverse("cases:restore_lesion", args=[key]))
    return redirect("cases:patient", key=lesion.patient.key)


@require_POST
def restore_lesion(request: HttpRequest, key: str) -> HttpResponse:
    """Undo it. For clinicians and reviewers."""
    actor = get_actor(request)
    lesion = get_object_or_404(Lesion.objects.removed_from(actor).filter(patient__removed_at=None), key=key)
    restore_record(lesion, actor=actor)
    return redirect("cases:lesion", key=key)

"""Pages of a visit."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from secondlook.clinic.accounts.actors import get_actor
from secondlook.clinic.audit.services import record
from secondlook.clinic.cases.forms import VisitForm, read_sent
from secondlook.clinic.cases.models import Lesion, Patient, Picture, Visit
from secondlook.clinic.cases.records import add_visit, change_visit, remove_record, restore_record
from secondlook.clinic.cases.undoing import offer_undo


@require_GET
def show_visit(request: HttpRequest, key: str) -> HttpResponse:
    """Show a visit with its pictures. For the patient too, without the notes."""
    actor = get_actor(request)
    visit = get_object_or_404(Visit.objects.seen_by(actor).select_related("patient"), key=key)
    context = {
        "visit": visit,
        "patient": visit.patient,
        "pictures": Picture.objects.seen_by(actor).filter(visit=visit).select_related("lesion").order_by("pk"),
        "lesions": Lesion.objects.seen_by(actor).filter(patient=visit.patient).order_by("number"),
    }
    record(actor, "visit.seen", about=visit)
    return render(request, "cases/visit.html", context)


@require_http_methods(["GET", "POST"])
def new_visit(request: HttpRequest, key: str) -> HttpResponse:
    """Ask for a new visit of a patient. For clinicians and reviewers."""
    actor = get_actor(request)
    patient = get_object_or_404(Patient.objects.seen_by(actor), key=key)
    form = VisitForm(read_sent(request), instance=Visit(patient=patient), initial={"date": timezone.localdate()})
    if form.is_valid():
        visit = add_visit(form.save(commit=False), actor=actor, patient=patient)
        return redirect("cases:visit", key=visit.key)
    back = reverse("cases:patient", args=[key])
    return show_form(request, form, patient, title=_("New visit"), back=back)


@require_http_methods(["GET", "POST"])
def edit_visit(request: HttpRequest, key: str) -> HttpResponse:
    """Change a visit. For clinicians and reviewers."""
    actor = get_actor(request)
    visit = get_object_or_404(Visit.objects.seen_by(actor).select_related("patient"), key=key)
    form = VisitForm(read_sent(request), instance=visit)
    if form.is_valid():
        change_visit(form.save(commit=False), actor=actor, fields=form.changed_data)
        return redirect("cases:visit", key=key)
    record(actor, "visit.seen", about=visit)
    back = reverse("cases:visit", args=[key])
    return show_form(request, form, visit.patient, title=_("Change the visit"), back=back)


def show_form(request: HttpRequest, form: VisitForm, patient: Patient, *, title: str, back: str) -> HttpResponse:
    """Show the form, with its faults where it was sent."""
    context = {"form": form, "patient": patient, "title": title, "back": back}
    return render(request, "cases/form.html", context, status=400 if form.is_bound else 200)


@require_POST
def remove_visit(request: HttpRequest, key: str) -> HttpResponse:
    """Take a visit out of every list, with its pictures. For clinicians and reviewers."""
    actor = get_actor(request)
    visit = get_object_or_404(Visit.objects.seen_by(actor).select_related("patient"), key=key)
    remove_record(visit, actor=actor)
    sentence = _("The visit was taken out of every list, with its pictures.")
    offer_undo(request, sentence, reverse("cases:restore_visit", args=[key]))
    return redirect("cases:patient", key=visit.patient.key)


@require_POST
def restore_visit(request: HttpRequest, key: str) -> HttpResponse:
    """Undo it. For clinicians and reviewers."""
    actor = get_actor(request)
    visit = get_object_or_404(Visit.objects.removed_from(actor).filter(patient__removed_at=None), key=key)
    restore_record(visit, actor=actor)
    return redirect("cases:visit", key=key)

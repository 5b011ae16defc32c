"""What a patient may ask of a practice: all there is on them, or that it goes for good."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from secondlook.clinic.accounts.actors import get_actor
from secondlook.clinic.audit.models import Entry
from secondlook.clinic.audit.services import record
from secondlook.clinic.cases.models import Patient, fold_name
from secondlook.clinic.keeping.erasure import ERASED, erase_patient, find_remains
from secondlook.clinic.keeping.export import export_patient
from secondlook.clinic.streams import SteadyResponse


class ErasureForm(forms.Form):
    """Asks for the patient's name, since nothing brings them back."""

    name = forms.CharField(max_length=120)

    def __init__(self, *arguments: object, patient: Patient) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]  # the data that was sent
        self.patient = patient
        self.fields["name"].label = _("Write the name or pseudonym as it stands above")
        self.fields["name"].widget.attrs |= {"class": "form-control", "autocomplete": "off"}

    def clean_name(self) -> str:
        """Refuse another name."""
        name: str = self.cleaned_data["name"]
        if fold_name(name) != self.patient.folded_name:
            raise forms.ValidationError(_("This is not the patient’s name. Nothing was erased."))
        return name


@require_GET
def show_data(request: HttpRequest, key: str) -> HttpResponse:
    """Offer what a patient may ask for. For clinicians and reviewers."""
    patient = get_object_or_404(Patient.objects.seen_by(get_actor(request)), key=key)
    return show_choices(request, patient, ErasureForm(patient=patient))


def show_choices(request: HttpRequest, patient: Patient, form: ErasureForm) -> HttpResponse:
    """Show both choices, and what was wrong with the name."""
    context = {"patient": patient, "form": form, "count": patient.pictures.count()}
    return render(request, "keeping/data.html", context, status=400 if form.is_bound else 200)


@require_POST
def hand_out(request: HttpRequest, key: str) -> HttpResponseBase:
    """Hand out all there is on a patient as a ZIP. For clinicians and reviewers."""
    actor = get_actor(request)
    patient = get_object_or_404(Patient.objects.seen_by(actor), key=key)
    record(actor, "patient.exported", about=patient)
    disposition = {"Content-Disposition": f'attachment; filename="{patient.key}.zip"'}
    return SteadyResponse(export_patient(patient), content_type="application/zip", headers=disposition)


@require_POST
def erase(request: HttpRequest, key: str) -> HttpResponse:
    """Erase a patient for good. For clinicians and reviewers."""
    actor = get_actor(request)
    patient = get_object_or_404(Patient.objects.seen_by(actor), key=key)
    form = ErasureForm(request.POST, patient=patient)
    if not form.is_valid():
        return show_choices(request, patient, form)
    erase_patient(patient, actor=actor)
    return redirect("keeping:proof", key=key)


@require_GET
def show_proof(request: HttpRequest, key: str) -> HttpResponse:
    """Show the entry that proves that a patient was erased, and that nothing is left. For clinicians and reviewers."""
    practice = get_actor(request).practice
    proof = get_object_or_404(Entry, practice_id=practice.pk, action=ERASED, key=key)
    return render(request, "keeping/proof.html", {"proof": proof, "remains": find_remains(proof)})

"""The practice's lists: patients, lesions, results; the list alone where htmx asks, a page otherwise."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from secondlook.clinic.accounts.actors import get_actor
from secondlook.clinic.audit.services import record
from secondlook.clinic.cases.models import Lesion, Patient, Picture
from secondlook.clinic.cases.paging import Listing
from secondlook.clinic.cases.search import LesionSearch, PatientSearch, ResultSearch, Rows

AnySearch = PatientSearch | LesionSearch


@require_GET
@vary_on_headers("HX-Request")
def list_patients(request: HttpRequest) -> HttpResponse:
    """List the practice's patients. For clinicians and reviewers."""
    actor = get_actor(request)
    search = PatientSearch(request.GET, practice=actor.practice)
    return show_list(request, "patients", search, Patient.objects.seen_by(actor), Patient.objects.with_facts())


@require_GET
@vary_on_headers("HX-Request")
def list_lesions(request: HttpRequest) -> HttpResponse:
    """List the practice's lesions with their latest answer. For clinicians and reviewers."""
    actor = get_actor(request)
    search = LesionSearch(request.GET, practice=actor.practice)
    return show_list(
        request, "lesions", search, Lesion.objects.seen_by(actor), Lesion.objects.select_related("patient")
    )


@require_GET
@vary_on_headers("HX-Request")
def list_results(request: HttpRequest) -> HttpResponse:
    """List the practice's pictures with what was said of them. For clinicians and reviewers."""
    actor = get_actor(request)
    search = ResultSearch(request.GET, practice=actor.practice)
    return show_list(
        request, "results", search, Picture.objects.seen_by(actor), Picture.objects.select_related("patient", "lesion")
    )


def show_list(request: HttpRequest, name: str, search: AnySearch, known: Rows, whole: Rows) -> HttpResponse:
    """Show one page of the rows that are known to who asks, with what is shown of each; the log keeps which."""
    listing = Listing(search.narrow(known), known, whole, search.order)
    page = listing.take_page(after=request.GET.get("after", ""), before=request.GET.get("before", ""))
    kind = str(known.model._meta.model_name)
    record(get_actor(request), f"{kind}.listed", kind=kind, details={"keys": [row.key for row in page.rows]})
    template = f"cases/_{name}.html" if "HX-Request" in request.headers else f"cases/{name}.html"
    return render(request, template, {"search": search, "page": page, "address": request.path})

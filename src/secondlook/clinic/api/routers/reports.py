"""Reports as PDF."""

from django.http import HttpRequest, HttpResponse
from ninja import Path

from secondlook.client.records import Key, Problem
from secondlook.clinic.api.bearer import DoorRouter
from secondlook.clinic.api.models import Scope
from secondlook.clinic.reports import views

router = DoorRouter(tags=["Reports"])
PDF = {"responses": {200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}}}


@router.get("/visits/{key}/report", auth=Scope.REPORT, response={200: None, 503: Problem}, openapi_extra=PDF)
def report_visit(request: HttpRequest, key: Path[Key]) -> HttpResponse:
    """Make the report of a visit, in the patient's language."""
    return views.report_visit(request, key)


@router.get("/lesions/{key}/report", auth=Scope.REPORT, response={200: None, 503: Problem}, openapi_extra=PDF)
def report_lesion(request: HttpRequest, key: Path[Key]) -> HttpResponse:
    """Make the report of a lesion, in the patient's language: its latest pictures, and what changed."""
    return views.report_lesion(request, key)

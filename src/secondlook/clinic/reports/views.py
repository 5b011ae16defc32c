"""Reports for download."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from secondlook.clinic.accounts.actors import get_actor
from secondlook.clinic.cases.models import Lesion, Visit
from secondlook.clinic.refusals import refuse, refuse_error
from secondlook.clinic.reports.services import RendererMissingError, make_lesion_report, make_visit_report
from secondlook.errors import SecondlookError


@require_GET
def report_visit(request: HttpRequest, key: str) -> HttpResponse:
    """Send the report of a visit. For the patient too."""
    actor = get_actor(request)
    visit = get_object_or_404(Visit.objects.seen_by(actor).select_related("patient"), key=key)
    return send(request, lambda: make_visit_report(visit, actor=actor), f"visit-{visit.date.isoformat()}")


@require_GET
def report_lesion(request: HttpRequest, key: str) -> HttpResponse:
    """Send the report of a lesion. For the patient too."""
    actor = get_actor(request)
    lesion = get_object_or_404(Lesion.objects.seen_by(actor).select_related("patient"), key=key)
    return send(request, lambda: make_lesion_report(lesion, actor=actor), f"lesion-{lesion.number}")


def send(request: HttpRequest, make: Callable[[], bytes], name: str) -> HttpResponse:
    """Make a report and send it under a name that says nothing of the patient."""
    try:
        pdf = make()
    except RendererMissingError:
        sentence = _(
            "Reports need the library Pango, which is not on this server. Whoever runs it can install it (on Debian: "
            "apt-get install libpango-1.0-0 libpangoft2-1.0-0); everything else works without it."
        )
        return refuse(request, sentence, status=503)
    except SecondlookError as error:
        return refuse_error(request, error)
    headers = {"Content-Disposition": f'inline; filename="{name}.pdf"'}
    return HttpResponse(pdf, content_type="application/pdf", headers=headers)

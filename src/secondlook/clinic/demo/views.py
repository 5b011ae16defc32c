"""The way in for the people of the demo."""

from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from secondlook.clinic.accounts.sessions import take_as_proven
from secondlook.clinic.demo.services import find_person
from secondlook.clinic.refusals import refuse


@require_GET
def enter(request: HttpRequest, role: str, token: str) -> HttpResponse:
    """Let a person of the demo in. For whoever holds the link that the start of the demo printed."""
    user = find_person(role, token)
    if user is None:
        sentence = _("This link was used already, or has expired. Start the demo again to have it print new ones.")
        return refuse(request, sentence, status=404)
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[-1])
    take_as_proven(request)
    return redirect("home:home")

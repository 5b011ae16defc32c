"""A doctor's word on a result, what is urgent, and the reviewers' queue."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from secondlook.clinic.accounts.actors import get_actor
from secondlook.clinic.cases.answers import find_result
from secondlook.clinic.cases.models import Picture, Verdict
from secondlook.clinic.cases.queue import count_waiting, find_next, list_waiting
from secondlook.clinic.cases.services import acknowledge_picture, give_opinion
from secondlook.clinic.refusals import refuse, refuse_error
from secondlook.errors import SecondlookError

LISTED = 20


@require_POST
def give(request: HttpRequest, key: str) -> HttpResponse:
    """Keep a doctor's word on a result; who reviews is led to the next. For clinicians and reviewers."""
    actor = get_actor(request)
    result = find_result(actor, key)
    verdict = request.POST.get("verdict", "")
    if verdict not in Verdict:
        return refuse(request, _("Expected an opinion: agree, correct, cannot tell or histology."), status=400)
    label, note = request.POST.get("label", ""), request.POST.get("note", "")
    try:
        give_opinion(actor=actor, result=result, verdict=verdict, label=label, note=note)
    except SecondlookError as error:
        return refuse_error(request, error)
    if actor.is_reviewer and "queue" in request.POST:
        following = find_next(actor, after=result.picture)
        address = f"{reverse('cases:picture', args=[following.key])}?queue" if following else reverse("cases:queue")
        return redirect(address)
    messages.success(request, _("Your opinion was kept."))
    return redirect("cases:picture", key=result.picture.key)


@require_POST
def acknowledge(request: HttpRequest, key: str) -> HttpResponse:
    """Take an urgent result off the top of everyone's page. For clinicians and reviewers."""
    actor = get_actor(request)
    picture = get_object_or_404(Picture.objects.seen_by(actor), key=key)
    acknowledge_picture(picture, actor=actor)
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return redirect(back if safe else reverse("cases:picture", args=[key]))


@require_GET
def show_queue(request: HttpRequest) -> HttpResponse:
    """Show what waits for a reviewer. For reviewers."""
    actor = get_actor(request)
    context = {"pictures": list_waiting(actor, count=LISTED), "waiting": count_waiting(actor)}
    return render(request, "cases/queue.html", context)

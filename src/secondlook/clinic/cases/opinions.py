"""A doctor's word on a result, what is urgent, and the reviewers' queue."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from secondlook.clinic.accounts.actors import get_actor
from secondlook.clinic.audit.services import record
from secondlook.clinic.cases.answers import find_result, show
from secondlook.clinic.cases.models import Picture, Verdict
from secondlook.clinic.cases.queue import count_waiting, find_next, list_waiting
from secondlook.clinic.cases.services import acknowledge_picture, give_opinion
from secondlook.clinic.refusals import describe_fault, refuse
from secondlook.errors import InputError

LISTED = 20


@require_http_methods(["GET", "POST"])
def give(request: HttpRequest, key: str) -> HttpResponse:
    """Keep a doctor's word on a result; who reviews is led to the next. For clinicians and reviewers."""
    actor = get_actor(request)
    result = find_result(actor, key)
    queue = "?queue" if "queue" in request.GET else ""
    if request.method != "POST":  # the language was changed where a word had been refused
        return redirect(reverse("cases:picture", args=[result.picture.key]) + queue)
    said = {name: request.POST.get(name, "") for name in ("verdict", "label", "note")}
    if said["verdict"] not in Verdict:
        return refuse(request, _("Expected an opinion: agree, correct, cannot tell or histology."), status=400)
    try:
        give_opinion(actor=actor, result=result, **said)
    except InputError as error:
        return show(request, actor, result.picture, result, refused={"said": said, "fault": describe_fault(error)})
    reviewing = actor.is_reviewer and bool(queue)
    following = find_next(actor, after=result.picture) if reviewing else None
    if following:
        return redirect(reverse("cases:picture", args=[following.key]) + f"?queue&before={result.picture.key}")
    messages.success(request, _("Your opinion was kept."))
    return redirect("cases:queue") if reviewing else redirect("cases:picture", key=result.picture.key)


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
    pictures = list_waiting(actor, count=LISTED)
    record(actor, "picture.listed", kind="picture", details={"keys": [picture.key for picture in pictures]})
    return render(request, "cases/queue.html", {"pictures": pictures, "waiting": count_waiting(actor)})

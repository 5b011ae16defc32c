"""The page of a picture: its latest answer or an earlier one, what doctors said of it, and asking anew."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from secondlook.clinic.accounts.actors import Actor, get_actor
from secondlook.clinic.audit.services import record
from secondlook.clinic.cases.models import Picture, PictureState, Result, Triage
from secondlook.clinic.cases.queue import count_waiting, find_next
from secondlook.clinic.cases.results import present_result
from secondlook.clinic.cases.services import ask_again, reproduce_result
from secondlook.clinic.look.presentation import read_language
from secondlook.clinic.look.views import list_page_choices
from secondlook.clinic.refusals import describe_fault, refuse_error
from secondlook.conditions import find_task
from secondlook.errors import SecondlookError


@require_GET
def show_picture(request: HttpRequest, key: str) -> HttpResponse:
    """Show a picture with its latest answer. For the patient too."""
    actor = get_actor(request)
    picture = get_object_or_404(Picture.objects.seen_by(actor).select_related("patient", "visit", "lesion"), key=key)
    if "HX-Request" in request.headers:
        return tell_whether_done(picture)
    return show(request, actor, picture, picture.results.first())


def tell_whether_done(picture: Picture) -> HttpResponse:
    """Have a page that asks now and then load itself anew once its picture waits no more; this shows nothing of it."""
    waits = picture.state == PictureState.WAITING
    return HttpResponse(status=204, headers={} if waits else {"HX-Refresh": "true"})


@require_GET
def show_result(request: HttpRequest, key: str) -> HttpResponse:
    """Show a picture with one of its answers. For the patient too."""
    actor = get_actor(request)
    result = find_result(actor, key)
    return show(request, actor, result.picture, result)


def find_result(actor: Actor, key: str) -> Result:
    """Return a result of a picture that the actor may see."""
    results = Result.objects.select_related("picture__patient", "picture__visit", "picture__lesion")
    return get_object_or_404(results, key=key, picture__in=Picture.objects.seen_by(actor))


def show(
    request: HttpRequest,
    actor: Actor,
    picture: Picture,
    result: Result | None,
    *,
    refused: dict[str, Any] | None = None,
) -> HttpResponse:
    """Show a picture with a result of it, or that it has none yet; and the word on it that was refused, with why."""
    context: dict[str, Any] = {
        **(refused or {}),
        "picture": picture,
        "result": result,
        "earlier": list(picture.results.all()),
        "opinions": list(picture.opinions.select_related("author", "result")),
        "clinical": actor.is_clinical,
        "steps": () if actor.is_clinical else list_own_steps(result),
        "failure": describe_fault(picture.fault),
    }
    try:
        if result is not None:
            result.picture = picture
            context |= {"answer": present_result(result), **describe_task(result)}
        context |= {"choices": list_page_choices(None)} | describe_queue(request, actor, picture)
    except SecondlookError as error:
        return refuse_error(request, error)
    record(actor, "result.seen", about=result or picture)
    return render(request, "cases/picture.html", context, status=400 if refused else 200)


def list_own_steps(result: Result | None) -> tuple[str, ...]:
    """Return what patients can do about an answer; what a model's words advise is for doctors."""
    urgent = result is not None and result.triage == Triage.URGENT
    return (
        _("Ask your practice today what it makes of this picture.")
        if urgent
        else _("Ask your practice what it makes of this picture."),
        _("Whatever changes, bleeds or worries you deserves an examination, whatever is written here."),
    )


def describe_task(result: Result) -> dict[str, Any]:
    """Return what the picture was taken for, and the labels that a doctor may choose; nothing where it is not known."""
    if not result.bundle_sha256:
        return {}
    language, task = read_language(), find_task(result.task)
    return {"taken": task.names[language], "labels": [(label.key, label.names[language]) for label in task.labels]}


def describe_queue(request: HttpRequest, actor: Actor, picture: Picture) -> dict[str, Any]:
    """Return what a reviewer sees who works through the queue."""
    if not (actor.is_reviewer and "queue" in request.GET):
        return {}
    before = Picture.objects.seen_by(actor).filter(key=request.GET.get("before", "")).first()
    return {"queued": True, "waiting": count_waiting(actor), "next": find_next(actor, after=picture), "before": before}


@require_POST
def ask(request: HttpRequest, key: str) -> HttpResponse:
    """Have a picture answered for another task, or once more. For clinicians and reviewers."""
    actor = get_actor(request)
    picture = get_object_or_404(Picture.objects.seen_by(actor).select_related("lesion"), key=key)
    try:
        ask_again(picture, actor=actor, task=request.POST.get("task"))
    except SecondlookError as error:
        return refuse_error(request, error)
    return redirect("cases:picture", key=key)


@require_POST
def reproduce(request: HttpRequest, key: str) -> HttpResponse:
    """Have a result said once more, and tell whether it is the same. For clinicians and reviewers."""
    actor = get_actor(request)
    result = find_result(actor, key)
    try:
        found = reproduce_result(result, actor=actor)
    except SecondlookError as error:
        return refuse_error(request, error)
    if found.identical:
        messages.success(request, _("Asked once more: the same answer, to the last digit."))
    else:
        sentence = _("Asked once more: not the same. Different: %(fields)s. Kept by version %(kept)s, asked %(now)s.")
        figures = {"fields": ", ".join(found.differing), "kept": result.software, "now": found.software}
        messages.error(request, sentence % figures)
    return redirect("cases:result", key=key)

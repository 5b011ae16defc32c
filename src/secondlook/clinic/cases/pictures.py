"""Pictures come in, are checked before, and go out again to those who may see them."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from secondlook.clinic.accounts.actors import Actor, get_actor
from secondlook.clinic.audit.services import record
from secondlook.clinic.cases.material import check_upload, shrink_shown
from secondlook.clinic.cases.models import Lesion, Picture, Visit
from secondlook.clinic.cases.services import add_picture, remove_picture, restore_picture
from secondlook.clinic.cases.undoing import offer_undo
from secondlook.clinic.files.services import read_file
from secondlook.clinic.keys import make_key
from secondlook.clinic.look.presentation import read_language
from secondlook.clinic.look.services import encode_uri
from secondlook.clinic.look.views import describe_formats, list_page_choices
from secondlook.clinic.refusals import describe_fault, describe_limit, refuse, refuse_error
from secondlook.errors import InputError, SecondlookError

LONGEST_UPLOAD_KEY = 56  # the place among files sent together is added to it


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one file: a picture, or the sentence that refuses it and its language."""

    name: str
    picture: Picture | None = None
    sentence: str = ""
    language: str = ""


@require_http_methods(["GET", "POST"])
def send_pictures(request: HttpRequest, key: str) -> HttpResponse:
    """Ask for pictures of a visit, and keep what comes: one at a time, or several where there is no JavaScript."""
    actor = get_actor(request)
    visit = get_object_or_404(Visit.objects.seen_by(actor).select_related("patient"), key=key)
    try:
        if request.method != "POST":
            return render(request, "cases/upload.html", describe_form(actor, visit))
        uploads = request.FILES.getlist("file")
        if not uploads:
            return refuse(request, _("Expected a picture, got none. Choose a file first."), status=400)
        alone = "HX-Request" in request.headers
        sent = [send_picture(request, visit, upload, number) for number, upload in enumerate(uploads)]
    except SecondlookError as error:
        return refuse_error(request, error)
    status = 200 if any(one.picture for one in sent) else 400
    if alone:
        return render(request, "cases/_sent.html", {"one": sent[0]}, status=status)
    return render(request, "cases/sent.html", {"sent": sent, "visit": visit}, status=status)


def send_picture(request: HttpRequest, visit: Visit, upload: "File[Any]", number: int) -> Sent:
    """Keep one file; a wrong one says why and stops no other."""
    actor, name = get_actor(request), str(upload.name)
    key = request.POST.get("upload_key", "")[:LONGEST_UPLOAD_KEY] or make_key()
    try:
        picture = add_picture(
            actor=actor,
            visit=visit,
            upload=upload,
            lesion=find_lesion(actor, visit, request.POST.get("lesion", "")),
            task=request.POST.get("task"),
            upload_key=f"{key}.{number}",
        )
    except InputError as error:
        fault = describe_fault(error)
        return Sent(name, sentence=fault["sentence"], language=fault["language"])
    return Sent(name, picture)


def find_lesion(actor: Actor, visit: Visit, key: str) -> Lesion | None:
    """Return the lesion that was chosen, of the same patient; nothing where none was."""
    if not key:
        return None
    return get_object_or_404(Lesion.objects.seen_by(actor), patient=visit.patient_id, key=key)


def describe_form(actor: Actor, visit: Visit) -> dict[str, Any]:
    """Return what the form shows."""
    limit = settings.LARGEST_PICTURE_BYTES
    choices = list_page_choices(None)
    return {
        "visit": visit,
        "patient": visit.patient,
        "lesions": Lesion.objects.seen_by(actor).filter(patient=visit.patient).order_by("number"),
        "choices": choices,
        "upload_key": make_key(),
        "limit_bytes": limit,
        "formats": describe_formats(),
        "too_large": describe_limit(),
    }


@require_POST
def check_picture(request: HttpRequest) -> HttpResponse:
    """Say how good a picture is before it is sent, from a small copy or the file itself; nothing of it is kept."""
    upload = request.FILES.get("file")
    if upload is None:
        return refuse(request, _("Expected a picture, got none. Choose a file first."), status=400)
    side, task = request.POST.get("shorter_side_px", ""), request.POST.get("task")
    try:
        checked = check_upload(upload, task=task, shorter_side_px=int(side) if side.isdecimal() else None)
    except InputError as error:
        return render(request, "cases/_check.html", describe_fault(error), status=400)
    except SecondlookError as error:
        return refuse_error(request, error)
    language = read_language()
    context = {
        "evaluable": checked.quality.evaluable,
        "taken": checked.task.names[language] if checked.task else "",
        "warnings": [flag.describe(language) for flag in checked.quality.flags],
        # Of a small copy the browser has the sharp original.
        "preview": "" if side else encode_uri(checked.preview, "image/jpeg"),
    }
    return render(request, "cases/_check.html", context)


@require_GET
def serve_shown(request: HttpRequest, key: str) -> HttpResponse:
    """Serve a picture in full size. For the patient too."""
    return serve(request, key, small=False)


@require_GET
def serve_small(request: HttpRequest, key: str) -> HttpResponse:
    """Serve a small copy of a picture, for lists. For the patient too."""
    return serve(request, key, small=True)


def serve(request: HttpRequest, key: str, *, small: bool) -> HttpResponse:
    """Serve a picture to those who may see it; whoever sees it in full size is written down."""
    actor = get_actor(request)
    picture = get_object_or_404(Picture.objects.seen_by(actor), key=key)
    try:
        jpeg = read_file(picture.shown)
    except SecondlookError as error:
        return refuse_error(request, error)
    if not small:
        record(actor, "picture.seen", about=picture)
    return HttpResponse(shrink_shown(jpeg) if small else jpeg, content_type="image/jpeg")


@require_POST
def remove(request: HttpRequest, key: str) -> HttpResponse:
    """Take a picture out of every list. For clinicians and reviewers."""
    actor = get_actor(request)
    picture = get_object_or_404(Picture.objects.seen_by(actor).select_related("visit"), key=key)
    remove_picture(picture, actor=actor)
    offer_undo(request, _("The picture was taken out of every list."), reverse("cases:restore_picture", args=[key]))
    return redirect("cases:visit", key=picture.visit.key)


@require_POST
def restore(request: HttpRequest, key: str) -> HttpResponse:
    """Undo it. For clinicians and reviewers."""
    actor = get_actor(request)
    removed = Picture.objects.removed_from(actor).filter(visit__removed_at=None, patient__removed_at=None)
    restore_picture(get_object_or_404(removed, key=key), actor=actor)
    return redirect("cases:picture", key=key)

"""Pictures: sent and answered, read, asked anew."""

import hashlib
from typing import Annotated

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import File, Form, Path, Query, UploadedFile
from ninja.responses import Status
from pydantic import Field

from secondlook.client import records
from secondlook.client.records import Key, Page, Word
from secondlook.clinic.accounts.actors import Actor, get_actor
from secondlook.clinic.api.bearer import DoorRouter
from secondlook.clinic.api.models import ApiToken, Scope
from secondlook.clinic.api.paging import Paging, locate, narrow, take_page
from secondlook.clinic.api.repetition import HEADER
from secondlook.clinic.api.rows import describe_picture, fetch_pictures
from secondlook.clinic.audit.services import record
from secondlook.clinic.cases import services
from secondlook.clinic.cases.models import Lesion, Picture, Visit
from secondlook.clinic.files.services import read_file
from secondlook.clinic.keys import make_key

# Files are kept outside of any transaction; `add_picture` itself keeps one picture of one upload key.
router = DoorRouter(tags=["Pictures"], atomic=False)
MEDIA_TYPES = {"shown": "image/jpeg", "seen": "image/webp", "original": "application/octet-stream"}
PNG = b"\x89PNG"  # holds longer sides than WebP does
BINARY = {"schema": {"type": "string", "format": "binary"}}


class PictureFilters(Paging):
    """Which pictures are wanted."""

    patient: Key | None = Field(None, description="Of this patient.")
    visit: Key | None = Field(None, description="Of this visit.")
    lesion: Key | None = Field(None, description="Of this lesion.")
    state: records.State | None = None
    triage: records.Triage | None = None
    task: Word | None = None
    label: Word | None = None
    reviewed: bool | None = Field(None, description="Whether a doctor has spoken on it.")
    disagreed: bool | None = Field(None, description="Whether model and doctor disagree.")
    acknowledged: bool | None = Field(None, description="Whether somebody acknowledged an urgent result.")


@router.get("/pictures", auth=Scope.READ, response={200: Page[records.Picture]})
def list_pictures(
    request: HttpRequest, response: HttpResponse, filters: Query[PictureFilters]
) -> Page[records.Picture]:
    """List pictures with their latest results, the newest first."""
    actor = get_actor(request)
    wanted = filters.model_dump(exclude={"limit", "after", "patient", "visit", "lesion", "acknowledged"})
    rows = narrow(
        Picture.objects.seen_by(actor),
        patient__key=filters.patient,
        visit__key=filters.visit,
        lesion__key=filters.lesion,
        acknowledged_at__isnull=None if filters.acknowledged is None else not filters.acknowledged,
        **wanted,
    )
    known = Picture.objects.filter(practice=actor.practice)
    return take_page(
        request, response, rows, paging=filters, describe=describe_picture, known=known, fetch=fetch_pictures
    )


@router.post("/pictures", auth=Scope.WRITE, response={201: records.Picture, 404: records.Problem, 413: records.Problem})
def send_picture(
    request: HttpRequest,
    response: HttpResponse,
    file: File[UploadedFile],
    visit: Form[Key],
    lesion: Annotated[
        str, Form("", pattern=r"^([A-Za-z0-9_-]{16})?$", description="The lesion that it shows, of the same patient.")
    ] = "",
    task: Annotated[Word, Form("auto", description="What it shows; `auto` has the picture itself say it.")] = "auto",
) -> Status[records.Picture]:
    """Send a picture of at most 30 MB, as JPEG, PNG, WebP, TIFF, BMP, GIF, DICOM or, with the extra, HEIC.

    It is kept and answered.
    """
    actor = get_actor(request)
    shown = Lesion.objects.seen_by(actor)
    picture = services.add_picture(
        actor=actor,
        visit=get_object_or_404(Visit.objects.seen_by(actor), key=visit),
        upload=file,
        lesion=get_object_or_404(shown, key=lesion) if lesion else None,
        task=task,
        upload_key=choose_upload_key(request),
    )
    response.headers["Location"] = locate("show_picture", picture)
    return Status(201, describe(picture))


def choose_upload_key(request: HttpRequest) -> str:
    """Return what tells this upload from any other."""
    token: ApiToken = request.token  # type: ignore[attr-defined]  # set by the middleware
    key = request.headers.get(HEADER)
    return hashlib.sha256(f"{token.key} {key}".encode()).hexdigest() if key else make_key()


def describe(picture: Picture) -> records.Picture:
    """Return the record of a picture as it is now."""
    return describe_picture(fetch_pictures(Picture.objects.filter(pk=picture.pk)).get())


def find_picture(actor: Actor, key: str) -> Picture:
    """Return a picture that the actor may see."""
    return get_object_or_404(Picture.objects.seen_by(actor), key=key)


@router.get("/pictures/{key}", auth=Scope.READ, response={200: records.Picture})
def show_picture(request: HttpRequest, key: Path[Key]) -> records.Picture:
    """Show a picture with its latest result."""
    actor = get_actor(request)
    picture = find_picture(actor, key)
    record(actor, "result.seen", about=picture)
    return describe(picture)


@router.get(
    "/pictures/{key}/file",
    auth=Scope.READ,
    response={200: None},
    openapi_extra={"responses": {200: {"content": dict.fromkeys([*MEDIA_TYPES.values(), "image/png"], BINARY)}}},
)
def show_file(
    request: HttpRequest,
    key: Path[Key],
    form: Annotated[
        records.Form,
        Query(
            "shown",
            description="`shown`: a JPEG in full size; `seen`: a WebP of the very pixels that the model was given; "
            "`original`: the file as it was sent, where the practice keeps it.",
        ),
    ] = "shown",
) -> HttpResponse:
    """Give a picture's bytes."""
    actor = get_actor(request)
    picture = find_picture(actor, key)
    name = {"shown": picture.shown, "seen": picture.seen, "original": picture.original}[form]
    if not name:
        raise Http404
    content = read_file(name)
    record(actor, "picture.seen", about=picture, details={"form": form})
    png = form == "seen" and content.startswith(PNG)
    return HttpResponse(content, content_type="image/png" if png else MEDIA_TYPES[form])


@router.post("/pictures/{key}/ask", auth=Scope.WRITE, response={200: records.Picture})
def ask_again(request: HttpRequest, key: Path[Key], order: records.Task) -> records.Picture:
    """Have a picture answered for another task, or once more; the results before stay."""
    actor = get_actor(request)
    return describe(services.ask_again(find_picture(actor, key), actor=actor, task=order.task))


@router.post("/pictures/{key}/acknowledge", auth=Scope.OPINE, response={200: records.Picture})
def acknowledge_picture(request: HttpRequest, key: Path[Key]) -> records.Picture:
    """Take an urgent result off the top of everyone's page."""
    actor = get_actor(request)
    picture = find_picture(actor, key)
    services.acknowledge_picture(picture, actor=actor)
    return describe(picture)


@router.delete("/pictures/{key}", auth=Scope.WRITE, response={204: None})
def remove_picture(request: HttpRequest, key: Path[Key]) -> Status[None]:
    """Take a picture out of every list; `restore` undoes it."""
    actor = get_actor(request)
    services.remove_picture(find_picture(actor, key), actor=actor)
    return Status(204, None)


@router.post("/pictures/{key}/restore", auth=Scope.WRITE, response={200: records.Picture})
def restore_picture(request: HttpRequest, key: Path[Key]) -> records.Picture:
    """Undo the removal of a picture."""
    actor = get_actor(request)
    removed = Picture.objects.removed_from(actor).filter(visit__removed_at=None, patient__removed_at=None)
    picture = get_object_or_404(removed, key=key)
    services.restore_picture(picture, actor=actor)
    return describe(picture)

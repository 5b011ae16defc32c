"""Pictures with all that was said of them, as tables that are ready to be manifests, and as files."""

import itertools
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from secondlook.clinic.accounts.actors import get_actor
from secondlook.clinic.accounts.models import Practice
from secondlook.clinic.audit.services import record
from secondlook.clinic.cases.models import Opinion, Patient, Picture, Result, Verdict
from secondlook.clinic.files.services import read_file
from secondlook.clinic.keeping.export import Sink, write_csv
from secondlook.clinic.look.presentation import read_language
from secondlook.clinic.streams import SteadyResponse
from secondlook.conditions import TASKS
from secondlook.data.files import replace_file
from secondlook.errors import InputError

UNCONFIRMED = "unconfirmed"
CHUNK = 500
Rows = list[dict[str, Any]]


def select_pictures(practice: Practice, part: str) -> Any:
    """Return a part of a practice's pictures: those of a task whose label a doctor confirmed, or all unconfirmed ones.

    Raises:
        InputError: There is no such part.
    """
    kept = Picture.objects.filter(practice=practice, removed_at=None)
    if part == UNCONFIRMED:
        return kept.filter(confirmed_label="")
    if part not in TASKS:
        raise InputError(f"Expected one of {', '.join([*TASKS, UNCONFIRMED])}; got {part[:40]!r}.")
    return kept.filter(task=part).exclude(confirmed_label="")


def count_parts(practice: Practice) -> dict[str, int]:
    """Return how many pictures each part has, without empty parts."""
    counts = {part: select_pictures(practice, part).count() for part in [*TASKS, UNCONFIRMED]}
    return {part: count for part, count in counts.items() if count}


def describe_pictures(practice: Practice, part: str) -> Rows:
    """Return one row per picture, those of one patient together: a manifest with more columns.

    Raises:
        InputError: There is no such part.
    """
    pictures = select_pictures(practice, part).select_related("patient", "lesion", "visit")
    ordered = pictures.order_by("patient_id", "taken_on", "pk").prefetch_related("results", "opinions__result")
    return [describe_picture(picture) for picture in ordered.iterator(chunk_size=CHUNK)]


def describe_picture(picture: Picture) -> dict[str, Any]:
    """Return the row of one picture; people and patients are named by keys alone."""
    result = next(iter(picture.results.all()), None)
    opinions = list(picture.opinions.all())
    return {
        "task": picture.task,
        "image": name_file(picture),
        "label": picture.confirmed_label,
        "group": picture.patient.key,
        "study": picture.visit.key,
        "age_years": describe_age(picture.patient, picture),
        "sex": picture.patient.sex,
        "site": picture.lesion.site if picture.lesion else "",
        "skin_tone": picture.patient.skin_type or "",
        "reference": choose_reference(picture, opinions),
        "lesion": picture.lesion.key if picture.lesion else "",
        "taken_on": picture.taken_on.isoformat(),
        **describe_result(picture, result),
        **describe_opinions(picture, opinions),
    }


def name_file(picture: Picture) -> str:
    """Return where a picture's file lies, seen from the table."""
    return f"pictures/{picture.key}.jpg"


def describe_age(patient: Patient, picture: Picture) -> int | str:
    """Return the age in whole years on the day of the picture; nothing where it is not known."""
    born, day = patient.birth_date, picture.taken_on
    return "" if born is None else day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def choose_reference(picture: Picture, opinions: list[Opinion]) -> str:
    """Return what the label rests on, in the word that data sets use for histology."""
    if not picture.confirmed_label:
        return ""
    return "histo" if any(one.verdict == Verdict.HISTOLOGY for one in opinions) else "opinion"


def describe_result(picture: Picture, result: Result | None) -> dict[str, Any]:
    """Return what the model said."""
    said = result if result is not None else Result()
    return {
        "triage": picture.triage,
        "model_label": picture.label,
        "risk": "" if picture.risk is None else picture.risk,
        "bundle": said.bundle,
        "bundle_version": said.bundle_version,
        "bundle_sha256": said.bundle_sha256,
        "result": said.key if result is not None else "",
    }


def describe_opinions(picture: Picture, opinions: list[Opinion]) -> dict[str, Any]:
    """Return what doctors said, the latest first."""
    latest = opinions[0] if opinions else None
    return {
        "reviewed": picture.reviewed,
        "disagreed": picture.disagreed,
        "verdict": latest.verdict if latest else "",
        "note": latest.note if latest else "",
        "opinions": [{"verdict": one.verdict, "label": one.label, "at": one.created_at} for one in opinions],
    }


def stream_archive(practice: Practice, parts: list[str]) -> Iterator[bytes]:
    """Yield a ZIP of these parts, table by table and picture by picture; each table is a manifest where it lies."""
    sink = Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for name, content in list_files(practice, parts):
            archive.writestr(name, content)
            yield sink.take()
    yield sink.take()


def list_files(practice: Practice, parts: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of every file of an export."""
    for part in parts:
        yield f"{part}.csv", write_csv(describe_pictures(practice, part)).encode()
    for part in parts:
        for picture in select_pictures(practice, part).order_by("pk").iterator(chunk_size=CHUNK):
            yield name_file(picture), read_file(picture.shown)


def export_folder(practice: Practice, folder: Path, *, parts: list[str] | None = None) -> dict[str, int]:
    """Write these parts into a new or empty folder, and return how many pictures each has.

    The tables come last: whatever stops it before, no table speaks of a picture that is not there.

    Raises:
        InputError: The folder holds something already, cannot be written, or there is nothing to export.
    """
    counts = count_parts(practice)
    chosen = parts or list(counts)
    if not chosen:
        raise InputError("Expected pictures to export; the practice has none.")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if any(folder.iterdir()):
            raise InputError(f"Expected a new or an empty folder; {folder.name} holds something. Name another.")
        (folder / "pictures").mkdir()
        files = list_files(practice, chosen)
        tables = list(itertools.islice(files, len(chosen)))
        for name, content in files:
            (folder / name).write_bytes(content)
        for name, content in tables:
            replace_file(folder / name, content)
    except OSError as error:
        raise InputError(f"Expected to write into {folder.name}: {error.strerror}. Name another folder.") from error
    record(None, "export.made", practice=practice, details={"parts": chosen, "door": "command"})
    return {part: counts.get(part, 0) for part in chosen}


@require_http_methods(["GET", "POST"])
def show_export(request: HttpRequest) -> HttpResponseBase:
    """Offer the practice's pictures as tables and files, and hand them out. For clinicians and reviewers."""
    practice = get_actor(request).practice
    counts = count_parts(practice)
    if request.method == "POST" and request.POST.get("part") in counts:
        return send_export(request, practice, request.POST["part"], with_pictures="zip" in request.POST)
    names = {task.key: task.names[read_language()] for task in TASKS.values()}
    parts = [{"key": part, "name": names.get(part, ""), "count": count} for part, count in counts.items()]
    return render(request, "cases/export.html", {"parts": parts, "unconfirmed": UNCONFIRMED})


def send_export(request: HttpRequest, practice: Practice, part: str, *, with_pictures: bool) -> HttpResponseBase:
    """Hand out one part, with or without its pictures."""
    actor = get_actor(request)
    record(actor, "export.made", details={"parts": [part], "pictures": with_pictures, "door": "page"})
    response: HttpResponseBase
    if with_pictures:
        response = SteadyResponse(stream_archive(practice, [part]), content_type="application/zip")
    else:
        response = HttpResponse(write_csv(describe_pictures(practice, part)), content_type="text/csv; charset=utf-8")
    name = f"secondlook-{part}.{'zip' if with_pictures else 'csv'}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response

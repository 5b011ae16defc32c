"""Make the report of a visit or of a lesion, and write into the audit log that it was made."""

import hashlib
from collections import ChainMap
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone, translation

from secondlook.clinic.accounts.actors import Actor
from secondlook.clinic.audit.services import record
from secondlook.clinic.cases.models import Lesion, Picture, Visit
from secondlook.clinic.look.presentation import Presented
from secondlook.clinic.reports.sheets import Sheet, draw_comparison, make_sheet
from secondlook.clinic.timeline.course import compare_pictures, list_photographs, measure_noise
from secondlook.clinic.timeline.presentation import present_comparison
from secondlook.errors import SecondlookError

MOST_PICTURES = 40


class RendererMissingError(SecondlookError):
    """WeasyPrint cannot find Pango."""


def make_visit_report(visit: Visit, *, actor: Actor) -> bytes:
    """Return the report of a visit as PDF, in the patient's language.

    Raises:
        RendererMissingError: Pango is not installed.
        FileLostError: A picture's file is not there.
        BundleError: The bundles could not be loaded.
    """
    pictures = Picture.objects.seen_by(actor).filter(visit=visit).order_by("pk")
    facts = {"visit": visit, "total": pictures.count()}
    return make_report(visit, actor=actor, pictures=list(pictures[:MOST_PICTURES]), facts=facts)


def make_lesion_report(lesion: Lesion, *, actor: Actor) -> bytes:
    """Return the report of a lesion as PDF, in the patient's language: its latest pictures, and what changed.

    Raises:
        RendererMissingError: Pango is not installed.
        FileLostError: A picture's file is not there.
        BundleError: The bundles or the outline network could not be loaded.
    """
    pictures = Picture.objects.seen_by(actor).filter(lesion=lesion).order_by("-taken_on", "-pk")
    facts: dict[str, Any] = {"lesion": lesion, "total": pictures.count()}
    kept: dict[str, bytes] = {}
    photographs = list_photographs(actor, lesion)
    if len(photographs) > 1:
        comparison = compare_pictures(photographs[0], photographs[-1], noise=measure_noise(photographs))
        kept = draw_comparison(comparison)
        with translation.override(lesion.patient.language):
            facts["comparison"] = present_comparison(comparison)
    return make_report(lesion, actor=actor, pictures=list(pictures[:MOST_PICTURES])[::-1], facts=facts, kept=kept)


def make_report(
    about: Visit | Lesion,
    *,
    actor: Actor,
    pictures: Sequence[Picture],
    facts: Mapping[str, Any],
    kept: Mapping[str, bytes] = MappingProxyType({}),
) -> bytes:
    """Return a report as PDF, and record that it was made.

    Args:
        about: What it is about.
        actor: Who makes it.
        pictures: Its pictures.
        facts: What its template shows besides.
        kept: Drawings that this needs, by name.
    """
    try:
        from secondlook.clinic.reports.rendering import render_pdf
    except OSError as error:  # what the loader of system libraries raises
        raise RendererMissingError("Expected the library Pango for reports; it is not installed.") from error
    patient = about.patient
    with translation.override(patient.language):
        made = [make_sheet(picture, number=number) for number, picture in enumerate(pictures, 1)]
        context = {
            "patient": patient,
            "practice": actor.practice,
            "author": actor.user.get_full_name(),
            "made_at": timezone.now(),
            "language": patient.language,
            "sheets": [sheet for sheet, _ in made],
            "limits": list_limits([sheet for sheet, _ in made]),
            **facts,
        }
        html = render_to_string("reports/report.html", context)
    pdf = render_pdf(html, ChainMap({}, dict(kept), *(drawn for _, drawn in made)))
    details = {
        "language": patient.language,
        "pictures": [picture.key for picture in pictures],
        "sha256": hashlib.sha256(pdf).hexdigest(),
    }
    record(actor, "report.made", about=about, details=details)
    return pdf


def list_limits(sheets: Sequence[Sheet]) -> list[str]:
    """Return what is to be known of the models that answered, each sentence once."""
    said: dict[str, None] = {}
    for sheet in sheets:
        if isinstance(sheet.answer, Presented):
            words = sheet.answer.task_words
            said |= dict.fromkeys(map(str, (words.audience, sheet.answer.evidence, words.notice)))
        elif sheet.answer:
            said |= dict.fromkeys([sheet.answer.notice])
    return [sentence for sentence in said if sentence]

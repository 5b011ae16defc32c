"""Labels, sites and triage in the reader's language."""

from collections.abc import Iterable
from typing import Any

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from secondlook.clinic.accounts.actors import Actor
from secondlook.clinic.cases.body import FIGURES, HEIGHT, WIDTH, name_site
from secondlook.clinic.cases.models import BodySide, Lesion, Opinion, Patient, Picture, Verdict
from secondlook.clinic.look.presentation import read_language
from secondlook.conditions import find_task

register = template.Library()
URGENT_LISTED, URGENT_AT_HOME = 2, 5


@register.filter
def label_name(row: Picture | Lesion) -> str:
    """Return the label that stands out most; nothing where there is no answer."""
    if not row.label:
        return ""
    return find_task(row.task).find_label(row.label).names[read_language()]


@register.filter
def label_said(opinion: Opinion) -> str:
    """Return the label that an opinion confirms, "something else" where none fits; nothing where it confirms none."""
    if not opinion.label or opinion.result is None:
        return _("something else") if opinion.verdict in (Verdict.CORRECT, Verdict.HISTOLOGY) else ""
    return find_task(opinion.result.task).find_label(opinion.label).names[read_language()]


@register.filter
def site_name(lesion: Lesion) -> str:
    """Return where a lesion is."""
    return str(name_site(lesion.site)) or _("Place unknown")


@register.filter
def age(patient: Patient) -> str:
    """Return the birth date with the age, or nothing."""
    if patient.birth_date is None:
        return ""
    today, born = timezone.localdate(), patient.birth_date
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return _("born %(date)s, %(years)s years") % {"date": date_format(born, "DATE_FORMAT"), "years": years}


@register.inclusion_tag("cases/_figure.html")
def body_figure(side: str, lesions: Iterable[Lesion], *, linked: bool = True) -> dict[str, Any]:
    """Draw one figure of the body map with its lesions as numbered marks, each a link or alone a mark."""
    placed = [lesion for lesion in lesions if lesion.side == side and lesion.x is not None and lesion.y is not None]
    marks = [{"lesion": one, "x": round(one.x * WIDTH, 2), "y": round(one.y * HEIGHT, 2)} for one in placed]  # type: ignore[operator]
    return {"side": BodySide(side), "regions": FIGURES[BodySide(side)], "marks": marks, "linked": linked}


@register.inclusion_tag("cases/_body.html")
def body_map(lesions: Iterable[Lesion], *, linked: bool = True) -> dict[str, Any]:
    """Draw both figures."""
    return {"sides": list(BodySide), "lesions": list(lesions), "linked": linked}


@register.inclusion_tag("cases/_triage.html")
def triage_badge(row: Picture | Lesion) -> dict[str, Any]:
    """Show a triage as icon and word; of a picture without an answer, how far it is."""
    return {"triage": row.triage, "words": row.get_triage_display() or get_state(row)}


def get_state(row: Picture | Lesion) -> str:
    """Return what stands in place of a triage."""
    return str(row.get_state_display()) if isinstance(row, Picture) else _("No picture yet")


@register.inclusion_tag("cases/_urgent.html", takes_context=True)
def urgent_results(context: dict[str, Any]) -> dict[str, Any]:
    """Show the urgent results that nobody has acknowledged, to clinicians and reviewers, on every page."""
    request = context.get("request")
    actor: Actor | None = getattr(request, "actor", None)
    if actor is None or not actor.is_clinical:
        return {"urgent": []}
    found = Picture.objects.seen_by(actor).unacknowledged().select_related("patient", "lesion")
    at_home = bool(request and request.path == reverse("home:home"))
    limit = URGENT_AT_HOME if at_home else URGENT_LISTED
    urgent = list(found.order_by("-created_at")[: limit + 1])
    token = context.get("csrf_token")
    return {"urgent": urgent[:limit], "more": len(urgent) > limit, "unfolded": at_home, "csrf_token": token}


@register.simple_tag
def contact_address() -> str:
    """Return the e-mail address for questions, or nothing."""
    return settings.CONFIGURATION.contact

"""Shares and intervals in the reader's language, and the sentence that says what a bundle was measured to do."""

from collections.abc import Mapping
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from secondlook.clinic.look.wording import Words
from secondlook.inference.bundle import Evidence


def write_share(share: float) -> str:
    """Return a share in 0…1 in per cent, finer near nothing and near all, and never rounded to either."""
    percent = 100 * share
    decimals = 0 if 9.95 <= percent < 99 else 1
    # Django's own formatting cuts digits off instead of rounding.
    number = number_format(f"{min(max(percent, 0.1), 99.9):.{decimals}f}")
    if percent < 0.1:
        return _("<%(number)s%%") % {"number": number}
    return (_(">%(number)s%%") if percent > 99.9 else _("%(number)s%%")) % {"number": number}


def write_interval(measure: Mapping[str, float]) -> str:
    """Return a measured share with its 95 % interval."""
    words = {name: write_share(measure[name]) for name in ("value", "lower", "upper")}
    return _("%(value)s (%(lower)s to %(upper)s)") % words


def describe_evidence(evidence: Evidence | None, sentence: Words) -> str:
    """Return the sentence with what the bundle was measured to do, or nothing where that was not measured."""
    if evidence is None:
        return ""
    measures: Any = evidence.measures
    sizes: Any = evidence.manifest
    try:
        points = measures["risk"]["operating_points"]
        urgent, refer = points["sensitivity_90"], points["sensitivity_95"]
        counts = measures["triage_counts"]
        figures = {
            "pictures": number_format(sum(sum(words.values()) for words in counts.values()), force_grouping=True),
            "groups": number_format(sizes["groups"], force_grouping=True),
            "flagged": write_interval(refer["sensitivity"]),
            "urgent": write_interval(urgent["sensitivity"]),
            "cleared": write_interval(refer["specificity"]),
        }
    except (KeyError, TypeError):
        return ""
    return str(sentence) % figures

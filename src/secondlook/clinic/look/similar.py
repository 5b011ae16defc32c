"""The nearest confirmed cases of the site's own reference sets, as the page shows them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import get_language, gettext_lazy

from secondlook.conditions import Language, find_task
from secondlook.errors import BundleError, DatasetError
from secondlook.inference.predictor import Prediction

if TYPE_CHECKING:
    from secondlook.explanation.similar import ReferenceSet

SHOWN = 5
STANDARDS = {
    "histo": gettext_lazy("histology"),
    "follow_up": gettext_lazy("follow-up"),
    "consensus": gettext_lazy("consensus of experts"),
    "confocal": gettext_lazy("confocal microscopy"),
}


@dataclass(frozen=True, slots=True)
class ShownCase:
    """A similar case for a reader: never the name of its picture or patient."""

    name: str
    alarming: bool
    standard: str
    similarity: str


@dataclass(frozen=True, slots=True)
class ShownCases:
    """The nearest cases, and out of how many they were found."""

    cases: tuple[ShownCase, ...]
    pictures: str
    groups: str


@cache
def load_references() -> "Mapping[str, ReferenceSet]":
    """Return the site's reference sets by the hash of the graph that each belongs to.

    Raises:
        BundleError: One cannot be opened, or two belong to the same graph.
    """
    if not settings.CONFIGURATION.references:
        return {}
    # Tables cost a process 40 MB: only a site that has some pays for them.
    from secondlook.explanation.similar import open_reference

    try:
        opened = [open_reference(Path(folder)) for folder in settings.CONFIGURATION.references]
    except DatasetError as error:
        raise BundleError(str(error)) from error
    by_graph = {one.facts.graph_sha256: one for one in opened}
    if len(by_graph) < len(opened):
        raise BundleError("Expected one reference set for each bundle in SECONDLOOK_REFERENCES. Leave one out.")
    return by_graph


def check_references(graphs: Collection[str]) -> None:
    """Check that every reference set of the site belongs to a graph on offer.

    Raises:
        BundleError: One belongs to none, or cannot be opened.
    """
    for graph, reference in load_references().items():
        if graph not in graphs:
            raise BundleError(
                f"Expected reference sets of bundles on offer; one was built with {reference.facts.bundle} "
                f"{reference.facts.bundle_version}, whose graph is not. Build it again: secondlook reference build."
            )


def present_similar(prediction: Prediction, graph_sha256: str) -> ShownCases | None:
    """Return the nearest cases to a picture that can be judged; nothing where the site has no set for its bundle."""
    reference = load_references().get(graph_sha256)
    if reference is None or prediction.triage == "not_evaluable":
        return None
    task = find_task(prediction.task)
    language: Language = "fr" if (get_language() or "").startswith("fr") else "en"
    cases = tuple(
        ShownCase(
            name=task.find_label(case.label).names[language],
            alarming=case.label in task.alarming,
            standard=str(STANDARDS.get(case.reference, case.reference)),
            similarity=number_format(f"{case.similarity:.2f}"),
        )
        for case in reference.find_nearest(prediction.embedding, count=SHOWN)
    )
    facts = reference.facts
    return ShownCases(cases, *(number_format(count, force_grouping=True) for count in (facts.pictures, facts.groups)))

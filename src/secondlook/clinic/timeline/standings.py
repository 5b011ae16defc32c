"""How a lesion stands among the patient's others, by what the model makes of their latest pictures."""

from dataclasses import dataclass

import numpy as np

from secondlook.clinic.accounts.actors import Actor
from secondlook.clinic.cases.models import Lesion, Picture, PictureState, Result, Triage
from secondlook.clinic.cases.results import restore_floats
from secondlook.clinic.timeline.course import PHOTOGRAPHS
from secondlook.explanation.change.unusual import LEAST_LESIONS, LIMIT, Standing, find_standings

LONGEST_BAR = 4.0


@dataclass(frozen=True, slots=True)
class ShownStanding:
    """One lesion among the patient's; the bar and its mark are of 100."""

    lesion: Lesion
    standing: Standing
    here: bool

    @property
    def length(self) -> float:
        """Length of the bar."""
        return round(min(100.0, 100 * self.standing.ratio / LONGEST_BAR), 1)


@dataclass(frozen=True, slots=True)
class Standings:
    """The patient's lesions, the one that lies furthest out first; none where there are too few.

    Attributes:
        shown: The lesions.
        counted: How many can be compared.
        needed: How many there must be.
        mark: Place of the limit on the bars, of 100.
    """

    shown: tuple[ShownStanding, ...]
    counted: int
    needed: int = LEAST_LESIONS
    mark: float = 100 * LIMIT / LONGEST_BAR

    @property
    def here(self) -> ShownStanding | None:
        """The lesion that the page is about, where it is among them."""
        return next((one for one in self.shown if one.here), None)


def rank_lesions(actor: Actor, lesion: Lesion) -> Standings:
    """Return how the patient's lesions differ from one another, as the model that judged this one last sees them."""
    latest = find_latest(actor, lesion)
    bundle = latest[lesion.pk].bundle_sha256 if lesion.pk in latest else ""
    alike = {result.picture.lesion: result for result in latest.values() if result.bundle_sha256 == bundle}
    embeddings = {one.key: restore_floats(result.embedding) for one, result in alike.items() if one}
    standings = find_standings({key: np.asarray(values) for key, values in embeddings.items()})
    shown = [
        ShownStanding(one, standings[one.key], here=one.pk == lesion.pk)
        for one in alike
        if one and one.key in standings
    ]
    return Standings(tuple(sorted(shown, key=lambda one: one.standing.rank)), len(embeddings))


def find_latest(actor: Actor, lesion: Lesion) -> dict[int, Result]:
    """Return the latest answer to a photograph that could be judged, for each of the patient's lesions by number."""
    pictures = Picture.objects.seen_by(actor).filter(
        patient=lesion.patient_id, lesion__removed_at=None, state=PictureState.ANSWERED, task__in=PHOTOGRAPHS
    )
    judged = pictures.exclude(triage=Triage.NOT_EVALUABLE).exclude(lesion=None).order_by("taken_on", "pk")
    last = {picture.lesion_id: picture.pk for picture in judged.only("lesion_id")}
    results = Result.objects.filter(picture__in=last.values()).select_related("picture__lesion").order_by("pk")
    return {result.picture.lesion_id: result for result in results if result.picture.lesion_id is not None}

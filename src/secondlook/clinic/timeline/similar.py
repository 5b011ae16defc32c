"""Similar cases among what the practice's own doctors have confirmed.

What is kept in memory is one direction per picture, without names; it is never older than an hour, and who may see a
picture is asked of the database each time.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from django.db.models import Exists, Max, OuterRef
from django.utils.formats import number_format

from secondlook.clinic.accounts.actors import Actor
from secondlook.clinic.cases.models import Opinion, Picture, Result, Triage, Verdict
from secondlook.clinic.cases.results import restore_floats
from secondlook.clinic.look.presentation import read_language
from secondlook.conditions import find_task
from secondlook.explanation.nearest import DirectionIndex

SHOWN, FIRST_LOOK, SECOND_LOOK = 5, 64, 1024
LOADED_AT_ONCE = 2000
# Rows may be committed out of the order of their numbers.
OVERLAP = 100
OLDEST_S = 3600
MOST_SETS = 8


@dataclass(frozen=True, slots=True)
class AlikePicture:
    """A confirmed case for a reader."""

    picture: Picture
    name: str
    alarming: bool
    histology: bool
    similarity: str


class ConfirmedCases:
    """The confirmed pictures of one practice, as one bundle sees them; safe to use from several threads.

    Args:
        practice: Number of the practice.
        bundle: Hash of the bundle.
    """

    def __init__(self, practice: int, bundle: str) -> None:
        self._practice, self._bundle = practice, bundle
        self._lock = threading.Lock()
        self._index: DirectionIndex | None = None
        self._loaded_at = 0.0
        self._seen = (0, 0)

    def find_nearest(self, embedding: "np.ndarray[Any, Any]", count: int) -> list[tuple[int, float]]:
        """Return numbers of pictures and their similarity, the most similar first."""
        with self._lock:
            self._refresh()
            return self._index.find_nearest(embedding, count) if self._index else []

    def __len__(self) -> int:
        """Return how many cases there are."""
        return len(self._index) if self._index else 0

    def _refresh(self) -> None:
        """Take in what was confirmed or answered since; all of it anew once an hour."""
        newest = find_newest()
        results = Result.objects.filter(bundle_sha256=self._bundle, practice=self._practice)
        if self._loaded_at and time.monotonic() - self._loaded_at < OLDEST_S:
            if newest == self._seen:
                return
            opinion, result = (number - OVERLAP for number in self._seen)
            touched = set(Opinion.objects.filter(pk__gt=opinion).values_list("picture", flat=True))
            touched |= set(results.filter(pk__gt=result).values_list("picture", flat=True))
            results = results.filter(picture__in=touched)
            if self._index:
                self._index.drop(list(touched))
        else:
            self._index, self._loaded_at = None, time.monotonic()
        confirmed = results.filter(picture__removed_at=None).exclude(picture__confirmed_label="")
        rows = confirmed.exclude(triage=Triage.NOT_EVALUABLE).order_by("pk").values_list("picture", "embedding")
        self._put(rows.iterator(LOADED_AT_ONCE))
        self._seen = newest

    def _put(self, rows: Iterator[tuple[int, bytes | memoryview]]) -> None:
        while latest := dict(islice(rows, LOADED_AT_ONCE)):
            values = np.stack([restore_floats(content) for content in latest.values()])
            if self._index is None:
                self._index = DirectionIndex(values.shape[1])
            self._index.put(list(latest), values)


def find_newest() -> tuple[int, int]:
    """Return the numbers of the newest opinion and the newest result."""
    newest = (model.objects.aggregate(newest=Max("pk"))["newest"] or 0 for model in (Opinion, Result))
    opinion, result = newest
    return opinion, result


_lock = threading.Lock()
_sets: OrderedDict[tuple[int, str], ConfirmedCases] = OrderedDict()


def open_cases(practice: int, bundle: str) -> ConfirmedCases:
    """Return this process's set of a practice and a bundle; those that were used longest ago are let go."""
    key = (practice, bundle)
    with _lock:
        found = _sets.pop(key, None) or ConfirmedCases(practice, bundle)
        _sets[key] = found
        while len(_sets) > MOST_SETS:
            _sets.popitem(last=False)
    return found


def find_similar(actor: Actor, result: Result) -> list[AlikePicture]:
    """Return the practice's confirmed cases most like a result's picture, without those of the same patient.

    Of every lesion at most one picture is returned; nothing where the picture could not be judged.
    """
    if not actor.is_clinical or not result.bundle_sha256 or result.triage == Triage.NOT_EVALUABLE:
        return []
    cases = open_cases(actor.practice.pk, result.bundle_sha256)
    embedding = restore_floats(result.embedding)
    for looked in (FIRST_LOOK, SECOND_LOOK):
        nearest = dict(cases.find_nearest(embedding, looked))
        kept = choose_pictures(actor, result, nearest)
        if len(kept) == SHOWN or len(nearest) < looked:
            break
    return [present_case(picture, nearest[picture.pk]) for picture in kept]


def choose_pictures(actor: Actor, result: Result, nearest: dict[int, float]) -> list[Picture]:
    """Return the pictures to show among the nearest ones, the most similar first."""
    facts = Picture.objects.filter(pk__in=nearest, task=result.task).exclude(confirmed_label="")
    lesions = dict(facts.exclude(patient=result.picture.patient_id).values_list("pk", "lesion"))
    told = Opinion.objects.filter(picture=OuterRef("pk"), verdict=Verdict.HISTOLOGY)
    seen = Picture.objects.seen_by(actor).annotate(has_histology=Exists(told))
    chosen: list[Picture] = []
    for number in (number for number in nearest if number in lesions):  # the most similar comes first
        if len(chosen) == SHOWN:
            break
        if lesions[number] and lesions[number] in {one.lesion_id for one in chosen}:
            continue
        # One by one: asked for several, SQLite walks along all of the practice's instead.
        chosen += seen.filter(pk=number)
    return chosen


def present_case(picture: Picture, similarity: float) -> AlikePicture:
    """Return a case in the reader's language."""
    task = find_task(picture.task)
    return AlikePicture(
        picture=picture,
        name=task.find_label(picture.confirmed_label).names[read_language()],
        alarming=picture.confirmed_label in task.alarming,
        histology=bool(getattr(picture, "has_histology", False)),
        similarity=number_format(f"{similarity:.2f}"),
    )

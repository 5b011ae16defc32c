"""The pictures of a lesion in their order, and what changed from one to another, with the error of that."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from secondlook.clinic.accounts.actors import Actor
from secondlook.clinic.cases.models import Lesion, Picture, PictureState
from secondlook.clinic.timeline.pairs import Pair, compare_files
from secondlook.conditions import TASKS
from secondlook.explanation.change.appearance import (
    AreaChange,
    ColourChange,
    Noise,
    judge_area,
    judge_colour,
    pool_noise,
)

PHOTOGRAPHS = tuple(key for key, task in TASKS.items() if task.kind == "photograph")
SHOWN = 24
OWN_PAIRS = 6

Obstacle = Literal["", "unmatched", "no_lesion", "cut", "no_scale"]


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """How a lesion changed from an earlier picture to a later one.

    Attributes:
        earlier: The earlier picture.
        later: The later one.
        pair: What the two pictures gave.
        noise: How far pictures of this lesion differ without any change.
        area: The change of area, where it can be told.
        colour: The change of colour, where it can be told.
        obstacle: Why the area cannot be told.
    """

    earlier: Picture
    later: Picture
    pair: Pair
    noise: Noise
    area: AreaChange | None
    colour: ColourChange | None
    obstacle: Obstacle

    @property
    def aligned(self) -> bool:
        """Whether one picture can be laid over the other."""
        return self.pair.registration.trusted


def list_photographs(actor: Actor, lesion: Lesion) -> list[Picture]:
    """Return the answered photographs of a lesion that the actor may see, the earliest first; at most the last 24."""
    found = Picture.objects.seen_by(actor).filter(lesion=lesion, state=PictureState.ANSWERED, task__in=PHOTOGRAPHS)
    return list(found.order_by("-taken_on", "-pk")[:SHOWN])[::-1]


def compare_pictures(earlier: Picture, later: Picture, *, noise: Noise) -> Comparison:
    """Return how the lesion changed between two of its pictures.

    Raises:
        FileLostError: A file is not there.
        BundleError: The outline network cannot be loaded.
    """
    pair = compare_files(earlier.shown, later.shown)
    obstacle, magnification = find_magnification(pair, earlier, later)
    area = colour = None
    if pair.change and pair.registration.trusted:
        colour = judge_colour(pair.change, noise=noise)
    if pair.change and magnification:
        area = judge_area(pair.change, magnification=magnification, noise=noise)
    return Comparison(earlier, later, pair, noise, area, colour, obstacle)


def find_magnification(pair: Pair, earlier: Picture, later: Picture) -> tuple[Obstacle, float | None]:
    """Return how much larger the later picture shows things, as measured, or why no area can be told."""
    if pair.change is None:
        return "no_lesion", None
    if pair.change.cut:
        return "cut", None
    if earlier.mm_per_px and later.mm_per_px:
        one, other = (
            picture.mm_per_px * picture.width / sight.width  # type: ignore[operator]  # looked at just above
            for picture, sight in zip((earlier, later), pair.sights, strict=True)
        )
        return "", one / other
    if not pair.registration.trusted:
        return "unmatched", None
    if not pair.registration.scale_trusted:
        return "no_scale", None
    return "", pair.registration.placement.scale


def measure_noise(pictures: Sequence[Picture]) -> Noise:
    """Return how far pictures of this lesion differ without any change: from its own pairs of one day, if there are.

    Raises:
        FileLostError: A file is not there.
        BundleError: The outline network cannot be loaded.
    """
    days = itertools.groupby(pictures, key=lambda picture: picture.taken_on)
    pairs = [
        pair
        for _, same in days
        for pair in itertools.combinations(same, 2)
        if pair[0].sha256 != pair[1].sha256  # the same file twice would say that there is no error
    ]
    stated = pool_noise()
    found = [compare_pictures(*pair, noise=stated) for pair in pairs[-OWN_PAIRS:]]
    return pool_noise(
        [math.log(one.area.ratio) for one in found if one.area],
        [one.colour.distance for one in found if one.colour],
    )

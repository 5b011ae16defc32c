"""Which task a picture belongs to, if any: a Gaussian for each task over a few coarse facts of the picture.

It runs before any bundle, takes about a millisecond, and knows nothing of the bundles, which may be trained anew
without it. It refuses what resembles no task; what passes is looked at once more by the outlier score of the bundle
that answers.
"""

import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, JsonValue, PositiveFloat, PositiveInt, ValidationError, model_validator

from secondlook.conditions import TASKS
from secondlook.errors import BundleError
from secondlook.imaging.resize import resize_picture
from secondlook.inference.reference import read_arrays
from secondlook.inference.schema import Schema, Sha256

Floats = NDArray[np.float64]

FACTS, ARRAYS = "router.json", "router.npz"
SHIPPED = Path(__file__).parents[1] / "bundles" / "router"
VIEW_PX, THUMBNAIL, DETAIL_CELLS, LEVELS = 64, 8, 4, 3
LUMINANCE = np.array([0.299, 0.587, 0.114])
# Weakest detail and colour that are told from none; below lies the noise of compression.
LEAST_DETAIL, LEAST_COLOUR = 1e-6, 1 / 255


class RoutedTask(Schema):
    """A task that pictures are led to, the score above which they are not, and what it learned from."""

    task: str
    limit: PositiveFloat
    data_fingerprint: str
    pictures: PositiveInt
    groups: PositiveInt


class RouterFacts(Schema):
    """``router.json``; ``measured`` is what :func:`secondlook.evaluation.routing.measure_routing` found."""

    schema_version: Literal[1]
    created: datetime.date
    secondlook_version: str
    shrinkage: Annotated[float, Field(gt=0, lt=1)]
    share: Annotated[float, Field(ge=0, lt=1)]
    tasks: Annotated[tuple[RoutedTask, ...], Field(min_length=1)]
    arrays_sha256: Sha256
    measured: dict[str, JsonValue] = Field(default_factory=dict)

    @model_validator(mode="after")
    def check_tasks(self) -> Self:
        """Refuse a task that this version does not know, or one twice."""
        keys = [one.task for one in self.tasks]
        if len(set(keys)) < len(keys) or not set(keys) <= set(TASKS):
            raise ValueError(f"tasks: expected some of {', '.join(TASKS)}, each once, got {', '.join(keys)}")
        return self


@dataclass(frozen=True)
class Gaussian:
    """Mean, spread and whitening of the facts of one task's pictures.

    Attributes:
        mean: float F.
        spread: float F, standard deviations.
        whitening: float F×F, makes what was divided by the spread uncorrelated.
    """

    mean: NDArray[np.floating]
    spread: NDArray[np.floating]
    whitening: NDArray[np.floating]

    def score(self, facts: Floats) -> float:
        """Return the root mean square of the whitened facts, float64 F; about 1 for pictures that belong."""
        return float(np.sqrt(np.square(self.whitening @ ((facts - self.mean) / self.spread)).mean()))


@dataclass(frozen=True, slots=True)
class Route:
    """Where a picture was led.

    Attributes:
        task: The task's key; nothing where it resembles none of those asked for.
        nearest: The task that it resembles most, of all that the router knows.
        scores: By task, how far the picture lies from its pictures, in units of the limit: up to 1 it belongs.
    """

    task: str | None
    nearest: str
    scores: Mapping[str, float]


class Router:
    """Leads pictures to tasks; safe to use from several threads.

    Args:
        folder: Folder with ``router.json`` and ``router.npz``.

    Raises:
        BundleError: One of them is missing, damaged, or does not fit the other.
    """

    def __init__(self, folder: Path) -> None:
        try:
            text, data = (folder / FACTS).read_bytes(), (folder / ARRAYS).read_bytes()
            self.facts = RouterFacts.model_validate_json(text)
        except (OSError, ValidationError) as error:
            raise BundleError(
                f"Expected {FACTS} and {ARRAYS} of a router in {folder.name!r}; one is missing or does not follow the "
                "schema. Make it again with `secondlook router fit`."
            ) from error
        if hashlib.sha256(data).hexdigest() != self.facts.arrays_sha256:
            raise BundleError(
                f"{ARRAYS} was changed after {FACTS} was written. Make the router again with `secondlook router fit`."
            )
        self._gaussians = _read_gaussians(data, self.facts)

    @property
    def tasks(self) -> tuple[str, ...]:
        """The keys of the tasks that it knows."""
        return tuple(self._gaussians)

    def route(self, pixels: NDArray[np.uint8], tasks: tuple[str, ...] | None = None) -> Route:
        """Lead a picture to the task whose pictures it resembles most.

        Args:
            pixels: uint8 H×W×3, RGB.
            tasks: Those that can be answered; a picture of another one is led nowhere. All by default.
        """
        facts = describe_picture(pixels)
        scores = {one.task: round(self._gaussians[one.task].score(facts) / one.limit, 6) for one in self.facts.tasks}
        nearest = min(scores, key=lambda key: scores[key])
        belongs = scores[nearest] <= 1 and (tasks is None or nearest in tasks)
        return Route(nearest if belongs else None, nearest, scores)


def describe_picture(pixels: NDArray[np.uint8]) -> Floats:
    """Return the facts of a picture that tell tasks apart: its central square as thumbnail, detail and colourfulness.

    Args:
        pixels: uint8 H×W×3, RGB.

    Returns:
        float64 F: the RGB of 8×8 cells, 0…1; the log energy of each octave of detail in 4×4 cells (differences between
        the levels of an image pyramid, Burt and Adelson 1983, doi 10.1109/TCOM.1983.1095851); and the log distance
        between the strongest and the weakest colour in 4×4 cells.
    """
    view = resize_picture(pixels, VIEW_PX).astype(np.float64) / 255
    facts, level = [average_cells(view, THUMBNAIL)], view @ LUMINANCE
    for _ in range(LEVELS):
        below = average_cells(level, len(level) // 2)
        detail = level - below.repeat(2, axis=0).repeat(2, axis=1)
        facts.append(np.log(average_cells(detail**2, DETAIL_CELLS) + LEAST_DETAIL))
        level = below
    colour = view.max(axis=2) - view.min(axis=2)
    facts.append(np.log(average_cells(colour, DETAIL_CELLS) + LEAST_COLOUR))
    return np.concatenate([part.ravel() for part in facts])


def average_cells(values: Floats, cells: int) -> Floats:
    """Return the means of square cells, ``cells`` in each direction, of a square float64 S×S or S×S×C."""
    side = len(values) // cells
    return np.asarray(values.reshape(cells, side, cells, side, *values.shape[2:]).mean(axis=(1, 3)))


@cache
def load_router(folder: Path = SHIPPED) -> Router:
    """Return the router of a folder, by default the shipped one; read once in a process.

    Raises:
        BundleError: As for :class:`Router`.
    """
    return Router(folder)


def _read_gaussians(data: bytes, facts: RouterFacts) -> dict[str, Gaussian]:
    arrays = read_arrays(data, ("mean", "spread", "whitening"), file=ARRAYS)
    count, width = len(facts.tasks), len(describe_picture(np.zeros((VIEW_PX, VIEW_PX, 3), dtype=np.uint8)))
    wanted = {"mean": (count, width), "spread": (count, width), "whitening": (count, width, width)}
    for name, shape in wanted.items():
        if arrays[name].dtype != np.float32 or arrays[name].shape != shape or not np.isfinite(arrays[name]).all():
            raise BundleError(
                f"Expected finite float32 of shape {shape} as {name} in {ARRAYS}, got {arrays[name].dtype} of shape "
                f"{arrays[name].shape}. Make the router again with `secondlook router fit`."
            )
    if arrays["spread"].min() <= 0:
        raise BundleError(f"Expected spreads above 0 in {ARRAYS}. Make the router again with `secondlook router fit`.")
    rows = zip(arrays["mean"], arrays["spread"], arrays["whitening"], strict=True)
    return {one.task: Gaussian(*row) for one, row in zip(facts.tasks, rows, strict=True)}

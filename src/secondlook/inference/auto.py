"""One picture in, the answer of the bundle for its task out: the router chooses, one bundle runs."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, overload

from secondlook.conditions import find_task
from secondlook.errors import BundleError
from secondlook.imaging.quality import Quality, assess_quality
from secondlook.imaging.read import Picture, read_bytes, read_picture
from secondlook.inference.bundle import find_bundle, list_bundles, open_bundle
from secondlook.inference.predictor import LEAST_TARGET_PX, Prediction, Predictor, Readable, choose_target
from secondlook.inference.reasons import Reason, explain_flag
from secondlook.inference.router import Route, Router, load_router


@dataclass(frozen=True, slots=True, eq=False)
class Unplaced:
    """What is said of a picture that belongs to no task on offer: nothing but why.

    Attributes:
        route: Where the picture would have been led.
        reasons: Why it is not evaluable, most important first.
        quality: How good it is, as a picture of the nearest task.
        size_px: Width and height of the picture in its file.
        seconds: Time from file to answer.
        task: ``none``.
        triage: ``not_evaluable``.
    """

    route: Route
    reasons: tuple[Reason, ...]
    quality: Quality
    size_px: tuple[int, int]
    seconds: float
    task: Literal["none"] = field(default="none", init=False)
    triage: Literal["not_evaluable"] = field(default="not_evaluable", init=False)


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """A picture as it was read, where it was led, and what was said of it."""

    picture: Picture
    route: Route
    prediction: Prediction | Unplaced


class AutoPredictor:
    """Finds out what a picture shows and asks the bundle for that; safe to use from several threads.

    The prediction is, to the last digit, what the bundle gives when it is asked itself.

    Args:
        predictors: The bundles; of several for one task the first answers.
        router: Leads pictures to tasks; the shipped one by default.

    Raises:
        BundleError: The router cannot be read, or knows none of the bundles' tasks.
    """

    def __init__(self, predictors: Sequence[Predictor], router: Router | None = None) -> None:
        self._router = router or load_router()
        first: dict[str, Predictor] = {}
        for one in predictors:
            first.setdefault(one.task.key, one)
        self.predictors: Mapping[str, Predictor] = first
        self._tasks = tuple(key for key in self._router.tasks if key in self.predictors)
        if not self._tasks:
            raise BundleError(
                f"Expected a bundle of a task that the router knows ({', '.join(self._router.tasks)}), got "
                f"{', '.join(self.predictors) or 'none'}. Choose the task yourself, or make a router with "
                "`secondlook router fit`."
            )

    # str and bytes are sequences too; the first signature that fits is theirs.
    @overload
    def predict(self, pictures: Readable) -> Prediction | Unplaced: ...  # type: ignore[overload-overlap]

    @overload
    def predict(self, pictures: Sequence[Readable]) -> list[Prediction | Unplaced]: ...

    def predict(self, pictures: Readable | Sequence[Readable]) -> Prediction | Unplaced | list[Prediction | Unplaced]:
        """Predict one picture, or each of several, each with the bundle for its task.

        Args:
            pictures: As :meth:`secondlook.inference.predictor.Predictor.predict` takes them.

        Raises:
            InputError: A picture cannot be read.
        """
        if isinstance(pictures, Sequence) and not isinstance(pictures, str | bytes | bytearray | memoryview):
            return [self.look(picture).prediction for picture in pictures]
        return self.look(pictures).prediction

    def look(self, source: Readable) -> Looked:
        """Read one picture, lead it to its task, and predict it there.

        Raises:
            InputError: The picture cannot be read.
        """
        started = time.perf_counter()
        picture, route = self.lead(source)
        if route.task is None:
            return Looked(picture, route, self._refuse(picture, route, started))
        return Looked(picture, route, self.predictors[route.task].predict(picture))

    def lead(self, source: Readable) -> tuple[Picture, Route]:
        """Read one picture as the bundle for its task takes it, and say where it is led.

        Raises:
            InputError: The picture cannot be read.
        """
        data = source if isinstance(source, Picture) else read_bytes(source)
        picture = data if isinstance(data, Picture) else read_picture(data, target_px=LEAST_TARGET_PX)
        route = self._router.route(picture.pixels, self._tasks)
        if route.task and not isinstance(data, Picture):
            target_px = choose_target(self.predictors[route.task].bundle.facts.input_size_px)
            if target_px > LEAST_TARGET_PX:
                picture = read_picture(data, target_px=target_px)
        return picture, route

    def _refuse(self, picture: Picture, route: Route, started: float) -> Unplaced:
        source, kind = picture.source, find_task(route.nearest).kind
        quality = assess_quality(picture.pixels, kind=kind, shorter_side_px=source.shorter_side_px)
        score = route.scores[route.nearest]
        why = Reason("unplaced" if score > 1 else "not_offered", {"task": route.nearest, "score": score})
        return Unplaced(
            route=route,
            reasons=(why, *map(explain_flag, quality.flags), Reason("decision_support", {})),
            quality=quality,
            size_px=(source.width, source.height),
            seconds=time.perf_counter() - started,
        )


def load_auto(bundles: Sequence[str] = (), *, router: Router | None = None) -> AutoPredictor:
    """Open bundles by shipped name or folder, by default all shipped ones, ready to lead pictures to them.

    Raises:
        BundleError: A bundle or the router cannot be trusted or read.
    """
    opened = [Predictor(open_bundle(find_bundle(name))) for name in bundles or list_bundles()]
    return AutoPredictor(opened, router)

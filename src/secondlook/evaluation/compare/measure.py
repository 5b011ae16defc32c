"""Measure several models through the predictor that serves, and compare each with the first."""

import dataclasses
import hashlib
import json
import math
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from secondlook.conditions import Task
from secondlook.data.fingerprint import Track, hash_files, track_silently
from secondlook.data.manifest import Manifest
from secondlook.errors import DatasetError
from secondlook.evaluation.answers import Answered, answer_manifest
from secondlook.evaluation.compare.runs import Candidate, require_task
from secondlook.evaluation.intervals import Interval
from secondlook.evaluation.measures import Answers
from secondlook.evaluation.outside import select_test, take_unseen
from secondlook.evaluation.paired import Difference, adjust_values, compare_answers
from secondlook.evaluation.run import NO_LEAK, RESAMPLES, judge_leak
from secondlook.evaluation.summary import bound_summary
from secondlook.inference.bundle import Bundle, open_bundle
from secondlook.inference.graph import count_parameters
from secondlook.inference.predictor import Predictor

TRAIN_GROUPS = 500
TIMED_RUNS = 15
WARM_RUNS = 3


@dataclass(frozen=True)
class Part:
    """What was measured of one model on one split.

    Attributes:
        pictures: Number of pictures.
        groups: Number of patients or lesions.
        figures: As :func:`secondlook.evaluation.summary.bound_summary` returns them.
        sampled: Whether only some of the split's patients or lesions were measured.
        notes: One sentence for each kind of picture that was left out.
    """

    pictures: int
    groups: int
    figures: Mapping[str, Interval]
    sampled: bool
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Compared:
    """One model among others.

    Attributes:
        name: As shown.
        test: On the split test, or on all of a manifest without splits.
        train: On the split train; none where the manifest has none.
        leak: ``none``, or the note that marks every figure.
        comparable: Whether it was measured on the same pictures as the first model.
        differences: From the first model, p-values adjusted for the number of models; nothing for the first itself
            and for one that is not comparable.
        parameters: Numbers with a fraction that the graph stores.
        training_seconds: Time spent in epochs; none where no history says so.
        milliseconds: For the graph to answer one picture, measured now, one thread.
        relative_time: The same as a multiple of the first model's.
        bundle_bytes: Size of all files of the bundle.
        input_size: What the graph takes, in words.
    """

    name: str
    test: Part
    train: Part | None
    leak: str
    comparable: bool
    differences: Mapping[str, Difference]
    parameters: int
    training_seconds: float | None
    milliseconds: float
    relative_time: float
    bundle_bytes: int
    input_size: str


@dataclass(frozen=True)
class Comparison:
    """Models side by side.

    Attributes:
        task: Their task.
        models: The first one is what the others are compared with.
        train_groups: Most patients or lesions of a split train that were measured; 0 for all.
        seed: Of samples and bootstraps.
        resamples: Number of bootstrap resamples.
        margin: By how much a model may be worse than the first and still count as not worse; none for no verdict.
    """

    task: Task
    models: tuple[Compared, ...]
    train_groups: int
    seed: int
    resamples: int
    margin: float | None = None


@dataclass(frozen=True)
class _Measured:
    """A model measured by itself, before it is compared."""

    compared: Compared
    answers: Answers
    pictures: str


def compare_models(
    candidates: Sequence[Candidate],
    *,
    train_groups: int = TRAIN_GROUPS,
    margin: float | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
    track: Track = track_silently,
) -> Comparison:
    """Measure several models, and compare each with the first.

    Args:
        candidates: Models of one task.
        train_groups: Most patients or lesions of each split train to measure, drawn by the seed; 0 for all.
        margin: By how much a model may be worse than the first and still count as not worse; none for no verdict.
        seed: Of samples and bootstraps.
        resamples: Number of bootstrap resamples.
        track: Shows progress.

    Raises:
        InputError: The models are for different tasks.
        DatasetError: A manifest is of another task, or none of its pictures can be measured.
        BundleError: A bundle does not pass its checks.
    """
    task = require_task(candidates)
    first: _Measured | None = None
    models: list[Compared] = []
    timer = Timer(open_bundle(candidates[0].bundle))
    for candidate in candidates:
        measured = measure_candidate(
            candidate, timer, train_groups=train_groups, seed=seed, resamples=resamples, track=track
        )
        if first is None:
            first = measured
        elif measured.pictures != first.pictures:
            measured = dataclasses.replace(measured, compared=dataclasses.replace(measured.compared, comparable=False))
        else:
            differences = compare_answers(first.answers, measured.answers, seed=seed, resamples=resamples)
            changed = dataclasses.replace(measured.compared, differences=differences)
            measured = dataclasses.replace(measured, compared=changed)
        models.append(measured.compared)
    return Comparison(task, tuple(adjust_differences(models)), train_groups, seed, resamples, margin)


def measure_candidate(
    candidate: Candidate, timer: "Timer", *, train_groups: int, seed: int, resamples: int, track: Track
) -> _Measured:
    """Measure one model by itself."""
    bundle = open_bundle(candidate.bundle)
    predictor = Predictor(bundle)
    splits = set(candidate.manifest.frame["split"]) if "split" in candidate.manifest.frame else set()
    answered = answer_manifest(
        predictor, candidate.manifest.select("test") if splits else candidate.manifest, track=track
    )
    answers, pictures = arrange_answers(answered)
    train = None
    if "train" in splits:
        learned = candidate.manifest.select("train")
        sample = draw_groups(learned, train_groups, seed=seed)
        looked = answer_manifest(predictor, sample, track=track)
        train = describe_part(looked, looked.answers, seed=seed, resamples=resamples, whole=len(learned))
    own, relative = timer.measure(bundle)
    compared = Compared(
        name=candidate.name,
        test=describe_part(answered, answers, seed=seed, resamples=resamples),
        train=train,
        leak=judge_candidate(candidate, bundle, track=track),
        comparable=True,
        differences={},
        parameters=count_parameters((candidate.bundle / "model.onnx").read_bytes()),
        training_seconds=candidate.training_seconds,
        milliseconds=own,
        relative_time=relative,
        bundle_bytes=sum(file.stat().st_size for file in candidate.bundle.iterdir()),
        input_size=bundle.facts.describe_input(),
    )
    return _Measured(compared, answers, pictures)


def judge_candidate(candidate: Candidate, bundle: Bundle, *, track: Track) -> str:
    """Return ``none``, or the note that marks a model's figures.

    A run that is measured on another manifest than its own proves by its own split that it held these patients back.
    """
    note = judge_leak(bundle.facts, candidate.manifest, split="test", allow_leak=True)
    if candidate.own is None or bundle.facts.training.leak != NO_LEAK:
        return note
    measured = select_test(candidate.manifest)
    if not set(measured.frame["group"]) <= set(select_test(candidate.own).frame["group"]):
        return note
    try:
        take_unseen({candidate.name: measured}, candidate.own, track=track)
    except DatasetError as error:
        return f"measured on what it has learned from: {error}"
    return NO_LEAK


def describe_part(answered: Answered, answers: Answers, *, seed: int, resamples: int, whole: int | None = None) -> Part:
    """Return the figures of some answers."""
    asked = len(answered.manifest)
    return Part(
        pictures=asked,
        groups=len(np.unique(answers.groups)),
        figures=bound_summary(answers, seed=seed, resamples=resamples),
        sampled=whole is not None and asked < whole,
        notes=answered.notes,
    )


def draw_groups(manifest: Manifest, most: int, *, seed: int) -> Manifest:
    """Return the rows of at most so many groups, drawn by the seed; all of them for 0."""
    groups = np.sort(manifest.frame["group"].astype(str).unique())
    if not most or len(groups) <= most:
        return manifest
    drawn = np.random.default_rng(seed).choice(groups, size=most, replace=False)
    rows = manifest.frame["group"].astype(str).isin(drawn)
    return Manifest(manifest.frame[rows].reset_index(drop=True), manifest.root, manifest.task)


def arrange_answers(answered: Answered) -> tuple[Answers, str]:
    """Return answers in an order that the pictures alone decide, and a hash of pictures, labels and groups.

    Two manifests may name and order the same pictures differently.
    """
    frame = answered.manifest.frame
    rows = list(zip(hash_files(answered.manifest), frame["label"].astype(str), frame["group"].astype(str), strict=True))
    order = np.array(sorted(range(len(rows)), key=lambda row: rows[row]), dtype=np.int64)
    arranged = {
        field.name: getattr(answered.answers, field.name)[order]
        for field in dataclasses.fields(Answers)
        if isinstance(getattr(answered.answers, field.name), np.ndarray)
    }
    digest = hashlib.sha256(json.dumps([rows[row] for row in order]).encode()).hexdigest()
    return dataclasses.replace(answered.answers, **arranged), digest


def adjust_differences(models: Sequence[Compared]) -> list[Compared]:
    """Return the models with p-values adjusted, figure by figure, for how many models are compared with the first."""
    adjusted: list[dict[str, Difference]] = [dict(model.differences) for model in models]
    for name in dict.fromkeys(name for model in models for name in model.differences):
        places = [place for place, model in enumerate(models) if name in model.differences]
        values = adjust_values([models[place].differences[name].p for place in places])
        for place, value in zip(places, values, strict=True):
            adjusted[place][name] = dataclasses.replace(models[place].differences[name], p=value)
    return [dataclasses.replace(model, differences=found) for model, found in zip(models, adjusted, strict=True)]


class Timer:
    """Measures how long graphs take, each in turn with the first one, so that a busy machine slows both alike."""

    def __init__(self, first: Bundle) -> None:
        self._first = first

    def measure(self, bundle: Bundle) -> tuple[float, float]:
        """Return the median milliseconds for one picture, one thread, and the ratio to the first bundle's."""
        seconds: tuple[list[float], list[float]] = ([], [])
        for number in range(WARM_RUNS + TIMED_RUNS):
            for place, one in enumerate((self._first, bundle)):
                elapsed = time_picture(one, one.reference.probe_image)
                if number >= WARM_RUNS:
                    seconds[place].append(elapsed)
        first, own = map(statistics.median, seconds)
        same = bundle.session is self._first.session
        return 1000 * own, 1.0 if same else own / first


def time_picture(bundle: Bundle, image: NDArray[np.uint8]) -> float:
    """Return the seconds that the graph takes for one picture, uint8 H×W×3."""
    started = time.perf_counter()
    bundle.session.run(image[None])
    return time.perf_counter() - started


def is_marked(model: Compared) -> bool:
    """Tell whether a model's figures carry a mark."""
    return model.leak != NO_LEAK


def is_sure(difference: Difference) -> bool:
    """Tell whether a difference is too great for chance, at 5 %."""
    return not math.isnan(difference.p) and difference.p < 0.05

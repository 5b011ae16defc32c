"""One picture in, one prediction out: the same for the command line, the page, the interface and evaluation."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, overload

import numpy as np
from numpy.typing import NDArray

from secondlook.conditions import Task, Urgency, find_task
from secondlook.imaging.quality import Quality, assess_quality
from secondlook.imaging.read import Bytes, Picture, read_picture
from secondlook.imaging.resize import Box, Resize, find_box, read_size, resize_picture
from secondlook.inference.bundle import Bundle, Calibration, find_bundle, open_bundle
from secondlook.inference.occlusion import OcclusionHeatmaps, scale_maps
from secondlook.inference.outliers import fit_scorer
from secondlook.inference.reasons import Reason, explain_flag
from secondlook.inference.schema import MapKind, Scaling, SetLimits

Verdict = Literal["urgent", "refer", "routine"]
Triage = Verdict | Literal["not_evaluable"]
LEAST_TARGET_PX = 192

Readable = str | Path | Bytes | BinaryIO | Picture


@dataclass(frozen=True, slots=True)
class BundleIdentity:
    """Which bundle answered; ``sha256`` covers every file of it."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What a bundle says about one picture. It supports a decision; it is no diagnosis.

    Attributes:
        task: Key of the task.
        label: The label whose probability stands highest above its usual share (the balanced decision).
        probabilities: Calibrated probability by label, in the task's order; they add up to one.
        risk: Sum of the alarming labels' probabilities, which triage rests on: malignancy, pneumonia and so on.
        triage: ``urgent``, ``refer``, ``routine``, or ``not_evaluable`` for a bad picture or an outlier; the other
            fields of such a picture are filled in all the same, for research.
        reasons: What the triage rests on, most important first.
        prediction_set: The labels that the picture may show: all those whose probability reaches their limit, which is
            set so that of pictures of each label about nine in ten get a set that holds it. In the task's order;
            empty where the bundle was made without such limits.
        undecided: Whether the set is too wide to say anything; the model then commits itself to no label. The triage
            stands all the same, for it rests on the risk.
        outlier_score: Distance from the calibration pictures; higher is stranger.
        quality: How good the picture is.
        heatmaps: By label, float32 h×w in 0…1 over what the network saw of the picture, row 0 at the top.
        heatmap_kind: What the heatmaps are: ``class_activation``, ``head_by_place``, or ``occlusion``, which is
            computed when a heatmap is first asked for.
        seen: That part of the picture: left, top, right and lower edge as shares of width and height.
        embedding: float32 D.
        logits: float32 K, as the graph gives them.
        size_px: Width and height of the picture in its file.
        bundle: Which bundle answered.
        seconds: Time from file to answer.
    """

    task: str
    label: str
    probabilities: Mapping[str, float]
    risk: float
    triage: Triage
    reasons: tuple[Reason, ...]
    prediction_set: tuple[str, ...]
    undecided: bool
    outlier_score: float
    quality: Quality
    heatmaps: Mapping[str, NDArray[np.float32]]
    heatmap_kind: MapKind
    seen: Box
    embedding: NDArray[np.float32]
    logits: NDArray[np.float32]
    size_px: tuple[int, int]
    bundle: BundleIdentity
    seconds: float

    @property
    def malignancy(self) -> float | None:
        """Sum of the malignant labels' probabilities; nothing where the task has no such label."""
        return self.risk if find_task(self.task).malignant else None

    @property
    def heatmap(self) -> NDArray[np.float32]:
        """The heatmap of the label, float32 h×w in 0…1 over what the network saw of the picture."""
        return self.heatmaps[self.label]


class Predictor:
    """Predicts with one bundle; safe to use from several threads.

    Attributes:
        bundle: The bundle.
        task: Its task.
        identity: Name, version and hash of the bundle, as predictions carry it.
        usual_shares: Each label's share of the training population, which its probability is compared with.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.task: Task = find_task(bundle.facts.task)
        self.identity = BundleIdentity(bundle.facts.name, bundle.facts.version, bundle.sha256)
        shares = soften(np.array(bundle.calibration.log_prior))
        self.usual_shares: dict[str, float] = dict(zip(self.task.keys, shares.tolist(), strict=True))
        outlier = bundle.calibration.outlier
        self._scorer = fit_scorer(
            outlier.method, bundle.reference.embedding, bundle.reference.label, **outlier.parameters
        )

    # str and bytes are sequences too; the first signature that fits is theirs.
    @overload
    def predict(self, pictures: Readable) -> Prediction: ...  # type: ignore[overload-overlap]

    @overload
    def predict(self, pictures: Sequence[Readable]) -> list[Prediction]: ...

    def predict(self, pictures: Readable | Sequence[Readable]) -> Prediction | list[Prediction]:
        """Predict one picture, or each of several; a batch gives exactly what singles give.

        Args:
            pictures: A path, the bytes of a file, an open file or a ``Picture``; or a sequence of them. A path, bytes
                and an open file of the same picture give the same result to the last digit.

        Raises:
            InputError: A picture cannot be read.
        """
        if isinstance(pictures, Sequence) and not isinstance(pictures, str | bytes | bytearray | memoryview):
            return [self._predict_one(picture) for picture in pictures]
        return self._predict_one(pictures)

    def _predict_one(self, source: Readable) -> Prediction:
        started = time.perf_counter()
        calibration = self.bundle.calibration
        picture, image = read_input(source, self.bundle.facts.input_size_px, resize=self.bundle.facts.resize)
        quality = assess_quality(picture.pixels, kind=self.task.kind, shorter_side_px=picture.source.shorter_side_px)
        outputs = self.bundle.session.run(image[None])
        probabilities = dict(zip(self.task.keys, calibrate(outputs.logits[0], calibration).tolist(), strict=True))
        label = max(probabilities, key=lambda key: probabilities[key] / self.usual_shares[key])
        risk = sum(probabilities[key] for key in self.task.alarming)
        # A scorer fitted on another number of threads differs in the thirteenth digit; the limit has six decimals.
        outlier_score = round(float(self._scorer.score(outputs.embedding, outputs.logits)[0]), 6)
        evaluable = quality.evaluable and outlier_score <= calibration.outlier.limit
        triage: Triage = choose_triage(risk, calibration, most=self.task.urgency) if evaluable else "not_evaluable"
        members = choose_set(probabilities, calibration.sets)
        undecided = calibration.sets is not None and len(members) > calibration.sets.widest
        reasons = self._explain(triage, label, probabilities, risk, outlier_score, quality)
        if triage != "not_evaluable" and len(members) > 1:
            reasons.insert(-1, explain_set(members, self.task, calibration, undecided=undecided))
        return Prediction(
            task=self.task.key,
            label=label,
            probabilities=probabilities,
            risk=risk,
            triage=triage,
            reasons=tuple(reasons),
            prediction_set=members,
            undecided=undecided,
            outlier_score=outlier_score,
            quality=quality,
            heatmaps=self._find_heatmaps(image, outputs.map),
            heatmap_kind=self.bundle.facts.graph.map,
            seen=self._find_seen(picture),
            embedding=outputs.embedding[0],
            logits=outputs.logits[0],
            size_px=(picture.source.width, picture.source.height),
            bundle=self.identity,
            seconds=time.perf_counter() - started,
        )

    def _find_heatmaps(
        self, image: NDArray[np.uint8], maps: NDArray[np.float32] | None
    ) -> Mapping[str, NDArray[np.float32]]:
        if maps is None:
            return OcclusionHeatmaps(self.bundle.session, image, self.task.keys)
        return dict(zip(self.task.keys, scale_maps(maps[0]), strict=True))

    def _find_seen(self, picture: Picture) -> Box:
        height, width = picture.pixels.shape[:2]
        facts = self.bundle.facts
        left, top, right, bottom = find_box(width, height, size_px=facts.input_size_px, resize=facts.resize)
        return left / width, top / height, right / width, bottom / height

    def _explain(
        self,
        triage: Triage,
        label: str,
        probabilities: Mapping[str, float],
        risk: float,
        outlier_score: float,
        quality: Quality,
    ) -> list[Reason]:
        calibration = self.bundle.calibration
        reasons = [explain_flag(flag) for flag in quality.flags]
        if outlier_score > calibration.outlier.limit:
            figures = {"score": outlier_score, "limit": calibration.outlier.limit}
            reasons.append(Reason("outlier", {**figures, "kind": self.task.kind}))
        if triage != "not_evaluable":
            reasons.insert(0, explain_triage(triage, risk, self.task, calibration))
            reasons.extend(self._explain_label(label, probabilities))
        reasons.append(Reason("decision_support", {}))
        return reasons

    def _explain_label(self, label: str, probabilities: Mapping[str, float]) -> list[Reason]:
        top = max(probabilities, key=lambda key: probabilities[key])
        if top == label:
            return []
        figures: dict[str, float | str] = {
            "task": self.task.key,
            "label": label,
            "probability": probabilities[label],
            "share": self.usual_shares[label],
            "top": top,
            "top_probability": probabilities[top],
            "top_share": self.usual_shares[top],
        }
        return [Reason("above_usual_share", figures)]


def load_predictor(name_or_folder: str | Path = "skin") -> Predictor:
    """Open a bundle by shipped name or folder, with all checks, ready to predict.

    Raises:
        BundleError: The bundle is missing, tampered with or of an unknown schema.
    """
    return Predictor(open_bundle(find_bundle(name_or_folder)))


def read_input(
    source: Readable, size_px: int | tuple[int, int], *, resize: Resize
) -> tuple[Picture, NDArray[np.uint8]]:
    """Return a picture, and uint8 H×W×3 RGB of it as the graph takes it.

    Training, calibration, evaluation and serving all read pictures in this way.

    Raises:
        InputError: The picture cannot be read.
    """
    picture = source if isinstance(source, Picture) else read_picture(source, target_px=choose_target(size_px))
    return picture, resize_picture(picture.pixels, size_px, resize=resize)


def choose_target(size_px: int | tuple[int, int]) -> int:
    """Return the shorter side that a picture is read with for a graph of this input size: one for all up to 192 pixels.

    So a picture that was read for one bundle, or to find out which to ask, is what any other would have read.
    """
    return max(LEAST_TARGET_PX, *read_size(size_px))


def calibrate(logits: NDArray[np.floating], calibration: Calibration) -> NDArray[np.float64]:
    """Return the probabilities, float64 of the logits' shape (…×K): ``softmax((logits + log_prior) / temperature)``.

    Where the calibration has a scaling, its weights and biases take the temperature's place.

    The graph is trained with logit adjustment (Menon et al. 2021, doi 10.48550/arXiv.2007.07314), so its logits take
    all labels for equally likely; the prior puts back the shares of the training population. One temperature:
    Guo, Pleiss, Sun, Weinberger 2017, doi 10.48550/arXiv.1706.04599.
    """
    scores = logits.astype(np.float64) + np.array(calibration.log_prior)
    if calibration.scaling is None:
        return soften(scores / calibration.temperature)
    return soften(scale_scores(scores, calibration.scaling))


def scale_scores(scores: NDArray[np.float64], scaling: Scaling) -> NDArray[np.float64]:
    """Return scores (float64 …×K, logits with the log prior added) as a scaling corrects them."""
    if scaling.method == "dirichlet":
        scores = scores - scores.max(axis=-1, keepdims=True)
        scores = scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))
    # One product per label: a matrix product rounds differently with the number of rows, and a batch equals singles.
    columns = [(scores * np.array(weights)).sum(axis=-1) for weights in scaling.weight]
    return np.asarray(np.stack(columns, axis=-1) + np.array(scaling.bias))


def choose_set(probabilities: Mapping[str, float], limits: SetLimits | None) -> tuple[str, ...]:
    """Return the labels that cannot be ruled out; nothing without limits."""
    if limits is None:
        return ()
    keys = [limit.label for limit in limits.labels]
    members = choose_members(np.array([[probabilities[key] for key in keys]]), limits)[0]
    return tuple(key for key, member in zip(keys, members, strict=True) if member)


def choose_members(probabilities: NDArray[np.float64], limits: SetLimits) -> NDArray[np.bool_]:
    """Return which labels cannot be ruled out: those whose probability reaches their limit, or the one nearest to it.

    Class-conditional conformal prediction: Sadinle, Lei and Wasserman 2019, doi 10.1080/01621459.2017.1395341.

    Args:
        probabilities: float64 N×K, calibrated.
        limits: Of the K labels.

    Returns:
        bool N×K, at least one in each row.
    """
    least = np.array([limit.least for limit in limits.labels])
    members = probabilities >= least
    empty = np.flatnonzero(~members.any(axis=1))
    members[empty, (probabilities[empty] / np.maximum(least, 1e-12)).argmax(axis=1)] = True
    return np.asarray(members)


def soften(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the softmax over the last axis."""
    odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True))


def choose_triage(risk: float, calibration: Calibration, *, most: Urgency) -> Verdict:
    """Return the triage of an evaluable picture, ``most`` being the most that its task ever asks for."""
    if risk >= calibration.find_point("sensitivity_90").threshold and most == "urgent":
        return "urgent"
    return "refer" if risk >= calibration.find_point("sensitivity_95").threshold else "routine"


def explain_set(members: Sequence[str], task: Task, calibration: Calibration, *, undecided: bool) -> Reason:
    """Return the reason that says which labels cannot be told apart."""
    target = calibration.sets.target if calibration.sets else 0.0
    figures: dict[str, float | str] = {"task": task.key, "labels": ";".join(members), "level": target}
    return Reason("undecided" if undecided else "not_told_apart", figures)


def explain_triage(triage: Verdict, risk: float, task: Task, calibration: Calibration) -> Reason:
    """Return the reason that the risk against its threshold gives."""
    urgent = calibration.find_point("sensitivity_90")
    point = urgent if triage == "urgent" else calibration.find_point("sensitivity_95")
    figures: dict[str, float | str] = {
        "task": task.key,
        "risk": risk,
        "threshold": point.threshold,
        "threshold_urgent": urgent.threshold,
        "sensitivity": point.sensitivity,
        "sensitivity_lower": point.sensitivity_lower,
        "specificity": point.specificity,
        "missed": 1 - point.sensitivity,
    }
    return Reason("refer_at_most" if triage == "refer" and task.urgency == "refer" else triage, figures)

"""An answer as the page shows it, in the reader's language."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from secondlook.clinic.look.figures import describe_evidence, write_share
from secondlook.clinic.look.outline import ShownOutline, find_outline, present_outline
from secondlook.clinic.look.predictors import AUTO, list_choices
from secondlook.clinic.look.services import Answer, NoAnswer, encode_heatmap, encode_picture
from secondlook.clinic.look.similar import ShownCases, present_similar
from secondlook.clinic.look.wording import ANY, WORDS, TaskWords, TriageWords
from secondlook.conditions import Label, Language, Task, find_task
from secondlook.imaging.read import Picture
from secondlook.imaging.resize import Box
from secondlook.inference.auto import Unplaced
from secondlook.inference.bundle import Bundle
from secondlook.inference.predictor import BundleIdentity, Prediction, Predictor, Triage
from secondlook.inference.schema import MapKind

WARNINGS = frozenset({"quality", "outlier"})
# Said once, at the foot of the answer.
SAID_ELSEWHERE = frozenset({"decision_support"})
WHOLE: Box = (0, 0, 1, 1)


@dataclass(frozen=True, slots=True)
class Bar:
    """One label with its calibrated probability and its usual share, in 0…1; ``tag`` says why it alarms."""

    key: str
    name: str
    alarming: bool
    tag: str
    probability: float
    usual: float

    @property
    def percent(self) -> str:
        """The probability for a reader."""
        return write_share(self.probability)

    @property
    def usual_percent(self) -> str:
        """The usual share for a reader."""
        return write_share(self.usual)

    @property
    def length(self) -> float:
        """Length of the bar, of 100."""
        return round(100 * self.probability, 3)

    @property
    def tick(self) -> float:
        """Place of the tick at the usual share, of 100."""
        return round(100 * self.usual, 3)


@dataclass(frozen=True, slots=True)
class Scale:
    """The probability that triage rests on against its thresholds; the places are of 100.

    Attributes:
        risk: The probability.
        refer: The threshold of ``refer``.
        urgent: That of ``urgent``; nothing where the task has no such triage.
    """

    risk: float
    refer: float
    urgent: float | None

    @property
    def percent(self) -> str:
        """The probability for a reader."""
        return write_share(self.risk)

    @property
    def refer_percent(self) -> str:
        """The lower threshold for a reader."""
        return write_share(self.refer)

    @property
    def urgent_percent(self) -> str:
        """The higher threshold for a reader, or nothing."""
        return "" if self.urgent is None else write_share(self.urgent)

    @property
    def needle(self) -> float:
        """Place of the probability, whole in sight at both ends."""
        return round(min(max(100 * self.risk, 0.5), 99.5), 3)

    @property
    def refer_at(self) -> float:
        """Place of the lower threshold."""
        return round(100 * self.refer, 3)

    @property
    def urgent_at(self) -> float:
        """Place of the higher threshold, or the end of the scale."""
        return 100 if self.urgent is None else round(100 * self.urgent, 3)

    @property
    def refer_width(self) -> float:
        """Width of the zone between the thresholds."""
        return round(self.urgent_at - self.refer_at, 3)

    @property
    def urgent_width(self) -> float:
        """Width of the zone above both."""
        return round(100 - self.urgent_at, 3)


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture as SVG shows it, and the heatmap over the part that the network saw; that part in shares."""

    uri: str
    heatmap: str
    width: int
    height: int

    seen: Box

    @property
    def left(self) -> float:
        """Left edge of the heatmap."""
        return round(self.seen[0] * self.width, 2)

    @property
    def top(self) -> float:
        """Upper edge of the heatmap."""
        return round(self.seen[1] * self.height, 2)

    @property
    def across(self) -> float:
        """Width of the heatmap."""
        return round((self.seen[2] - self.seen[0]) * self.width, 2)

    @property
    def down(self) -> float:
        """Height of the heatmap."""
        return round((self.seen[3] - self.seen[1]) * self.height, 2)


@dataclass(frozen=True, slots=True)
class Limits:
    """What probabilities are held against: each label's usual share, and the thresholds of triage.

    Attributes:
        usual: Share by label.
        refer: The threshold of ``refer``.
        urgent: That of ``urgent``; nothing where the task has no such triage.
    """

    usual: Mapping[str, float]
    refer: float
    urgent: float | None


@dataclass(frozen=True, slots=True)
class Other:
    """A task that the reader may choose instead."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Presented:
    """Everything that the answer's template shows; ``taken`` and ``others`` where the picture itself said its task."""

    task: str
    triage: Triage
    words: TriageWords
    task_words: TaskWords
    warnings: tuple[str, ...]
    reasons: tuple[str, ...]
    bars: tuple[Bar, ...]
    named: Bar
    scale: Scale
    shown: Shown
    outline: ShownOutline | None
    similar: ShownCases | None
    bundle: BundleIdentity
    on_offer: bool
    evidence: str
    heatmap_kind: MapKind
    taken: str
    others: tuple[Other, ...]
    again: str

    @property
    def evaluable(self) -> bool:
        """Whether the probabilities mean anything."""
        return self.triage != "not_evaluable"


@dataclass(frozen=True, slots=True)
class PresentedNowhere:
    """What the template shows of a picture that belongs to no task on offer."""

    triage: Triage
    words: TriageWords
    warnings: tuple[str, ...]
    shown: Shown
    others: tuple[Other, ...]
    notice: str
    again: str = AUTO


def read_language() -> Language:
    """Return the reader's language."""
    return "fr" if (get_language() or "").startswith("fr") else "en"


def present_answer(answer: Answer, picture: Picture) -> Presented:
    """Return an answer as the page shows it, beside this picture."""
    prediction, predictor = answer.prediction, answer.predictor
    height, width = picture.pixels.shape[:2]
    return present_prediction(
        prediction,
        show_picture(encode_picture(picture), (width, height), prediction),
        limits=read_limits(predictor),
        outline=present_outline(find_outline(answer), width),
        bundle=predictor.bundle,
        led=answer.route is not None,
    )


def present_prediction(
    prediction: Prediction,
    shown: Shown,
    *,
    limits: Limits,
    outline: ShownOutline | None,
    bundle: Bundle | None,
    led: bool,
) -> Presented:
    """Return what was said of a picture as the page shows it.

    Args:
        prediction: What was said.
        shown: The picture.
        limits: What the probabilities were held against.
        outline: The lesion's outline over the picture.
        bundle: Who said it; nothing where the site does not have it any more.
        led: Whether the picture itself said its task.
    """
    language, task = read_language(), find_task(prediction.task)
    bars, words = present_bars(prediction, limits, language), WORDS[prediction.task]
    return Presented(
        task=prediction.task,
        triage=prediction.triage,
        words=words.triage[prediction.triage],
        task_words=words,
        warnings=tuple(reason.describe(language) for reason in prediction.reasons if reason.code in WARNINGS),
        reasons=tuple(
            reason.describe(language) for reason in prediction.reasons if reason.code not in WARNINGS | SAID_ELSEWHERE
        ),
        bars=bars,
        named=next(bar for bar in bars if bar.key == prediction.label),
        scale=Scale(prediction.risk, refer=limits.refer, urgent=limits.urgent),
        shown=shown,
        outline=outline,
        similar=present_similar(prediction, bundle.facts.graph.sha256) if bundle else None,
        bundle=prediction.bundle,
        on_offer=bundle is not None,
        evidence=describe_evidence(bundle.evidence, words.evidence) if bundle else "",
        heatmap_kind=prediction.heatmap_kind,
        taken=task.names[language] if led else "",
        others=list_others(prediction.task) if led else (),
        again=AUTO if led else prediction.task,
    )


def show_picture(uri: str, size: tuple[int, int], prediction: Prediction) -> Shown:
    """Return a picture of this width and height with the heatmap of its label, where it can be judged."""
    heatmap = "" if prediction.triage == "not_evaluable" else encode_heatmap(prediction)
    return Shown(uri, heatmap, *size, prediction.seen)


def read_limits(predictor: Predictor) -> Limits:
    """Return what a predictor holds its probabilities against, with the thresholds that its task has."""
    find_point = predictor.bundle.calibration.find_point
    urgent = find_point("sensitivity_90").threshold if predictor.task.urgency == "urgent" else None
    return Limits(predictor.usual_shares, refer=find_point("sensitivity_95").threshold, urgent=urgent)


def present_nowhere(answer: NoAnswer, picture: Picture) -> PresentedNowhere:
    """Return why a picture belongs to no task, as the page shows it."""
    height, width = picture.pixels.shape[:2]
    return present_unplaced(answer.prediction, Shown(encode_picture(picture), "", width, height, WHOLE))


def present_unplaced(prediction: Unplaced, shown: Shown) -> PresentedNowhere:
    """Return the same of a picture that is shown in its own way."""
    language = read_language()
    reasons = [reason for reason in prediction.reasons if reason.code not in SAID_ELSEWHERE]
    return PresentedNowhere(
        triage=prediction.triage,
        words=ANY.triage[prediction.triage],
        warnings=tuple(reason.describe(language) for reason in reasons),
        shown=shown,
        others=list_others(prediction.task),
        notice=str(ANY.notice),
    )


def list_others(task: str) -> tuple[Other, ...]:
    """Return the tasks on offer but this one."""
    language = read_language()
    return tuple(
        Other(offer.task.key, offer.task.names[language]) for offer in list_choices() if offer.task.key != task
    )


def present_bars(prediction: Prediction, limits: Limits, language: Language) -> tuple[Bar, ...]:
    """Return a bar for each label: grades in their order, other labels with the most probable first."""
    task = find_task(prediction.task)
    bars = [
        Bar(
            key=label.key,
            name=label.names[language],
            alarming=label.key in task.alarming,
            tag=choose_tag(label, task),
            probability=prediction.probabilities[label.key],
            usual=limits.usual[label.key],
        )
        for label in task.labels
    ]
    return tuple(bars if task.ordered else sorted(bars, key=lambda bar: -bar.probability))


def choose_tag(label: Label, task: Task) -> str:
    """Return why a label alarms; nothing where it is the only one that does, for its own name says so."""
    if len(task.alarming) == 1:
        return ""
    return {"malignant": _("malignant"), "abnormal": _("abnormal")}.get(label.severity, "")

"""An answer as the page shows it, in the reader's language."""

from dataclasses import dataclass

from django.utils.translation import get_language

from secondlook.clinic.look.figures import describe_evidence, write_share
from secondlook.clinic.look.services import Answer, encode_heatmap, encode_picture
from secondlook.clinic.look.wording import TRIAGE_WORDS, TriageWords
from secondlook.conditions import Language
from secondlook.imaging.resize import Box
from secondlook.inference.bundle import OperatingPoint
from secondlook.inference.predictor import BundleIdentity, Triage

WARNINGS = frozenset({"quality", "outlier"})
# Said once, at the foot of the answer.
SAID_ELSEWHERE = frozenset({"decision_support"})


@dataclass(frozen=True, slots=True)
class Bar:
    """One label with its calibrated probability and its usual share, in 0…1."""

    key: str
    name: str
    alarming: bool
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
    """The probability that triage rests on against the two thresholds; the places are of 100."""

    risk: float
    refer: OperatingPoint
    urgent: OperatingPoint

    @property
    def percent(self) -> str:
        """The probability for a reader."""
        return write_share(self.risk)

    @property
    def refer_percent(self) -> str:
        """The lower threshold for a reader."""
        return write_share(self.refer.threshold)

    @property
    def urgent_percent(self) -> str:
        """The higher threshold for a reader."""
        return write_share(self.urgent.threshold)

    @property
    def needle(self) -> float:
        """Place of the probability, whole in sight at both ends."""
        return round(min(max(100 * self.risk, 0.5), 99.5), 3)

    @property
    def refer_at(self) -> float:
        """Place of the lower threshold."""
        return round(100 * self.refer.threshold, 3)

    @property
    def urgent_at(self) -> float:
        """Place of the higher threshold."""
        return round(100 * self.urgent.threshold, 3)

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
class Presented:
    """Everything that the answer's template shows."""

    triage: Triage
    words: TriageWords
    warnings: tuple[str, ...]
    reasons: tuple[str, ...]
    bars: tuple[Bar, ...]
    named: Bar
    scale: Scale
    shown: Shown
    bundle: BundleIdentity
    evidence: str

    @property
    def evaluable(self) -> bool:
        """Whether the probabilities mean anything."""
        return self.triage != "not_evaluable"

    @property
    def differs(self) -> bool:
        """Whether the label that stands out is another one than the most probable."""
        return self.named is not self.bars[0]


def read_language() -> Language:
    """Return the reader's language."""
    return "fr" if (get_language() or "").startswith("fr") else "en"


def present_answer(answer: Answer) -> Presented:
    """Return an answer as the page shows it."""
    prediction, predictor = answer.prediction, answer.predictor
    language = read_language()
    height, width = answer.picture.pixels.shape[:2]
    bars = present_bars(answer, language)
    calibration = predictor.bundle.calibration
    return Presented(
        triage=prediction.triage,
        words=TRIAGE_WORDS[prediction.triage],
        warnings=tuple(reason.describe(language) for reason in prediction.reasons if reason.code in WARNINGS),
        reasons=tuple(
            reason.describe(language) for reason in prediction.reasons if reason.code not in WARNINGS | SAID_ELSEWHERE
        ),
        bars=bars,
        named=next(bar for bar in bars if bar.key == prediction.label),
        scale=Scale(
            prediction.risk,
            refer=calibration.find_point("sensitivity_95"),
            urgent=calibration.find_point("sensitivity_90"),
        ),
        shown=Shown(encode_picture(answer.picture), encode_heatmap(prediction), width, height, prediction.seen),
        bundle=prediction.bundle,
        evidence=describe_evidence(predictor.bundle.evidence),
    )


def present_bars(answer: Answer, language: Language) -> tuple[Bar, ...]:
    """Return a bar for each label, the most probable first."""
    usual, alarming = answer.predictor.usual_shares, answer.predictor.task.alarming
    bars = [
        Bar(label.key, label.names[language], label.key in alarming, probability, usual[label.key])
        for label in answer.predictor.task.labels
        for probability in [answer.prediction.probabilities[label.key]]
    ]
    return tuple(sorted(bars, key=lambda bar: -bar.probability))

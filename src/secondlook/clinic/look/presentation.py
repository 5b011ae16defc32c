"""An answer as the page shows it, in the reader's language."""

from dataclasses import dataclass
from typing import cast

from django.utils.translation import get_language

from secondlook.clinic.look.services import Answer, encode_heatmap, encode_picture
from secondlook.clinic.look.wording import TRIAGE_WORDS, TriageWords
from secondlook.conditions import Language
from secondlook.inference.bundle import OperatingPoint
from secondlook.inference.predictor import Predictor, Triage

# Said once, at the foot of the answer.
SAID_ELSEWHERE = frozenset({"decision_support"})


@dataclass(frozen=True, slots=True)
class Bar:
    """One label with its calibrated probability and its usual share, in 0…1."""

    key: str
    name: str
    malignant: bool
    probability: float
    usual: float


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture as SVG shows it, and the heatmap over its central square."""

    uri: str
    heatmap: str
    width: int
    height: int

    @property
    def side(self) -> int:
        """Side of the central square."""
        return min(self.width, self.height)

    @property
    def left(self) -> float:
        """Left edge of the central square."""
        return (self.width - self.side) / 2

    @property
    def top(self) -> float:
        """Upper edge of the central square."""
        return (self.height - self.side) / 2


@dataclass(frozen=True, slots=True)
class Presented:
    """Everything that the answer's template shows."""

    triage: Triage
    words: TriageWords
    reasons: tuple[str, ...]
    bars: tuple[Bar, ...]
    named: Bar
    malignancy: float
    urgent: OperatingPoint
    refer: OperatingPoint
    shown: Shown
    predictor: Predictor

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
    return cast(Language, "fr" if (get_language() or "").startswith("fr") else "en")


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
        reasons=tuple(
            reason.describe(language) for reason in prediction.reasons if reason.code not in SAID_ELSEWHERE
        ),
        bars=bars,
        named=next(bar for bar in bars if bar.key == prediction.label),
        malignancy=prediction.malignancy,
        urgent=calibration.find_point("sensitivity_90"),
        refer=calibration.find_point("sensitivity_95"),
        shown=Shown(encode_picture(answer.picture), encode_heatmap(prediction), width, height),
        predictor=predictor,
    )


def present_bars(answer: Answer, language: Language) -> tuple[Bar, ...]:
    """Return a bar for each label, the most probable first."""
    usual = answer.predictor.usual_shares
    bars = [
        Bar(label.key, label.names[language], label.severity == "malignant", probability, usual[label.key])
        for label in answer.predictor.task.labels
        for probability in [answer.prediction.probabilities[label.key]]
    ]
    return tuple(sorted(bars, key=lambda bar: -bar.probability))

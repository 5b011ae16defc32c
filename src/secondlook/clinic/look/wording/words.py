"""What the page says of one task."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from secondlook.inference.predictor import Triage

Words = Promise | str

NO_GROUND = _("This picture gives no ground for an answer, neither for alarm nor for reassurance.")
TICKS = _(
    "The tick is the share that each answer had among the pictures the model learned from. The answer that stands out "
    "most above it is named."
)


@dataclass(frozen=True, slots=True)
class TriageWords:
    """What a reader sees for a triage.

    Attributes:
        title: One or two words.
        meaning: One sentence.
        steps: What to do next.
    """

    title: Words
    meaning: Words
    steps: tuple[Words, ...]


@dataclass(frozen=True, slots=True)
class TaskWords:
    """What a reader sees for a task.

    Attributes:
        heading: Title of the page.
        hint: What is looked for, in a few words.
        lead: What to upload.
        audience: Whom the answer is for, where it is not for everybody.
        advice: What makes a picture worth judging.
        framing: How to place the square that the model looks at.
        risk: Heading above the probability that triage rests on.
        labels: Heading above the probabilities of all labels.
        ticks: What the tick at a label's usual share means.
        evidence: What the bundle was measured to do, with places for its figures.
        triage: The words of each triage that the task has.
        notice: That this is no diagnosis.
    """

    heading: Words
    hint: Words
    lead: Words
    advice: tuple[Words, ...]
    framing: Words
    risk: Words
    labels: Words
    ticks: Words
    evidence: Words
    triage: Mapping[Triage, TriageWords]
    notice: Words
    audience: Words = ""

"""The words of a triage: what it is called, what it means and what to do next."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

NOTICE = _(
    "Secondlook supports a decision; it makes none. This is no diagnosis, and no answer here is a reason to put off "
    "an examination of a lesion that is new, changing, bleeding or worrying."
)


@dataclass(frozen=True, slots=True)
class TriageWords:
    """What a reader sees for a triage.

    Attributes:
        title: One or two words.
        meaning: One sentence.
        steps: What to do next.
    """

    title: Promise | str
    meaning: Promise | str
    steps: tuple[Promise | str, ...]


TRIAGE_WORDS: Mapping[str, TriageWords] = {
    "urgent": TriageWords(
        _("Urgent"),
        _("This picture resembles a malignant lesion. A dermatologist should examine it without delay."),
        (
            _("Refer as a suspected skin cancer, and send this picture along."),
            _("Do not wait to see whether it changes."),
        ),
    ),
    "refer": TriageWords(
        _("Refer"),
        _("A malignant lesion cannot be ruled out. A dermatologist should examine it."),
        (
            _("Arrange an examination with dermoscopy."),
            _("Make it sooner if the lesion changes, bleeds or is new."),
        ),
    ),
    "routine": TriageWords(
        _("Routine"),
        _("Nothing in this picture asks for more than routine care."),
        (
            _("Photograph the lesion again in three months and compare."),
            _("A lesion that changes, bleeds or worries deserves an examination, whatever is written here."),
        ),
    ),
    "not_evaluable": TriageWords(
        _("Not evaluable"),
        _("This picture gives no ground for an answer, neither for alarm nor for reassurance."),
        (
            _("Take another picture: sharp, in even light, the lesion in the middle with some skin around it."),
            _("If the lesion itself worries you, have it examined rather than photographed."),
        ),
    ),
}

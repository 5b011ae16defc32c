"""The words of the tasks whose pictures are photographs of skin."""

from dataclasses import replace

from django.utils.translation import gettext_lazy as _

from secondlook.clinic.look.wording.words import NO_GROUND, TICKS, TaskWords, TriageWords

SKIN = TaskWords(
    heading=_("A second look at a skin lesion"),
    hint=_("Seven kinds of lesion"),
    lead=_("Upload one photograph, best taken through a dermatoscope."),
    advice=(
        _("Sharp, in even light, without flash glare"),
        _("One lesion, in the middle, with some skin around it"),
        _("Hair parted, no ruler or ink over the lesion"),
    ),
    framing=_("Drag it, or move it with the arrow keys; leave some skin around the lesion."),
    risk=_("Probability of a malignant lesion"),
    labels=_("What the lesion may be"),
    ticks=_(
        "The tick is the share that each lesion usually has. The one that stands out most above it is named, so that "
        "common moles do not drown rare lesions."
    ),
    evidence=_(
        "On %(pictures)s test pictures of %(groups)s lesions that training had not seen, %(flagged)s of the malignant "
        "ones reached at least “refer”, %(urgent)s “urgent”; %(cleared)s of the benign ones stayed below both. In "
        "brackets: 95%% intervals."
    ),
    triage={
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
            _("The model sees nothing in this picture that asks for more than routine care."),
            (
                _("Photograph the lesion again in three months and compare."),
                _("A lesion that changes, bleeds or worries deserves an examination, whatever is written here."),
            ),
        ),
        "not_evaluable": TriageWords(
            _("Not evaluable"),
            NO_GROUND,
            (
                _("Take another picture: sharp, in even light, the lesion in the middle with some skin around it."),
                _("If the lesion itself worries you, have it examined rather than photographed."),
            ),
        ),
    },
    notice=_(
        "Secondlook supports a decision; it makes none. This is no diagnosis, and no answer here is a reason to put "
        "off an examination of a lesion that is new, changing, bleeding or worrying."
    ),
)

MOLE = replace(
    SKIN,
    heading=_("A second look at a mole"),
    hint=_("Benign or malignant"),
    labels=_("What the mole may be"),
    ticks=TICKS,
)

"""The words of the tasks whose pictures are X-rays."""

from django.utils.translation import gettext_lazy as _

from secondlook.clinic.look.wording.words import NO_GROUND, TICKS, TaskWords, TriageWords

WHOLE = _("The whole X-ray as the device or the archive exports it, DICOM included; no photograph of a screen")
FRAMING = _("Drag it, or move it with the arrow keys.")

CHEST = TaskWords(
    heading=_("A second look at a child’s chest X-ray"),
    hint=_("Pneumonia, in young children"),
    lead=_("Upload one chest X-ray, taken from the front."),
    audience=_("For children of one to five years, like those whose X-rays it learned from. Not for adults."),
    advice=(WHOLE, _("From the front, upright, both lungs in view"), _("Without writing or markers over the lungs")),
    framing=FRAMING,
    risk=_("Probability of pneumonia"),
    labels=_("What the X-ray may show"),
    ticks=TICKS,
    evidence=_(
        "On %(pictures)s test X-rays of %(groups)s patients that training had not seen, %(flagged)s of those with "
        "pneumonia reached at least “refer”, %(urgent)s “urgent”; %(cleared)s of those without it stayed below both. "
        "In brackets: 95%% intervals."
    ),
    triage={
        "urgent": TriageWords(
            _("Urgent"),
            _("This X-ray resembles those of children with pneumonia. Examine the child without delay."),
            (
                _("Look at breathing, oxygen saturation and drinking now; act on the child, not on the picture."),
                _("Have a radiologist read the X-ray, and treat as your guideline says."),
            ),
        ),
        "refer": TriageWords(
            _("Refer"),
            _("Pneumonia cannot be ruled out. A radiologist should read this X-ray."),
            (
                _("Arrange the reading for today, and judge it together with the child’s complaints."),
                _("Make it sooner if breathing is fast or hard, or if the child drinks little."),
            ),
        ),
        "routine": TriageWords(
            _("Routine"),
            _("The model sees nothing in this X-ray that asks for more than routine care."),
            (
                _("Have the X-ray read as usual: only pneumonia was looked for, nothing else."),
                _("A child who breathes hard, is feverish or gets worse needs an examination, whatever stands here."),
            ),
        ),
        "not_evaluable": TriageWords(
            _("Not evaluable"),
            NO_GROUND,
            (
                _("Send the X-ray itself: whole, upright, from the front."),
                _("If the child is unwell, do not wait for another picture."),
            ),
        ),
    },
    notice=_(
        "Secondlook supports a decision; it makes none. This is no diagnosis, and no answer here is a reason to put "
        "off the examination or the treatment of a child who is unwell."
    ),
)

KNEE = TaskWords(
    heading=_("A second look at a knee X-ray"),
    hint=_("Osteoarthritis, grade 0 to 4"),
    lead=_("Upload an X-ray of one knee, taken from the front."),
    audience=_("For people of 45 years and more, like those whose X-rays it learned from."),
    advice=(WHOLE, _("One knee from the front, standing if possible"), _("The joint in the middle, no implant")),
    framing=FRAMING,
    risk=_("Probability of osteoarthritis (grade 2 or more)"),
    labels=_("Which grade it may be"),
    ticks=_(
        "The tick is the share that each grade had among the knees the model learned from. The grade that stands out "
        "most above it is named."
    ),
    evidence=_(
        "On %(pictures)s test X-rays of %(groups)s patients that training had not seen, %(flagged)s of the knees of "
        "grade 2 or more were answered “refer”; %(cleared)s of the others stayed below it. In brackets: 95%% intervals."
    ),
    triage={
        "refer": TriageWords(
            _("Refer"),
            _("This X-ray shows signs of osteoarthritis, or they cannot be ruled out."),
            (
                _("Weigh the grade with pain, stiffness and function: X-ray and complaints often disagree."),
                _("Ask a specialist where exercise and pain relief no longer help in daily life."),
            ),
        ),
        "routine": TriageWords(
            _("Routine"),
            _("The model sees nothing in this X-ray that points to more than doubtful osteoarthritis."),
            (
                _("Have the X-ray read as usual: only osteoarthritis was looked for, nothing else."),
                _("A knee that is hot, swollen, locked or injured needs an examination, whatever is written here."),
            ),
        ),
        "not_evaluable": TriageWords(
            _("Not evaluable"),
            NO_GROUND,
            (
                _("Send the X-ray itself: one knee from the front, the joint in the middle."),
                _("If the knee itself worries you, examine it rather than send another picture."),
            ),
        ),
    },
    notice=_(
        "Secondlook supports a decision; it makes none. This is no diagnosis, and no answer here is a reason to put "
        "off an examination of a knee that is hot, swollen, locked or injured."
    ),
)

BONE = TaskWords(
    heading=_("A second look at an X-ray of an arm or a hand"),
    hint=_("Normal or abnormal"),
    lead=_("Upload one X-ray of a shoulder, an arm, a hand or a finger."),
    advice=(WHOLE, _("One view at a time; ask again for each view of the study"), _("The whole part in view, upright")),
    framing=FRAMING,
    risk=_("Probability of an abnormality"),
    labels=_("What the X-ray may show"),
    ticks=TICKS,
    evidence=_(
        "On %(pictures)s test X-rays of %(groups)s patients that training had not seen, %(flagged)s of the abnormal "
        "ones reached at least “refer”, %(urgent)s “urgent”; %(cleared)s of the normal ones stayed below both. In "
        "brackets: 95%% intervals."
    ),
    triage={
        "urgent": TriageWords(
            _("Urgent"),
            _("This X-ray resembles those that radiologists called abnormal. One should read it without delay."),
            (
                _("Examine the limb now: pain on pressure, deformity, blood flow, feeling."),
                _("Keep it at rest until the X-ray has been read."),
            ),
        ),
        "refer": TriageWords(
            _("Refer"),
            _("An abnormality cannot be ruled out. A radiologist should read this X-ray."),
            (
                _("Arrange the reading, with the other views of the study."),
                _("Make it sooner if there is deformity, numbness or pain on pressure."),
            ),
        ),
        "routine": TriageWords(
            _("Routine"),
            _("The model sees nothing in this X-ray that asks for more than routine care."),
            (
                _("Have the X-ray read as usual, with the other views: a fine fracture hides in most of them."),
                _("A limb that stays painful or weak needs another examination, whatever is written here."),
            ),
        ),
        "not_evaluable": TriageWords(
            _("Not evaluable"),
            NO_GROUND,
            (
                _("Send the X-ray itself: one view, whole and upright."),
                _("If the limb itself worries you, examine it rather than send another picture."),
            ),
        ),
    },
    notice=_(
        "Secondlook supports a decision; it makes none. This is no diagnosis, and no answer here is a reason to put "
        "off an examination of a limb that is painful, deformed, numb or weak."
    ),
)

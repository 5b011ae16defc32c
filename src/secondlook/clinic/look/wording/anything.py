"""The words of the page where the picture itself says what it shows."""

from django.utils.translation import gettext_lazy as _

from secondlook.clinic.look.wording.words import NO_GROUND, TaskWords, TriageWords

ANY = TaskWords(
    heading=_("A second look at a picture"),
    hint=_("The picture itself says which"),
    lead=_("Upload one picture of the kinds below; which of them it is will be found out, and you can overrule it."),
    advice=(
        _("Of the kinds that can be chosen, and nothing else in sight"),
        _("Sharp, evenly lit, and not too small"),
        _("An X-ray as the device or the archive exports it, no photograph of a screen"),
    ),
    framing="",
    risk="",
    labels="",
    ticks="",
    evidence="",
    triage={
        "not_evaluable": TriageWords(
            _("Not evaluable"),
            NO_GROUND,
            (
                _("If the picture is of one of these kinds, choose it; it will then be judged as that."),
                _("Otherwise take another picture. If something worries you, have it examined."),
            ),
        ),
    },
    notice=_(
        "Secondlook supports a decision; it makes none. This is no diagnosis, and no answer here is a reason to put "
        "off an examination."
    ),
)

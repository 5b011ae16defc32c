"""The outline of a lesion as the page shows it: drawn over the picture, with its figures in words."""

from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from secondlook.clinic.look.figures import write_share
from secondlook.clinic.look.services import Answer
from secondlook.explanation.abcd import Outline, outline_picture

NAMES = {
    "white": gettext_lazy("white"),
    "red": gettext_lazy("red"),
    "light_brown": gettext_lazy("light brown"),
    "dark_brown": gettext_lazy("dark brown"),
    "blue_grey": gettext_lazy("blue-grey"),
    "black": gettext_lazy("black"),
}


@dataclass(frozen=True, slots=True)
class ShownOutline:
    """An outline for a reader.

    Attributes:
        points: The border as SVG has the points of a polygon, in pixels of the picture that is shown.
        asymmetry: Asymmetry in words.
        border: Irregularity of the border in words.
        colours: The colours in words.
        diameter: The diameter in words.
        cut: Whether the lesion reaches the edge of the picture.
    """

    points: str
    asymmetry: str
    border: str
    colours: str
    diameter: str
    cut: bool


def find_outline(answer: Answer, *, mm_per_px: float | None = None) -> Outline | None:
    """Return the outline of the lesion in a photograph that can be judged; nothing where there is none to be found."""
    if answer.predictor.task.kind != "photograph" or answer.prediction.triage == "not_evaluable":
        return None
    return outline_picture(answer.picture, mm_per_px=mm_per_px)


def present_outline(outline: Outline | None, width: int) -> ShownOutline | None:
    """Return an outline as the page shows it over a picture of this width, in the reader's language."""
    if outline is None:
        return None
    factor = width / outline.size[0]
    return ShownOutline(
        points=" ".join(f"{x:.1f},{y:.1f}" for x, y in outline.border * factor),
        asymmetry=_("%(share)s of its area has no mirror image across its axes; 0%% would be symmetric")
        % {"share": write_share(outline.asymmetry)},
        border=_("irregularity %(figure)s; a circle has 1") % {"figure": write_number(outline.irregularity, 2)},
        colours=describe_colours(outline),
        diameter=describe_diameter(outline),
        cut=outline.cut,
    )


def describe_colours(outline: Outline) -> str:
    """Return the colours that make up a twentieth of the lesion or more, with their shares."""
    parts = [
        _("%(colour)s %(share)s") % {"colour": NAMES[name], "share": write_share(outline.colours[name])}
        for name in outline.present
    ]
    return ", ".join(parts) or _("none but that of the skin around")


def describe_diameter(outline: Outline) -> str:
    """Return the greatest width in pixels, and in millimetres where they are known."""
    pixels = write_number(outline.diameter_px, 0)
    if outline.diameter_mm is None:
        return _("%(pixels)s pixels; the file does not say how many millimetres that is") % {"pixels": pixels}
    return _("%(millimetres)s mm (%(pixels)s pixels)") % {
        "millimetres": write_number(outline.diameter_mm, 1),
        "pixels": pixels,
    }


def write_number(value: float, decimals: int) -> str:
    """Return a number as the reader's language writes it."""
    # Django's own formatting cuts digits off instead of rounding.
    return number_format(f"{value:.{decimals}f}", force_grouping=True)

"""A comparison in the reader's language, and as SVG places it."""

import math
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from secondlook.clinic.cases.models import Picture
from secondlook.clinic.look.outline import write_number
from secondlook.clinic.timeline.course import Comparison
from secondlook.clinic.timeline.pairs import Sight
from secondlook.explanation.change.appearance import AreaChange, ColourChange, Noise
from secondlook.explanation.change.difference import LIMIT, SHOWN_TO

OBSTACLES = {
    "no_lesion": gettext_lazy("Area not measured: no lesion was found in one of the pictures."),
    "cut": gettext_lazy(
        "Area not measured: in one of the pictures the lesion reaches the edge. Take the next one from further away."
    ),
    "unmatched": gettext_lazy(
        "Area not measured: the pictures do not match well enough to know how their scales differ."
    ),
    "no_scale": gettext_lazy(
        "Area not measured: the skin around the lesion shows too little to tell a larger lesion from a nearer camera. "
        "Leave more skin around it in the next picture."
    ),
}
# Names of both ends of L*, a* and b*: below zero and above.
SHADES = (
    (gettext_lazy("darker"), gettext_lazy("lighter")),
    (gettext_lazy("less red"), gettext_lazy("redder")),
    (gettext_lazy("bluer"), gettext_lazy("browner")),
)


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture as SVG places it over the earlier one.

    Attributes:
        picture: The picture.
        transform: SVG's ``transform``; empty where it stays as it is.
        points: The lesion's border in the picture's own pixels, as SVG has the points of a polygon.
    """

    picture: Picture
    transform: str
    points: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence on a change, and whether it is more than the error."""

    sentence: str
    changed: bool


@dataclass(frozen=True, slots=True)
class ShownComparison:
    """All that the template shows of a comparison."""

    earlier: Placed
    later: Placed
    aligned: bool
    area: Finding
    colour: Finding
    noise: str
    alignment: str
    limit: str
    most: str


def present_comparison(comparison: Comparison) -> ShownComparison:
    """Return a comparison as the page shows it."""
    one, other = comparison.pair.sights
    return ShownComparison(
        earlier=Placed(comparison.earlier, "", write_points(one, comparison.earlier)),
        later=Placed(comparison.later, write_transform(comparison), write_points(other, comparison.later)),
        aligned=comparison.aligned,
        area=describe_area(comparison),
        colour=describe_colour(comparison.colour),
        noise=describe_noise(comparison.noise),
        alignment=describe_alignment(comparison),
        limit=write_number(LIMIT, 0),
        most=write_number(SHOWN_TO, 0),
    )


def write_points(sight: Sight, picture: Picture) -> str:
    """Return the lesion's border in pixels of the picture."""
    if sight.border is None:
        return ""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in sight.border * (picture.width / sight.width))


def write_transform(comparison: Comparison) -> str:
    """Return how SVG lays the later picture over the earlier one; nothing where they do not match."""
    if not comparison.aligned:
        return ""
    one, other = comparison.pair.sights
    placement = comparison.pair.registration.placement
    factors = comparison.earlier.width / one.width, comparison.later.width / other.width
    back = placement.rescale(*factors).invert()
    turned = f"{back.across:.6f} {back.down:.6f} {-back.down:.6f} {back.across:.6f}"
    return f"matrix({turned} {back.shift_x:.2f} {back.shift_y:.2f})"


def describe_area(comparison: Comparison) -> Finding:
    """Return what is said of the area."""
    area = comparison.area
    if area is None:
        return Finding(str(OBSTACLES[comparison.obstacle]), changed=False)
    return Finding(write_area(area), area.beyond_noise)


def write_area(area: AreaChange) -> str:
    """Return a change of area with its interval in words."""
    figures = {name: write_percent(getattr(area, name)) for name in ("ratio", "low", "high")}
    if not area.beyond_noise:
        return _("No change of area beyond the error: %(ratio)s (95%% interval %(low)s to %(high)s)") % figures
    if area.ratio > 1:
        return _("Larger: area %(ratio)s (95%% interval %(low)s to %(high)s)") % figures
    return _("Smaller: area %(ratio)s (95%% interval %(low)s to %(high)s)") % figures


def write_percent(ratio: float) -> str:
    """Return by how much a ratio differs from one, with its sign."""
    percent = round(100 * (ratio - 1))
    number = write_number(abs(percent), 0)
    sign = "+" if percent > 0 else "−" if percent < 0 else "±"
    return _("%(sign)s%(number)s%%") % {"sign": sign, "number": number}


def describe_colour(colour: ColourChange | None) -> Finding:
    """Return what is said of the colour."""
    if colour is None:
        return Finding(
            _("Colour not measured: too little skin around the lesion, or the pictures do not match."), changed=False
        )
    figures = {"distance": write_number(colour.distance, 1), "limit": write_number(colour.limit, 1)}
    if not colour.beyond_noise:
        return Finding(
            _("No change of colour beyond the error: ΔE %(distance)s, where up to %(limit)s is error") % figures,
            changed=False,
        )
    words = {"shades": ", ".join(list_shades(colour))}
    sentence = _("Colour changed, %(shades)s: ΔE %(distance)s, where up to %(limit)s is error") % (figures | words)
    return Finding(sentence, changed=True)


def list_shades(colour: ColourChange) -> list[str]:
    """Return what the colour has become, in words: every part that makes up half of the change or more."""
    parts = (colour.lighter, colour.redder, colour.yellower)
    return [str(names[part > 0]) for names, part in zip(SHADES, parts, strict=True) if abs(part) >= colour.distance / 2]


def describe_noise(noise: Noise) -> str:
    """Return where the error comes from."""
    if not noise.pairs:
        return _(
            "The error was measured on several pictures each of other lesions; two pictures of this one on the same "
            "day would make it its own."
        )
    return ngettext(
        "The error comes from %(count)d pair of this lesion’s own pictures of one day, and from several pictures each "
        "of other lesions.",
        "The error comes from %(count)d pairs of this lesion’s own pictures of one day, and from several pictures each "
        "of other lesions.",
        noise.pairs,
    ) % {"count": noise.pairs}


def describe_alignment(comparison: Comparison) -> str:
    """Return how well the pictures lie over each other, or that they do not."""
    found = comparison.pair.registration
    if not found.trusted:
        return _("The pictures do not match well enough to lay one over the other. Compare them by eye.")
    figures = {
        "scale": write_number(found.placement.scale, 2),
        "turn": write_number(abs(found.placement.turn_degrees), 0),
        "share": write_number(100 * found.confirmed, 0),
    }
    return (
        _(
            "Laid over the earlier picture: turned by %(turn)s°, taken %(scale)s times as large; %(share)s%% of the "
            "small parts that both show find each other again."
        )
        % figures
    )


@dataclass(frozen=True, slots=True)
class Bar:
    """A change of area as the chart shows it; places are of 100 from left and from top."""

    x: float
    top: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Step:
    """One later picture against the first."""

    picture: Picture
    area: Finding
    colour: Finding
    bar: Bar | None


@dataclass(frozen=True, slots=True)
class Course:
    """Every later picture against the first.

    Attributes:
        steps: One for each.
        most: How many times as large the upper end of the chart is; the lower end is as many times smaller.
            Nothing where no area was measured: then there is no chart.
    """

    steps: tuple[Step, ...]
    most: int | None


def present_course(comparisons: list[Comparison]) -> Course:
    """Return how every later picture differs from the first, as the page shows it."""
    areas = [one.area for one in comparisons if one.area]
    furthest = max((max(area.high, 1 / area.low) for area in areas), default=1.0)
    most = 2 if furthest <= 2 else 4
    days = [(one.later.taken_on - one.earlier.taken_on).days for one in comparisons]
    span = max(days, default=0) or 1
    return Course(
        tuple(
            Step(
                one.later,
                describe_area(one),
                describe_colour(one.colour),
                draw_bar(one.area, at / span, most) if one.area else None,
            )
            for one, at in zip(comparisons, days, strict=True)
        ),
        most if areas else None,
    )


def draw_bar(area: AreaChange, share: float, most: int) -> Bar:
    """Return a change of area on a scale whose middle is none and whose ends are so many times larger and smaller."""
    top, low, high = (
        round(50 - 50 * math.log(min(max(value, 1 / most), most), most), 1)
        for value in (area.ratio, area.low, area.high)
    )
    return Bar(round(5 + 90 * share, 1), top, low, high)

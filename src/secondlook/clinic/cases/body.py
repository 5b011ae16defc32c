"""The body map: two figures drawn as regions, front and back, and where on them a place is.

Places are shares of a figure: ``x`` from its left edge as the reader sees it, ``y`` from its top. Seen from the front,
a patient's right side is on the reader's left.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from secondlook.clinic.cases.models import BodySide

WIDTH, HEIGHT = 200, 440
Words = str | Promise


@dataclass(frozen=True, slots=True)
class Region:
    """A part of one figure.

    Attributes:
        side: The figure.
        site: Key of the site; an arm has the same from both sides.
        name: The site for a reader.
        outline: SVG path on the figure's ground of ``WIDTH`` × ``HEIGHT``.
        centre: A point inside, on the same ground.
        mirrored: Whether the path is drawn mirrored.
    """

    side: BodySide
    site: str
    name: Words
    outline: str
    centre: tuple[float, float]
    mirrored: bool = False

    @property
    def place(self) -> str:
        """How a form names the region."""
        return f"{self.side}:{self.site}"

    @property
    def x(self) -> float:
        """Share of the width at the centre."""
        across = WIDTH - self.centre[0] if self.mirrored else self.centre[0]
        return round(across / WIDTH, 4)

    @property
    def y(self) -> float:
        """Share of the height at the centre."""
        return round(self.centre[1] / HEIGHT, 4)


SITES: dict[str, Words] = {
    "scalp": _("Scalp"),
    "face": _("Face"),
    "neck": _("Neck"),
    "nape": _("Nape"),
    "chest": _("Chest"),
    "abdomen": _("Abdomen"),
    "groin": _("Groin"),
    "upper_back": _("Upper back"),
    "lower_back": _("Lower back"),
    "buttocks": _("Buttocks"),
    "right_upper_arm": _("Right upper arm"),
    "left_upper_arm": _("Left upper arm"),
    "right_forearm": _("Right forearm"),
    "left_forearm": _("Left forearm"),
    "right_hand": _("Right hand"),
    "left_hand": _("Left hand"),
    "right_thigh": _("Right thigh"),
    "left_thigh": _("Left thigh"),
    "right_lower_leg": _("Right lower leg"),
    "left_lower_leg": _("Left lower leg"),
    "right_foot": _("Right foot"),
    "left_foot": _("Left foot"),
}

# The trunk of each figure: site, outline, centre.
TRUNKS: dict[BodySide, tuple[tuple[str, str, tuple[float, float]], ...]] = {
    BodySide.FRONT: (
        (
            "scalp",
            "M78 29C79 14 88 8 100 8s21 6 22 21c-6-6-13-8-22-8s-16 2-22 8Z",
            (100, 14),
        ),
        ("face", "M78 29c6-6 13-8 22-8s16 2 22 8c2 21-8 39-22 39S76 50 78 29Z", (100, 44)),
        ("neck", "M87 61c8 9 18 9 26 0l1 17c1 4 6 6 12 8H74c6-2 11-4 12-8Z", (100, 77)),
        (
            "chest",
            "M74 86h52c12 2 20 5 25 11-4 6-6 12-7 18l-3 35H59l-3-35c-1-6-3-12-7-18 5-6 13-9 25-11Z",
            (100, 116),
        ),
        ("abdomen", "M59 150h82l-2 30c0 8 1 14 3 20H58c2-6 3-12 3-20Z", (100, 175)),
        ("groin", "M58 200h84l4 20c-18 4-34 11-44 22h-4c-10-11-26-18-44-22Z", (100, 217)),
    ),
    BodySide.BACK: (
        (
            "scalp",
            "M78 32C77 15 87 8 100 8s23 7 22 24c-1 14-4 24-11 31-7 5-15 5-22 0-7-7-10-17-11-31Z",
            (100, 34),
        ),
        ("nape", "M87 62c8 6 18 6 26 0l1 16c1 4 6 6 12 8H74c6-2 11-4 12-8Z", (100, 77)),
        (
            "upper_back",
            "M74 86h52c12 2 20 5 25 11-4 6-6 12-7 18l-3 35H59l-3-35c-1-6-3-12-7-18 5-6 13-9 25-11Z",
            (100, 116),
        ),
        ("lower_back", "M59 150h82l-2 26c0 7 1 12 3 18H58c2-6 3-11 3-18Z", (100, 172)),
        ("buttocks", "M58 194h84c5 12 6 28 4 42-14 8-32 10-44 6h-4c-12 4-30 2-44-6-2-14-1-30 4-42Z", (100, 218)),
    ),
}
# The limbs on the reader's left; the others are their mirror images.
ARM = (
    ("upper_arm", "M49 97c4 6 6 12 7 18-1 18-3 36-5 52l-16-2c1-14 1-30 2-42 1-13 5-22 12-26Z", (45, 130)),
    ("forearm", "M35 165l16 2c0 20-3 38-7 55l-12-2c-1-18 0-37 3-55Z", (41, 193)),
    ("hand", "M32 220l12 2c3 9 3 19 0 28-2 6-5 9-9 8-3 2-7 0-8-5-1-12 0-23 5-33Z", (36, 238)),
)
LEGS = {
    BodySide.FRONT: ("thigh", "M54 220c18 4 34 11 44 22 0 24-2 48-5 70H66c-8-28-14-62-12-92Z", (76, 270)),
    BodySide.BACK: ("thigh", "M54 236c14 8 32 10 44 6 0 24-2 48-5 70H66c-6-24-12-50-12-76Z", (76, 276)),
}
LOWER_LEG = (
    ("lower_leg", "M66 312h27c3 20 0 38-4 54l-2 32H73l-2-32c-6-16-9-34-5-54Z", (80, 348)),
    ("foot", "M73 398h14c2 9 3 17 1 24-4 8-21 10-28 6-2-5 7-13 13-30Z", (77, 416)),
)


def draw_figure(side: BodySide) -> Iterator[Region]:
    """Give the regions of one figure."""
    for site, outline, centre in TRUNKS[side]:
        yield Region(side, site, SITES[site], outline, centre)
    for mirrored in (False, True):
        hand = "right" if (side == BodySide.FRONT) is not mirrored else "left"
        for part, outline, centre in (*ARM, LEGS[side], *LOWER_LEG):
            site = f"{hand}_{part}"
            yield Region(side, site, SITES[site], outline, centre, mirrored)


FIGURES: dict[BodySide, tuple[Region, ...]] = {side: tuple(draw_figure(side)) for side in BodySide}
PLACES: dict[str, Region] = {region.place: region for figure in FIGURES.values() for region in figure}


def list_places() -> list[tuple[Words, list[tuple[str, Words]]]]:
    """Return the regions as a select groups them."""
    return [(side.label, [(region.place, region.name) for region in FIGURES[side]]) for side in BodySide]


def name_site(site: str) -> Words:
    """Return a site for a reader; of one that came from elsewhere, what came."""
    return SITES.get(site, site)

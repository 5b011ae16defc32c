"""Who the drawn patients are, and what is drawn of them."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture of a lesion.

    Attributes:
        days_ago: Its visit.
        growth: Width of the lesion, of what it is drawn as by itself.
        turn: Degrees.
        verdict: What the reviewer said, if anything.
        said: The label that the reviewer or the histology gave, where it is another.
    """

    days_ago: int
    growth: float = 1.0
    turn: float = 0.0
    verdict: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """A lesion: its region on the body map, what it is drawn as, from which seed, and its pictures."""

    place: str
    label: str
    seed: int
    shots: tuple[Shot, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A patient."""

    name: str
    born: date
    sex: str
    skin_type: int
    spots: tuple[Spot, ...]


STORY = (
    Drawn(
        "Alex Dupont",
        date(1984, 3, 11),
        "male",
        2,
        (
            Spot("back:upper_back", "mel", 9, (Shot(420, 0.48), Shot(210, 0.6, 4), Shot(0, 0.7, 3))),
            Spot("back:left_upper_arm", "nv", 2, (Shot(420, verdict="agree"), Shot(0, 1.0, 3))),
            Spot("front:chest", "nv", 4, (Shot(210),)),
            Spot("front:right_forearm", "vasc", 1, (Shot(0),)),
            Spot("front:left_thigh", "nv", 5, (Shot(0),)),
        ),
    ),
    Drawn(
        "Inès Bernard",
        date(1957, 9, 2),
        "female",
        3,
        (
            Spot("front:face", "akiec", 11, (Shot(95, 0.9), Shot(2, 1.0, 5))),
            Spot("front:left_hand", "nv", 6, (Shot(2),)),
        ),
    ),
    Drawn(
        "P-0417",
        date(1991, 1, 20),
        "",
        4,
        (
            Spot("back:lower_back", "mel", 2, (Shot(31, verdict="histology", said="mel"),)),
            Spot("back:right_lower_leg", "bkl", 2, (Shot(31),)),
        ),
    ),
    Drawn(
        "Noah Keller",
        date(2003, 6, 30),
        "male",
        1,
        (
            Spot("front:abdomen", "nv", 7, (Shot(12, verdict="agree"),)),
            Spot("front:left_thigh", "nv", 1, (Shot(12),)),
            Spot("back:buttocks", "mel", 7, (Shot(12, 0.75, verdict="correct", said="nv"),)),
        ),
    ),
    Drawn("P-0422", date(1968, 12, 5), "female", 5, (Spot("front:right_foot", "vasc", 4, (Shot(5),)),)),
)

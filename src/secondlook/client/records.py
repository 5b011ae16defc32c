"""What goes over the wire: the server builds and checks with these records, and the client reads with the same."""

import re
from datetime import date as Date  # noqa: N812 - fields are called so
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

Triage = Literal["urgent", "refer", "routine", "not_evaluable"]
Sex = Literal["", "female", "male", "other"]
Language = Literal["en", "fr"]
Side = Literal["", "front", "back"]
MapKind = Literal["class_activation", "head_by_place", "occlusion"]
Verdict = Literal["agree", "correct", "cannot_tell", "histology"]
State = Literal["waiting", "answered", "failed"]
Form = Literal["shown", "seen", "original"]

Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{16}$")]
# No database takes a null character in a text; a line has no other control character either.
LINE = r"^[^\x00-\x1f\x7f]*$"
Name = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$", max_length=120)]
Word = Annotated[str, Field(pattern=r"^[a-z0-9_]*$", max_length=32)]
Prose = Annotated[str, Field(pattern=r"^[^\x00]*$", max_length=4000)]
Share = Annotated[float, Field(ge=0, le=1)]


def read_day(given: Any) -> Any:
    """Return a day that was written as a text; pydantic alone would take a number for seconds since 1970."""
    if not isinstance(given, str):
        return given
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", given):
        raise PydanticCustomError("date_parsing", "expected a day as YYYY-MM-DD")
    return Date.fromisoformat(given)


Day = Annotated[Date, BeforeValidator(read_day)]
SkinType = Annotated[int, Field(ge=1, le=6)]


def forget_default(schema: dict[str, Any]) -> None:
    """Leave a default out of a schema, of what stays as it is where it is left out."""
    schema.pop("default", None)


UNCHANGED: Any = Field(default=None, json_schema_extra=forget_default)


class Record(BaseModel):
    """Something that the server says."""

    model_config = ConfigDict(frozen=True)


class Order(BaseModel):
    """Something that the server is told; what it does not know it refuses."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


Item = TypeVar("Item", bound=Record)


class Page(Record, Generic[Item]):
    """One page of a list, and where the next one is."""

    items: list[Item]
    next: str | None = Field(description="Address of the next page; null at the end. It stands in the header Link too.")


class Fault(Record):
    """One fault of a request."""

    pointer: str = Field(description="Where: a JSON pointer into the body, or the name of a field or parameter.")
    detail: str


class Problem(Record):
    """A refusal (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = Field(description="What was expected, what came and what to do.")
    errors: list[Fault] = Field(default=[], description="Each fault, where fields of a request were wrong.")


class Patient(Record):
    """A patient of the practice."""

    key: Key
    name: str = Field(description="Name or pseudonym.")
    birth_date: Date | None
    sex: Sex
    skin_type: int | None = Field(description="Fitzpatrick's skin type, 1 to 6.")
    language: Language = Field(description="Language of reports.")
    note: str
    created_at: datetime


class NewPatient(Order):
    """A patient to be added."""

    name: Name = Field(description="Name or pseudonym.")
    birth_date: Day | None = None
    sex: Sex = ""
    skin_type: SkinType | None = Field(None, description="Fitzpatrick's skin type, 1 to 6.")
    language: Language = Field("en", description="Language of reports.")
    note: Prose = ""


class PatientChange(Order):
    """What is to change of a patient; what is left out stays."""

    name: Name = UNCHANGED
    birth_date: Day | None = UNCHANGED
    sex: Sex = UNCHANGED
    skin_type: SkinType | None = UNCHANGED
    language: Language = UNCHANGED
    note: Prose = UNCHANGED


class Lesion(Record):
    """A place on a patient's skin that is followed over time."""

    key: Key
    patient: Key
    number: int = Field(description="Its number among the patient's lesions; never given twice.")
    name: str
    side: Side = Field(description="Side of the body map.")
    x: float | None = Field(description="Share of the body map's width, from its left.")
    y: float | None = Field(description="Share of the body map's height, from its top.")
    site: str = Field(description="Site, such as `face`.")
    note: str
    task: str = Field(description="Of its latest answered picture.")
    label: str = Field(description="Of its latest answered picture.")
    triage: Triage | None = Field(description="Of its latest answered picture.")
    pictured_on: Date | None = Field(description="Day of its latest answered picture.")
    created_at: datetime


class NewLesion(Order):
    """A lesion to be added."""

    patient: Key
    name: Annotated[str, Field(pattern=LINE, max_length=80)] = ""
    side: Literal["front", "back"] = Field(description="Side of the body map.")
    site: Word = Field(description="Site on that side, such as `face`.")
    x: Share | None = Field(None, description="Share of the body map's width; without it, the middle of the site.")
    y: Share | None = Field(None, description="Share of the body map's height.")
    note: Prose = ""


class LesionChange(Order):
    """What is to change of a lesion; what is left out stays."""

    name: Annotated[str, Field(pattern=LINE, max_length=80)] = UNCHANGED
    side: Literal["front", "back"] = UNCHANGED
    x: Share | None = UNCHANGED
    y: Share | None = UNCHANGED
    site: Word = UNCHANGED
    note: Prose = UNCHANGED


class Visit(Record):
    """A day on which a patient was seen."""

    key: Key
    patient: Key
    date: Date
    note: str
    created_at: datetime


class NewVisit(Order):
    """A visit to be added."""

    patient: Key
    date: Day = Field(description="Not after today.")
    note: Prose = ""


class VisitChange(Order):
    """What is to change of a visit; what is left out stays."""

    date: Day = UNCHANGED
    note: Prose = UNCHANGED


class Reason(Record):
    """Why the triage is what it is."""

    code: str
    text: str = Field(description="A sentence in the language of `Accept-Language`, English or French.")
    figures: dict[str, float | str]


class Flag(Record):
    """One fault of the picture."""

    code: str
    figure: float
    limit: float
    text: str


class Quality(Record):
    """How good the picture is."""

    evaluable: bool
    flags: list[Flag]


class Bundle(Record):
    """Which model answered."""

    name: str
    version: str
    hash: str = Field(description="SHA-256 of the bundle's list of sums.")


class Route(Record):
    """How the task was found out."""

    nearest: str = Field(description="The task whose pictures this one resembles most.")
    scores: dict[str, float] = Field(
        description="By task, how far the picture lies from its pictures; up to 1 it belongs to them."
    )


class Outline(Record):
    """Figures of the lesion's outline, not of a disease; the answer does not rest on them."""

    border: list[tuple[float, float]] = Field(
        description="Points of the closed border, x and y as shares of the picture's width and height."
    )
    area_share: float = Field(description="Area inside, as a share of the picture.")
    cut: bool = Field(description="Whether it reaches the edge of the picture; the figures are of the part in sight.")
    asymmetry: float = Field(description="Share of the area without a mirror image across two axes; 0 is symmetric.")
    irregularity: float = Field(description="Border length squared over 4π times the area; 1 is a circle.")
    colours: dict[str, float] = Field(description="Share of the area of each of six colours; the skin's has none.")
    diameter_px: float = Field(description="Greatest width in pixels of the file that was sent.")
    diameter_mm: float | None = Field(description="The same in millimetres, where a DICOM file states them.")


class Prediction(Record):
    """A second look at one picture; of one that belongs to no task, all that a bundle says is null or empty."""

    task: str = Field(description="`skin`, `mole`, `chest`, `knee` or `bone`; `none` of these on offer.")
    route: Route | None = Field(description="How the task was found out; null where it was chosen.")
    label: str | None = Field(
        description="The label whose probability stands highest above its usual share; not always the most probable."
    )
    probabilities: dict[str, float] = Field(description="Calibrated probability of each label; they add up to 1.")
    risk: float | None = Field(
        description="Sum of the probabilities of the alarming labels, which the triage rests on."
    )
    malignancy: float | None = Field(
        description="Sum of the probabilities of the malignant labels; null where the task has none."
    )
    triage: Triage
    reasons: list[Reason]
    prediction_set: list[str] = Field(
        description="Labels that cannot be ruled out: for pictures of each label, about nine in ten of these sets hold "
        "the true one. Empty where the model was made without such sets."
    )
    undecided: bool = Field(description="Whether that set is too wide to say anything; the triage stands all the same.")
    quality: Quality
    outlier_score: float | None
    bundle: Bundle | None
    heatmap: str | None = Field(
        description="PNG data URI, transparent where nothing spoke for the label, or for the `heatmap_label` that was "
        "asked for; it covers the part that `seen` gives."
    )
    heatmap_kind: MapKind | None = Field(
        description="What the heatmap shows: places whose sum is the answer, the model's answer for each place alone, "
        "or what hiding each part of the picture takes away."
    )
    seen: tuple[float, float, float, float] | None = Field(
        description="Left, top, right and lower edge of what the model saw, as shares of the picture."
    )
    outline: Outline | None = Field(
        description="The lesion's outline, where it was asked for; null for X-rays, where nothing is found, and where "
        "nothing can be judged."
    )
    notice: str


class Result(Record):
    """What a model said of a picture; never changed. It supports a decision; it does not diagnose."""

    key: Key
    picture: Key
    task: str = Field(description="`none` of a picture that belongs to no task on offer.")
    label: str = Field(description="The label whose probability stands highest above its usual share.")
    triage: Triage
    risk: float | None = Field(description="What the triage rests on.")
    probabilities: dict[str, float]
    prediction_set: list[str]
    undecided: bool
    thresholds: dict[str, float | dict[str, float] | None] = Field(
        description="What it was held against: `refer`, `urgent`, `outlier`, and the `usual` share of each label."
    )
    reasons: list[Reason]
    quality: Quality
    outlier_score: float | None
    logits: list[float]
    route: Route | None = Field(description="How the task was found out; null where it was chosen.")
    bundle: Bundle | None
    software: str
    seconds: float
    created_at: datetime
    notice: str


class Picture(Record):
    """A picture of a visit, with its latest result and what the latest opinion says."""

    key: Key
    patient: Key
    visit: Key
    lesion: Key | None
    taken_on: Date
    width: int
    height: int
    sha256: str = Field(description="Of the file as it was sent.")
    state: State
    failure: str
    confirmed_label: str
    reviewed: bool
    disagreed: bool = Field(description="Whether the latest opinion and the result differ.")
    acknowledged_at: datetime | None = Field(description="When somebody acknowledged an urgent result.")
    created_at: datetime
    result: Result | None = Field(description="The latest; null while the picture waits.")


class Task(Order):
    """What a picture is taken for."""

    task: Word = Field("auto", description="Such as `skin`; `auto` has the picture itself say it.")


class Opinion(Record):
    """A doctor's word on a result, or the histology; never changed."""

    key: Key
    picture: Key
    result: Key | None
    author: str = Field(description="Name of the person; empty after they have left the site.")
    verdict: Verdict
    label: str = Field(description="What it is, as far as the doctor says.")
    note: str
    created_at: datetime


class NewOpinion(Order):
    """A doctor's word on a result."""

    result: Key
    verdict: Verdict
    label: Word = Field("", description="What it is instead, or what the histology found.")
    note: Prose = Field("", description="Needed by `correct` and `histology` where no label fits.")


class Reproduction(Record):
    """Whether a result was had once more."""

    result: Key
    identical: bool = Field(description="Whether all came out the same, to the last digit.")
    differing: list[str] = Field(description="What came out otherwise.")
    software: str = Field(description="The version that answered now.")

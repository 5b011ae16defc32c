"""What the API answers with."""

from typing import Any, Literal

from ninja import Schema
from pydantic import Field

from secondlook.clinic.look.outline import find_outline
from secondlook.clinic.look.presentation import read_language
from secondlook.clinic.look.services import Answer, NoAnswer, encode_heatmap
from secondlook.clinic.look.wording import ANY, WORDS
from secondlook.inference.router import Route
from secondlook.inference.schema import MapKind


class ReasonOut(Schema):
    """Why the triage is what it is."""

    code: str
    text: str = Field(description="A sentence in the language of `Accept-Language`, English or French.")
    figures: dict[str, float | str]


class FlagOut(Schema):
    """One fault of the picture."""

    code: str
    figure: float
    limit: float
    text: str


class QualityOut(Schema):
    """How good the picture is."""

    evaluable: bool
    flags: list[FlagOut]


class BundleOut(Schema):
    """Which model answered."""

    name: str
    version: str
    hash: str = Field(description="SHA-256 of the bundle's list of sums.")


class OutlineOut(Schema):
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


class RouteOut(Schema):
    """How the task was found out."""

    nearest: str = Field(description="The task whose pictures this one resembles most.")
    scores: dict[str, float] = Field(
        description="By task, how far the picture lies from its pictures; up to 1 it belongs to them."
    )


class PredictionOut(Schema):
    """A second look at one picture; of one that belongs to no task, all that a bundle says is null or empty."""

    task: str = Field(description="`skin`, `mole`, `chest`, `knee` or `bone`; `none` of these on offer.")
    route: RouteOut | None = Field(description="How the task was found out; null where it was chosen.")
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
    triage: Literal["urgent", "refer", "routine", "not_evaluable"]
    reasons: list[ReasonOut]
    prediction_set: list[str] = Field(
        description="Labels that cannot be ruled out: for pictures of each label, about nine in ten of these sets hold "
        "the true one. Empty where the model was made without such sets."
    )
    undecided: bool = Field(description="Whether that set is too wide to say anything; the triage stands all the same.")
    quality: QualityOut
    outlier_score: float | None
    bundle: BundleOut | None
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
    outline: OutlineOut | None = Field(
        description="The lesion's outline; null for X-rays, where nothing is found, and where nothing can be judged."
    )
    notice: str


class ProblemOut(Schema):
    """A refusal (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = Field(description="What was expected, what came and what to do.")


def describe_answer(answer: Answer | NoAnswer, *, heatmap_label: str | None = None) -> PredictionOut:
    """Return an answer as the API gives it, its sentences in the reader's language.

    Args:
        answer: The answer.
        heatmap_label: Whose heatmap is given; that of the named label by default.

    Raises:
        InputError: The task has no such label.
    """
    prediction = answer.prediction
    language = read_language()
    own = describe_nothing(answer) if isinstance(answer, NoAnswer) else describe_bundle(answer, heatmap_label)
    return PredictionOut(
        task=prediction.task,
        triage=prediction.triage,
        reasons=[
            ReasonOut(code=reason.code, text=reason.describe(language), figures=dict(reason.figures))
            for reason in prediction.reasons
        ],
        quality=QualityOut(
            evaluable=prediction.quality.evaluable,
            flags=[
                FlagOut(code=flag.code, figure=flag.figure, limit=flag.limit, text=flag.describe(language))
                for flag in prediction.quality.flags
            ],
        ),
        **own,
    )


def describe_bundle(answer: Answer, heatmap_label: str | None) -> dict[str, Any]:
    """Return the fields that a bundle fills in.

    Raises:
        InputError: The task has no such label.
    """
    prediction = answer.prediction
    return {
        "route": describe_route(answer.route),
        "label": prediction.label,
        "probabilities": dict(prediction.probabilities),
        "risk": prediction.risk,
        "malignancy": prediction.malignancy,
        "prediction_set": list(prediction.prediction_set),
        "undecided": prediction.undecided,
        "outlier_score": prediction.outlier_score,
        "bundle": BundleOut(
            name=prediction.bundle.name, version=prediction.bundle.version, hash=prediction.bundle.sha256
        ),
        "heatmap": encode_heatmap(prediction, heatmap_label),
        "heatmap_kind": prediction.heatmap_kind,
        "seen": prediction.seen,
        "outline": describe_outline(answer),
        "notice": str(WORDS[prediction.task].notice),
    }


def describe_nothing(answer: NoAnswer) -> dict[str, Any]:
    """Return the same fields where no bundle was asked."""
    unknown = ("label", "risk", "malignancy", "outlier_score", "bundle", "heatmap", "heatmap_kind", "seen", "outline")
    return {
        **dict.fromkeys(unknown),
        "route": describe_route(answer.prediction.route),
        "probabilities": {},
        "prediction_set": [],
        "undecided": False,
        "notice": str(ANY.notice),
    }


def describe_route(route: Route | None) -> RouteOut | None:
    """Return how the task was found out."""
    return RouteOut(nearest=route.nearest, scores=dict(route.scores)) if route else None


def describe_outline(answer: Answer) -> OutlineOut | None:
    """Return the outline as the API gives it; nothing where there is none."""
    outline = find_outline(answer)
    if outline is None:
        return None
    width, height = outline.size
    return OutlineOut(
        border=[(round(x / width, 4), round(y / height, 4)) for x, y in outline.border.tolist()],
        area_share=outline.area_share,
        cut=outline.cut,
        asymmetry=outline.asymmetry,
        irregularity=outline.irregularity,
        colours=dict(outline.colours),
        diameter_px=outline.diameter_px,
        diameter_mm=outline.diameter_mm,
    )

"""What the API says of a picture that is only looked at."""

from collections.abc import Iterable
from typing import Any

from secondlook.client.records import Bundle, Flag, Outline, Prediction, Quality, Reason, Route
from secondlook.clinic.look.outline import find_outline
from secondlook.clinic.look.presentation import read_language
from secondlook.clinic.look.services import Answer, NoAnswer, encode_heatmap
from secondlook.clinic.look.wording import ANY, WORDS
from secondlook.imaging.quality import Quality as Judged
from secondlook.inference.reasons import Reason as Why
from secondlook.inference.router import Route as Led


def describe_answer(
    answer: Answer | NoAnswer, *, heatmap_label: str | None = None, outlined: bool = False
) -> Prediction:
    """Return an answer as the API gives it, its sentences in the reader's language.

    Args:
        answer: The answer.
        heatmap_label: Whose heatmap is given; that of the named label by default.
        outlined: Whether the lesion is outlined.

    Raises:
        InputError: The task has no such label.
    """
    prediction = answer.prediction
    own = describe_nothing(answer) if isinstance(answer, NoAnswer) else describe_bundle(answer, heatmap_label)
    if outlined and isinstance(answer, Answer):
        own["outline"] = describe_outline(answer)
    return Prediction(
        task=prediction.task,
        triage=prediction.triage,
        reasons=describe_reasons(prediction.reasons),
        quality=describe_quality(prediction.quality),
        **own,
    )


def describe_reasons(reasons: Iterable[Why]) -> list[Reason]:
    """Return reasons with their sentences in the reader's language."""
    language = read_language()
    return [Reason(code=one.code, text=one.describe(language), figures=dict(one.figures)) for one in reasons]


def describe_quality(quality: Judged) -> Quality:
    """Return the quality of a picture, its flags worded in the reader's language."""
    language = read_language()
    flags = [
        Flag(code=flag.code, figure=flag.figure, limit=flag.limit, text=flag.describe(language))
        for flag in quality.flags
    ]
    return Quality(evaluable=quality.evaluable, flags=flags)


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
        "bundle": Bundle(name=prediction.bundle.name, version=prediction.bundle.version, hash=prediction.bundle.sha256),
        "heatmap": encode_heatmap(prediction, heatmap_label),
        "heatmap_kind": prediction.heatmap_kind,
        "seen": prediction.seen,
        "outline": None,
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


def describe_route(route: Led | None) -> Route | None:
    """Return how the task was found out."""
    return Route(nearest=route.nearest, scores=dict(route.scores)) if route else None


def describe_outline(answer: Answer) -> Outline | None:
    """Return the outline as the API gives it; nothing where there is none."""
    outline = find_outline(answer)
    if outline is None:
        return None
    width, height = outline.size
    return Outline(
        border=[(round(x / width, 4), round(y / height, 4)) for x, y in outline.border.tolist()],
        area_share=outline.area_share,
        cut=outline.cut,
        asymmetry=outline.asymmetry,
        irregularity=outline.irregularity,
        colours=dict(outline.colours),
        diameter_px=outline.diameter_px,
        diameter_mm=outline.diameter_mm,
    )

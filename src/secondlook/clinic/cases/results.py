"""How an answer becomes a row, and a row what it was: for the page, for a report, and to be had once more."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from django.urls import reverse

from secondlook import __version__
from secondlook.clinic.cases.models import Result
from secondlook.clinic.look.outline import find_outline, present_outline
from secondlook.clinic.look.predictors import find_bundle_on_offer
from secondlook.clinic.look.presentation import (
    WHOLE,
    Limits,
    Presented,
    PresentedNowhere,
    Shown,
    present_prediction,
    present_unplaced,
    read_limits,
    show_picture,
)
from secondlook.clinic.look.services import Answer, NoAnswer
from secondlook.explanation.abcd import Outline
from secondlook.imaging.quality import Quality, QualityFlag
from secondlook.inference.auto import Unplaced
from secondlook.inference.predictor import BundleIdentity, Prediction
from secondlook.inference.reasons import Reason
from secondlook.inference.router import Route

FLOATS = "<f4"
NO_HEATMAP = np.zeros((0, 0), np.float32)


def describe_answer(answer: Answer | NoAnswer, *, mm_per_px: float | None = None) -> dict[str, Any]:
    """Return the fields of a result that say what was answered; the same answer gives the same to the last digit."""
    prediction = answer.prediction
    common = {
        "software": __version__,
        "task": prediction.task,
        "triage": prediction.triage,
        "reasons": [{"code": reason.code, "figures": dict(reason.figures)} for reason in prediction.reasons],
        "quality": describe_quality(prediction.quality),
        "seconds": prediction.seconds,
    }
    if isinstance(answer, NoAnswer):
        return common | {"route": describe_route(answer.prediction.route)}
    return common | describe_prediction(answer) | {"outline": describe_outline(answer, mm_per_px)}


def describe_prediction(answer: Answer) -> dict[str, Any]:
    """Return the fields that a bundle fills in."""
    said = answer.prediction
    # What cannot be judged is shown without one, and some have to be computed first.
    heatmap = NO_HEATMAP if said.triage == "not_evaluable" else said.heatmap
    return {
        "bundle": said.bundle.name,
        "bundle_version": said.bundle.version,
        "bundle_sha256": said.bundle.sha256,
        "route": describe_route(answer.route) if answer.route else None,
        "label": said.label,
        "risk": said.risk,
        "probabilities": dict(said.probabilities),
        "prediction_set": list(said.prediction_set),
        "undecided": said.undecided,
        "thresholds": describe_thresholds(answer),
        "outlier_score": said.outlier_score,
        "logits": said.logits.tolist(),
        "embedding": said.embedding.astype(FLOATS).tobytes(),
        "heatmap": heatmap.astype(FLOATS).tobytes(),
        "heatmap_rows": len(heatmap),
        "heatmap_kind": said.heatmap_kind,
        "seen_box": list(said.seen),
    }


def describe_thresholds(answer: Answer) -> dict[str, Any]:
    """Return all that the bundle held its figures against."""
    limits = dataclasses.asdict(read_limits(answer.predictor))
    return {**limits, "outlier": answer.predictor.bundle.calibration.outlier.limit}


def describe_quality(quality: Quality) -> dict[str, Any]:
    """Return how good the picture is."""
    return {**dataclasses.asdict(quality), "flags": [dataclasses.asdict(flag) for flag in quality.flags]}


def describe_route(route: Route) -> dict[str, Any]:
    """Return where the picture was led."""
    return {"nearest": route.nearest, "scores": dict(route.scores)}


def describe_outline(answer: Answer, mm_per_px: float | None) -> dict[str, Any] | None:
    """Return the lesion's outline; nothing where there is none."""
    outline = find_outline(answer, mm_per_px=mm_per_px)
    if outline is None:
        return None
    border = outline.border.round(2).tolist()
    return {**dataclasses.asdict(outline), "border": border, "colours": dict(outline.colours)}


def restore_prediction(result: Result) -> Prediction | Unplaced:
    """Return what was said, as it was said; of the heatmaps that of the label alone."""
    size_px = (result.picture.width, result.picture.height)
    reasons = tuple(Reason(one["code"], one["figures"]) for one in result.reasons)
    quality = restore_quality(result.quality)
    if result.route and not result.bundle_sha256:
        route = Route(None, result.route["nearest"], result.route["scores"])
        return Unplaced(route, reasons, quality, size_px, result.seconds)
    heatmap = restore_floats(result.heatmap)
    said: Mapping[str, Any] = {
        "triage": result.triage,
        "heatmap_kind": result.heatmap_kind,
        "seen": tuple(result.seen_box),
        "risk": result.risk,
        "outlier_score": result.outlier_score,
    }
    return Prediction(
        task=result.task,
        label=result.label,
        probabilities=result.probabilities,
        reasons=reasons,
        prediction_set=tuple(result.prediction_set),
        undecided=result.undecided,
        quality=quality,
        heatmaps={result.label: heatmap.reshape(result.heatmap_rows, -1)} if heatmap.size else {},
        embedding=restore_floats(result.embedding),
        logits=np.array(result.logits, np.float32),
        size_px=size_px,
        bundle=BundleIdentity(result.bundle, result.bundle_version, result.bundle_sha256),
        seconds=result.seconds,
        **said,
    )


def restore_floats(content: bytes | memoryview) -> "np.ndarray[Any, np.dtype[np.float32]]":
    """Return an array as it was kept; PostgreSQL hands out a view."""
    return np.frombuffer(bytes(content), FLOATS).astype(np.float32)


def restore_quality(kept: Mapping[str, Any]) -> Quality:
    """Return how good the picture was."""
    return Quality(**{**kept, "flags": tuple(QualityFlag(**flag) for flag in kept["flags"])})


def restore_outline(result: Result) -> Outline | None:
    """Return the outline that was found."""
    kept = result.outline
    return Outline(**{**kept, "border": np.array(kept["border"]), "size": tuple(kept["size"])}) if kept else None


def restore_limits(result: Result) -> Limits:
    """Return what the probabilities were held against."""
    kept = result.thresholds
    return Limits(kept["usual"], refer=kept["refer"], urgent=kept["urgent"])


def present_result(result: Result) -> Presented | PresentedNowhere:
    """Return a result as the page shows it, in the reader's language.

    Raises:
        BundleError: The bundles could not be loaded.
    """
    picture, prediction = result.picture, restore_prediction(result)
    uri, size = reverse("cases:shown", args=[picture.key]), (picture.width, picture.height)
    if isinstance(prediction, Unplaced):
        return present_unplaced(prediction, Shown(uri, "", *size, WHOLE))
    found = find_bundle_on_offer(result.bundle_sha256)
    return present_prediction(
        prediction,
        show_picture(uri, size, prediction),
        limits=restore_limits(result),
        outline=present_outline(restore_outline(result), picture.width),
        bundle=found.bundle if found else None,
        led=False,
    )

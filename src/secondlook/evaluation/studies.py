"""Views that are judged together: one answer for each study."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from secondlook.data.manifest import Manifest
from secondlook.evaluation.answers import Answered
from secondlook.evaluation.measures import Answers
from secondlook.inference.predictor import Predictor, choose_members, choose_triage

Floats = NDArray[np.float64]


def has_studies(manifest: Manifest) -> bool:
    """Tell whether any study of a manifest has several pictures."""
    frame = manifest.frame
    return "study" in frame and bool(frame["study"].dropna().duplicated().any())


def join_studies(answered: Answered, predictor: Predictor) -> Answered:
    """Return one answer for each study, from the mean of its views' probabilities.

    So the authors of MURA judge studies (Rajpurkar et al. 2018, doi 10.48550/arXiv.1712.06957). Label, triage and set
    follow from the mean as they do for one picture; a study is not evaluable where none of its views is, and an
    outlier where all are. Pictures without a study stand for themselves.

    Args:
        answered: One row per picture; the labels of a study's views do not differ.
        predictor: The bundle that answered.

    Returns:
        One row per study, in the order of their first views; the manifest keeps those first views.
    """
    frame, answers = answered.manifest.frame, answered.answers
    alone = pd.Series([f"picture {row}" for row in range(len(frame))], index=frame.index)
    names = frame["study"].where(frame["study"].notna(), alone)
    number, _ = pd.factorize(names)
    first = np.array([np.flatnonzero(number == study)[0] for study in range(number.max() + 1)])
    views = (number == np.arange(len(first))[:, None]).astype(np.float64)
    views /= views.sum(axis=1, keepdims=True)
    joined = _judge_means(answers, views, predictor)
    rows: dict[str, Any] = {
        "alarming": answers.alarming[first],
        "groups": answers.groups[first],
        "labels": None if answers.labels is None else answers.labels[first],
        "scores": None,
        "sizes_px": None if answers.sizes_px is None else answers.sizes_px[first],
    }
    note = (
        f"{len(frame)} pictures are judged together in {len(first)} studies: the views' probabilities are averaged, "
        "and each study counts once."
    )
    kept = Manifest(frame.iloc[first].reset_index(drop=True), answered.manifest.root, answered.manifest.task)
    return Answered(replace(answers, **rows, **joined), kept, (*answered.notes, note))


def _judge_means(answers: Answers, views: Floats, predictor: Predictor) -> dict[str, Any]:
    probabilities, risk = views @ answers.probabilities, np.clip(views @ answers.risk, 0, 1)
    usual = np.array([predictor.usual_shares[key] for key in answers.keys])
    calibration, most = predictor.bundle.calibration, predictor.task.urgency
    evaluable = views @ (answers.triage != "not_evaluable") > 0
    triage = [
        choose_triage(float(one), calibration, most=most) if fit else "not_evaluable"
        for one, fit in zip(risk, evaluable, strict=True)
    ]
    members = choose_members(probabilities, calibration.sets) if calibration.sets else None
    return {
        "predicted": (probabilities / usual).argmax(axis=1),
        "probabilities": probabilities,
        "risk": risk,
        "triage": np.array(triage),
        "outlier": views @ answers.outlier > 1 - 1e-9,
        "members": members,
        "undecided": None if members is None or not calibration.sets else members.sum(axis=1) > calibration.sets.widest,
    }

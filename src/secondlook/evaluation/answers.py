"""Ask a bundle about every picture of a manifest or folder, through the predictor that serves."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook.conditions import Task, find_task
from secondlook.data.fingerprint import Track, track_silently
from secondlook.data.manifest import Manifest
from secondlook.data.wording import count
from secondlook.errors import DatasetError, InputError
from secondlook.evaluation.intervals import bound_share
from secondlook.evaluation.measures import DIGITS, Answers
from secondlook.evaluation.stress.sample import map_pictures
from secondlook.inference.predictor import Prediction, Predictor


@dataclass(frozen=True)
class Answered:
    """What a bundle answered about a manifest.

    Attributes:
        answers: One row per picture that could be read and has a known label.
        manifest: The rows that were answered.
        notes: One sentence for each kind of row that was left out, and for what could not be measured.
    """

    answers: Answers
    manifest: Manifest
    notes: tuple[str, ...]


def answer_manifest(predictor: Predictor, manifest: Manifest, *, track: Track = track_silently) -> Answered:
    """Predict every picture of a manifest, one by one; leave out what cannot be judged, and say so.

    A manifest of another task serves as far as its labels are alarming or not.

    Args:
        predictor: The bundle, ready to predict.
        manifest: The pictures; what they show is known.
        track: Shows progress.

    Raises:
        InputError: The manifest's task is unknown.
        DatasetError: No row is left to measure, or the labels say nothing about what the bundle looks for.
    """
    own = require_kin(find_task(manifest.task), predictor.task)
    known = manifest.frame["label"].isin(own.keys)
    labelled = Manifest(manifest.frame[known], manifest.root, manifest.task)
    attempts = attempt_all(predictor, labelled.paths(), track=track)
    read = np.array([prediction is not None for prediction in attempts], dtype=bool)
    answered = Manifest(labelled.frame[read].reset_index(drop=True), manifest.root, manifest.task)
    notes = [*_note_labels(manifest, own), *_note_unread(int((~read).sum()))]
    if not len(answered):
        raise DatasetError(f"Expected readable pictures with labels of {own.key}; there is none.", notes)
    notes += [*_note_repeated(answered), *_note_absent(answered, own, predictor.task)]
    predictions = [prediction for prediction in attempts if prediction is not None]
    return Answered(_collect(predictions, answered, own, predictor), answered, tuple(notes))


def require_kin(own: Task, task: Task) -> Task:
    """Return the task of a manifest if its labels tell what a bundle of another task looks for, such as malignancy.

    Raises:
        DatasetError: They do not.
    """
    if own.risk["en"] != task.risk["en"]:
        raise DatasetError(
            f"Expected pictures of the bundle's task {task.key}, got those of {own.key}: their labels do not tell "
            f"{task.risk['en'].lower()}. Choose the bundle of that task; or give them as --outside NAME=MANIFEST, to "
            "see how many of them this bundle refuses."
        )
    return own


def attempt_all(predictor: Predictor, paths: Sequence[Path], *, track: Track) -> list[Prediction | None]:
    """Return the prediction of each picture in order, or nothing where it cannot be read; on all cores."""
    return map_pictures(partial(attempt_prediction, predictor), paths, description="Predicting", track=track)


def attempt_prediction(predictor: Predictor, path: Path) -> Prediction | None:
    """Return the prediction, or nothing where the picture cannot be read."""
    try:
        return predictor.predict(path)
    except InputError:
        return None


def measure_refusals(predictor: Predictor, folder: Path, *, track: Track = track_silently) -> dict[str, Any]:
    """Measure which share of a folder of foreign pictures a bundle refuses.

    Args:
        predictor: The bundle, ready to predict.
        folder: Pictures that are none of the bundle's kind, in any depth.
        track: Shows progress.

    Returns:
        The folder's name, how many pictures were read and how many files were not, and the shares beyond the outlier
        limit and not evaluable for any reason, with Clopper–Pearson bounds.

    Raises:
        DatasetError: The folder holds no picture that can be read.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    attempts = attempt_all(predictor, files, track=track)
    predictions = [prediction for prediction in attempts if prediction is not None]
    if not predictions:
        raise DatasetError(f"Expected a folder of pictures, found none that can be read in {folder.name!r}.")
    limit = predictor.bundle.calibration.outlier.limit
    return {
        "folder": folder.resolve().name,
        "pictures": len(predictions),
        "unreadable": len(files) - len(predictions),
        "outlier": _bound([prediction.outlier_score > limit for prediction in predictions]),
        "not_evaluable": _bound([prediction.triage == "not_evaluable" for prediction in predictions]),
    }


def _bound(flags: Sequence[bool]) -> dict[str, float]:
    lower, upper = bound_share(sum(flags), len(flags))
    figures = {"value": sum(flags) / len(flags), "lower": lower, "upper": upper}
    return {name: round(figure, DIGITS) for name, figure in figures.items()}


def _collect(predictions: list[Prediction], manifest: Manifest, own: Task, predictor: Predictor) -> Answers:
    keys, frame = predictor.task.keys, manifest.frame
    limit = predictor.bundle.calibration.outlier.limit
    same = own.key == predictor.task.key
    return Answers(
        keys=keys,
        labels=np.array([keys.index(label) for label in frame["label"]], dtype=np.int64) if same else None,
        alarming=frame["label"].isin(own.alarming).to_numpy(dtype=bool),
        predicted=np.array([keys.index(prediction.label) for prediction in predictions], dtype=np.int64),
        probabilities=np.array([[prediction.probabilities[key] for key in keys] for prediction in predictions]),
        risk=np.clip([prediction.risk for prediction in predictions], 0, 1),
        triage=np.array([prediction.triage for prediction in predictions]),
        outlier=np.array([prediction.outlier_score > limit for prediction in predictions], dtype=bool),
        groups=frame["group"].astype(str).to_numpy(dtype=np.str_),
        ordered=predictor.task.ordered,
        members=_collect_sets(predictions, keys),
        undecided=np.array([prediction.undecided for prediction in predictions]),
        alarming_columns=tuple(keys.index(key) for key in predictor.task.alarming),
        scores=np.array([prediction.logits for prediction in predictions], dtype=np.float64)
        + np.array(predictor.bundle.calibration.log_prior),
        sizes_px=np.array([prediction.size_px for prediction in predictions], dtype=np.int64),
    )


def _collect_sets(predictions: list[Prediction], keys: tuple[str, ...]) -> NDArray[np.bool_] | None:
    if not predictions[0].prediction_set:
        return None
    return np.array([[key in prediction.prediction_set for key in keys] for prediction in predictions])


def _note_labels(manifest: Manifest, own: Task) -> list[str]:
    counts = manifest.frame["label"].astype(str).value_counts().sort_index()
    unknown = {str(label): int(number) for label, number in counts.items() if label not in own.keys}
    if not unknown:
        return []
    # In quotes a space at the end is seen.
    names = ", ".join(f"{label!r} ({number})" for label, number in unknown.items())
    left_out = count(sum(unknown.values()), "picture is", "pictures are")
    verb = "is no label" if len(unknown) == 1 else "are no labels"
    return [f"{left_out} left out: {names} {verb} of {own.key} ({', '.join(own.keys)})."]


def _note_repeated(manifest: Manifest) -> list[str]:
    number = len(manifest) - len({os.path.normpath(path) for path in manifest.paths()})
    if not number:
        return []
    listed = count(number, "row lists", "rows list")
    return [f"{listed} a picture that an earlier row lists; each counts. `secondlook data check` names them."]


def _note_unread(number: int) -> list[str]:
    left_out = count(number, "picture is", "pictures are")
    return [f"{left_out} left out: missing, or cannot be read as a picture."] if number else []


def _note_absent(answered: Manifest, own: Task, task: Task) -> list[str]:
    labels = set(answered.frame["label"])
    if own.key != task.key:
        return [f"The labels are those of {own.key}, not of {task.key}: only risk and triage are measured."]
    absent = [key for key in task.keys if key not in labels]
    notes = []
    if absent:
        notes.append(
            f"No picture of {', '.join(absent)}: sensitivity, F1 and AUC of that are undefined, "
            "and macro figures average the other labels."
        )
    for side, keys in (("alarming", set(own.alarming)), ("other", set(own.keys) - set(own.alarming))):
        if not labels & keys:
            notes.append(f"No {side} picture: the AUC of the risk is undefined.")
    return notes

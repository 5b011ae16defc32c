"""How often similar cases have the picture's own diagnosis, against what chance gives."""

import numpy as np
from numpy.typing import NDArray

from secondlook.conditions import find_task
from secondlook.data.fingerprint import Track, track_silently
from secondlook.data.manifest import Manifest
from secondlook.errors import DatasetError
from secondlook.evaluation.answers import attempt_prediction
from secondlook.evaluation.intervals import Interval, bootstrap_measures
from secondlook.explanation.similar import ReferenceSet, check_labels
from secondlook.inference.predictor import Predictor

FIGURES = {
    "same_label": "Of the nearest cases, share with the picture's own label",
    "same_label_by_chance": "The same for cases drawn at random",
    "alarming": "Of an alarming picture's nearest cases, share that are alarming",
    "alarming_by_chance": "The same for cases drawn at random",
}


def measure_neighbours(
    predictor: Predictor,
    reference: ReferenceSet,
    manifest: Manifest,
    *,
    count: int,
    seed: int = 0,
    resamples: int = 2000,
    track: Track = track_silently,
) -> dict[str, Interval]:
    """Return ``FIGURES`` for pictures that have their patient or lesion not in the reference set.

    Args:
        predictor: The bundle that the set was built with.
        reference: The set.
        manifest: Pictures whose label is known.
        count: How many cases are looked at for each.
        seed: Of the bootstrap over patients or lesions.
        resamples: Of the bootstrap.
        track: Shows progress.

    Raises:
        BundleError: The set was built with another graph.
        DatasetError: The manifest is of another task, or no picture is left.
    """
    reference.check_bundle(predictor.bundle)
    check_labels(predictor, manifest)
    known = set(reference.cases["group"])
    frame = manifest.frame[~manifest.frame["group"].astype(str).isin(known)].reset_index(drop=True)
    if frame.empty:
        raise DatasetError(
            "Expected pictures of patients or lesions that the reference set does not hold; there is none. "
            "Build it from the split train, and measure on test."
        )
    rows, found = [], []
    paths = Manifest(frame, manifest.root, manifest.task).paths()
    for row, path in enumerate(track(paths, "Searching", len(paths))):
        prediction = attempt_prediction(predictor, path)
        if prediction is not None:
            rows.append(row)
            found.append([case.label for case in reference.find_nearest(prediction.embedding, count=count)])
    frame = frame.iloc[rows]
    task = find_task(manifest.task)
    labels = frame["label"].astype(str).to_numpy(dtype=np.str_)
    pool = reference.cases["label"].to_numpy(dtype=np.str_)
    nearest = np.array(found, dtype=np.str_)
    alarming = np.isin(labels, task.alarming)
    figures = {
        "same_label": (nearest == labels[:, None]).mean(axis=1),
        "same_label_by_chance": (pool[None] == labels[:, None]).mean(axis=1),
        "alarming": np.isin(nearest, task.alarming).mean(axis=1),
        "alarming_by_chance": np.full(len(labels), np.isin(pool, task.alarming).mean()),
    }

    def measure(weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        ill = weights * alarming
        with np.errstate(invalid="ignore"):
            return {
                name: (ill @ values / ill.sum(axis=1))
                if name.startswith("alarming")
                else weights @ values / weights.sum(axis=1)
                for name, values in figures.items()
            }

    groups = frame["group"].astype(str).to_numpy(dtype=np.str_)
    return bootstrap_measures(measure, groups, seed=seed, resamples=resamples)

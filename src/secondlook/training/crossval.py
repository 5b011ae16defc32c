"""Cross-validation: a run for every fold, out-of-fold figures, and the folds as one ensemble bundle.

Folds are dealt inside the split train alone. Each fold's run is an ordinary one: it learns from the other folds,
chooses and calibrates on the split calibration, and is measured on its own fold. No member learns from the split
calibration, so that the ensemble's own averaged answers are calibrated on it; out-of-fold answers are those of single
members and would calibrate something else. The split test is opened once, for the ensemble.
"""

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from secondlook.data.fingerprint import data_fingerprint
from secondlook.data.manifest import Manifest, read_manifest, write_manifest
from secondlook.errors import BundleError
from secondlook.evaluation.answers import Answered, answer_manifest
from secondlook.evaluation.intervals import Interval
from secondlook.evaluation.measures import DIGITS, Answers
from secondlook.evaluation.run import RESAMPLES, finish_bundle
from secondlook.evaluation.summary import bound_summary
from secondlook.inference.bundle import open_bundle
from secondlook.inference.predictor import Predictor
from secondlook.training.ensemble import export_ensemble
from secondlook.training.foldplots import plot_folds, plot_rocs
from secondlook.training.folds import take_fold
from secondlook.training.loop import Watcher
from secondlook.training.recipe import Recipe
from secondlook.training.run import find_foreign, open_run, prepare_manifest, train_run
from secondlook.training.writing import write_text

Watch = Callable[[Recipe], Watcher]


@dataclass(frozen=True)
class Measured:
    """What was measured of one fold, of all out-of-fold answers, or of the ensemble.

    Attributes:
        name: ``fold 1`` …, ``out of fold`` or ``ensemble``.
        split: What it was measured on.
        pictures: Number of pictures.
        groups: Number of patients or lesions.
        figures: As :func:`secondlook.evaluation.summary.bound_summary` returns them.
    """

    name: str
    split: str
    pictures: int
    groups: int
    figures: Mapping[str, Interval]


def train_folds(recipe: Recipe, folder: Path, *, watch: Watch) -> tuple[Path, list[Measured]]:
    """Train a recipe once without each of its folds, or continue there, and make the ensemble's bundle.

    Besides ``fold-1``, ``fold-2`` …, which are ordinary run folders, the folder holds ``recipe.yaml``, ``split.csv``
    with its column ``fold``, ``out-of-fold.csv`` (what each picture of the split train got from the network that had
    not seen it), ``folds.json``, ``plots/`` and ``bundle/``.

    Args:
        recipe: With ``split.folds``.
        folder: The run folder.
        watch: Called with the recipe of every part, returns the watcher of that part.

    Returns:
        The ensemble's bundle, and what was measured: every fold, out of fold, the ensemble.

    Raises:
        DatasetError: The data are missing or wrong, leak, or cannot be dealt to the folds.
        RecipeError: The run cannot go on; the last good checkpoint is kept.
        BundleError: The folds' graphs cannot be merged.
    """
    foreign, watcher = find_foreign(recipe), watch(recipe)
    watcher.note("reading the data, looking for leaks, dealing the folds")
    manifest, leak = prepare_manifest(recipe)
    with open_run(folder, recipe):
        write_manifest(manifest, folder / "split.csv")
        runs = [folder / f"fold-{number}" for number in range(1, int(recipe.split.folds or 0) + 1)]
        for number, run in enumerate(runs, start=1):
            part = choose_fold(recipe, number)
            if not is_finished(run / "bundle", part, take_fold(manifest, number)):
                train_run(part, run, watcher=watch(part))
        plot_folds([read_history(run) for run in runs], folder / "plots" / "folds.png")
        bundle = folder / "bundle"
        if not is_finished(bundle, recipe, manifest):
            watcher.note("merging the folds' graphs, calibrating, measuring once on the test split")
            members = [run / "bundle" for run in runs]
            fingerprint = data_fingerprint(manifest)
            export_ensemble(members, recipe, bundle, data_fingerprint=fingerprint, leak=leak)
            finish_bundle(
                bundle,
                manifest.select("calibration"),
                manifest.select("test"),
                whole=manifest,
                refuse=foreign,
                leak=leak,
                quick=True,
            )
        measured = measure_folds(folder, runs, manifest, watcher=watcher)
    return bundle, measured


def choose_fold(recipe: Recipe, number: int) -> Recipe:
    """Return the recipe of one fold's run: a whole recipe that trains this fold anywhere by itself.

    Where the recipe goes on from the weights of another cross-validated run, the fold goes on from the same fold there.
    """
    content = recipe.model_dump(mode="json")
    content["name"] = f"{recipe.name}-fold-{number}"
    content["split"]["fold"] = number
    earlier = Path(recipe.model.weights) / f"fold-{number}"
    if earlier.is_dir():
        content["model"]["weights"] = str(earlier)
    return Recipe.model_validate(content)


def is_finished(bundle: Path, recipe: Recipe, manifest: Manifest) -> bool:
    """Tell whether a bundle is sealed, and is what this recipe makes of these data."""
    try:
        training = open_bundle(bundle).facts.training
    except BundleError:
        return False
    expected = (recipe.fingerprint(), data_fingerprint(manifest))
    return (training.recipe_sha256, training.data_fingerprint) == expected


def read_history(run: Path) -> list[dict[str, float]]:
    """Return the history of a run folder, one row per epoch."""
    frame = pd.read_csv(run / "history.csv")
    return [{str(name): float(value) for name, value in row.items()} for row in frame.to_dict("records")]


def measure_folds(folder: Path, runs: Sequence[Path], manifest: Manifest, *, watcher: Watcher) -> list[Measured]:
    """Measure every fold on its own part, all of them together, and the ensemble on the split test.

    Writes ``out-of-fold.csv``, ``folds.json`` and ``plots/roc.png``.
    """
    watcher.note("gathering what each network answered about the fold that it had not seen")
    answered = [answer_fold(run) for run in runs]
    ensemble = answer_manifest(Predictor(open_bundle(folder / "bundle")), manifest.select("test"))
    together = join_answers([one.answers for one in answered])
    measured = [
        measure_part(f"fold {number}", f"fold {number}", one.answers) for number, one in enumerate(answered, start=1)
    ]
    measured.append(measure_part("out of fold", "train", together))
    measured.append(measure_part("ensemble", "test", ensemble.answers))
    write_answers(folder / "out-of-fold.csv", answered, manifest)
    text = json.dumps({"figures": [describe_part(part) for part in measured]}, indent=2)
    write_text(folder / "folds.json", text + "\n")
    curves = [one.answers for one in answered]
    plot_rocs(curves, together, ensemble.answers, folder / "plots" / "roc.png")
    return measured


def answer_fold(run: Path) -> Answered:
    """Return what a fold's bundle answers about the fold that it was trained without."""
    return answer_manifest(Predictor(open_bundle(run / "bundle")), read_manifest(run / "split.csv").select("test"))


def join_answers(parts: Sequence[Answers]) -> Answers:
    """Return the answers of several bundles of one task, one after the other."""
    first = parts[0]
    joined: dict[str, Any] = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in dataclasses.fields(Answers)
        if isinstance(getattr(first, field.name), np.ndarray)
    }
    return dataclasses.replace(first, **joined)


def measure_part(name: str, split: str, answers: Answers) -> Measured:
    """Measure some answers."""
    figures = bound_summary(answers, seed=0, resamples=RESAMPLES)
    return Measured(name, split, len(answers.groups), len(np.unique(answers.groups)), figures)


def describe_part(part: Measured) -> dict[str, Any]:
    """Return what was measured as plain values; what is undefined is null."""
    figures = {
        name: {key: None if np.isnan(value) else round(value, DIGITS) for key, value in bounds.items()}
        for name, bounds in ((name, dataclasses.asdict(interval)) for name, interval in part.figures.items())
    }
    return {
        "name": part.name,
        "measured_on": part.split,
        "pictures": part.pictures,
        "groups": part.groups,
        "figures": figures,
    }


def write_answers(file: Path, answered: Sequence[Answered], manifest: Manifest) -> None:
    """Write the out-of-fold probabilities of every picture as CSV, a manifest with columns ``fold`` and ``p_LABEL``."""
    frames = []
    for number, one in enumerate(answered, start=1):
        images = [str(path.resolve()) for path in one.manifest.paths()]
        columns = {f"p_{key}": one.answers.probabilities[:, place] for place, key in enumerate(one.answers.keys)}
        frames.append(one.manifest.frame.assign(image=images, split="train", fold=number, **columns))
    write_manifest(Manifest(pd.concat(frames, ignore_index=True), file.parent, manifest.task), file)

"""Can the class be told without looking at the disease? A small model tries, with nothing but what files give away.

A picture set is often put together from several sources, and each class comes from its own. A network then learns the
source: the frame's size, the camera, the surround (DeGrave, Janizek and Lee 2021, doi 10.1038/s42256-021-00338-7).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from secondlook.data.facts import FAMILIES, Family
from secondlook.data.fingerprint import Track, track_silently
from secondlook.data.manifest import Manifest
from secondlook.data.split import fold_manifest
from secondlook.evaluation.intervals import Interval, bootstrap_measures
from secondlook.evaluation.metrics import compute_class_aucs, compute_macro

Floats = NDArray[np.float64]

CHANCE = 0.5
LIMIT = 0.6
FOLDS = 5
LEAST_GROUPS = 20
# Where there are few pictures, much hangs on which of them share a fold: they are dealt anew and guessed again.
DEALS = 4
FEW_PICTURES = 1000
TOGETHER = Family(
    "together",
    "All of these",
    "together",
    tuple(fact for family in FAMILIES for fact in family.facts),
    any(family.from_the_lesion for family in FAMILIES),
)


@dataclass(frozen=True)
class Guess:
    """How well one family of facts tells the class.

    Attributes:
        family: Which facts.
        macro: Mean of the classes' AUCs, each class against all others; .5 is chance.
        by_label: AUC of each class.
        varies: Whether any of these facts differs between pictures at all.
    """

    family: Family
    macro: Interval
    by_label: dict[str, Interval]
    varies: bool = True

    @property
    def told(self) -> tuple[str, ...]:
        """The classes whose AUC lies above ``LIMIT``, lower bound included."""
        return tuple(label for label, interval in self.by_label.items() if interval.lower > LIMIT)

    @property
    def suspicious(self) -> bool:
        """Whether this is a possible shortcut: the lower bound of the mean, or of a class, lies above ``LIMIT``."""
        return self.macro.lower > LIMIT or bool(self.told)

    @property
    def weak(self) -> bool:
        """Whether it tells the class better than guessing, but is not suspicious."""
        return self.macro.lower > CHANCE and not self.suspicious


@dataclass(frozen=True)
class Shortcuts:
    """What the small model could tell.

    Attributes:
        guesses: One per family, then all of them together; empty where the test could not be done.
        pictures: Pictures that were guessed.
        groups: Patients or lesions that these show.
        left_out: Classes with too few patients or lesions to be tested.
        obstacle: Why the test could not be done, in a sentence.
    """

    guesses: tuple[Guess, ...]
    pictures: int = 0
    groups: int = 0
    left_out: tuple[str, ...] = ()
    obstacle: str | None = None

    @property
    def suspicious(self) -> tuple[Guess, ...]:
        """The families that are possible shortcuts."""
        return tuple(guess for guess in self.guesses if guess.suspicious)


def measure_shortcuts(
    manifest: Manifest,
    facts: pd.DataFrame,
    *,
    seed: int = 0,
    resamples: int = 1000,
    track: Track = track_silently,
) -> Shortcuts:
    """Measure how well a small model tells the class from each family of facts, and from all of them together.

    Gradient-boosted trees (Ke et al. 2017, LightGBM, as scikit-learn has them) guess every picture from the facts of
    other patients or lesions: five folds, groups whole. Small sets are dealt and guessed several times, and the
    probabilities averaged. The intervals are those of the guesses that were made, from a
    bootstrap over groups; they do not hold how another draw of folds would have changed the trees.

    Args:
        manifest: The pictures; their groups are kept whole.
        facts: As :func:`secondlook.data.facts.read_facts` returns them, in the order of the manifest.
        seed: Seed of folds, trees and resamples.
        resamples: Number of bootstrap resamples.
        track: Shows progress.
    """
    frame = manifest.frame.reset_index(drop=True)
    groups = frame.groupby("label")["group"].nunique()
    tested = sorted(groups.index[groups >= LEAST_GROUPS])
    left_out = tuple(sorted(set(groups.index) - set(tested)))
    if obstacle := find_obstacle(tested):
        return Shortcuts((), left_out=left_out, obstacle=obstacle)
    rows = frame["label"].isin(tested).to_numpy()
    kept = Manifest(frame[rows].reset_index(drop=True), manifest.root, manifest.task)
    deals = range(seed, seed + (DEALS if len(kept) < FEW_PICTURES else 1))
    folds = [fold_manifest(kept, folds=FOLDS, seed=deal).to_numpy() for deal in deals]
    labels = pd.Categorical(kept.frame["label"], categories=tested).codes.astype(np.int64)
    names = kept.frame["group"].to_numpy(dtype=str)
    families = [*FAMILIES, TOGETHER]
    guesses = []
    for family in track(families, "Looking for shortcuts", len(families)):
        columns = encode_facts(facts.loc[rows, list(family.facts)])
        varies = bool(columns.shape[1])
        probabilities = np.full((len(labels), len(tested)), 1 / len(tested))
        if varies:
            probabilities = np.mean([guess_classes(columns, labels, dealt, seed=seed) for dealt in folds], axis=0)
        intervals = bound_aucs(labels, probabilities, names, resamples=resamples, seed=seed)
        guesses.append(Guess(family, intervals[0], dict(zip(tested, intervals[1:], strict=True)), varies))
    return Shortcuts(tuple(guesses), len(kept), kept.frame["group"].nunique(), left_out)


def find_obstacle(tested: Sequence[str]) -> str | None:
    """Return why these classes cannot be tested, or nothing."""
    if len(tested) < 2:
        return f"It takes two classes with pictures of at least {LEAST_GROUPS} patients or lesions each."
    try:
        import sklearn  # noqa: F401
    except ImportError:
        return "It takes scikit-learn, which is not installed here: pip install 'secondlook[train]'."
    return None


def encode_facts(facts: pd.DataFrame) -> Floats:
    """Return facts as numbers, float64 N×F: text as one column of 0 and 1 per value, constant columns left out."""
    numbers = pd.get_dummies(facts, dummy_na=False, dtype=float)
    return numbers.loc[:, [len(numbers[name].unique()) > 1 for name in numbers]].to_numpy(dtype=np.float64)


def guess_classes(columns: Floats, labels: NDArray[np.int64], folds: NDArray[np.int64], *, seed: int) -> Floats:
    """Return each row's class probabilities, float64 N×K, from trees that were grown on the other folds.

    Args:
        columns: float64 N×F; NaN is missing.
        labels: int64 N, 0 … K-1; every class lies in every fold.
        folds: int64 N, the fold of each row.
        seed: Seed of the trees.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    probabilities = np.zeros((len(labels), int(labels.max()) + 1))
    for fold in np.unique(folds):
        held = folds == fold
        trees = HistGradientBoostingClassifier(
            max_iter=50,
            max_leaf_nodes=8,
            min_samples_leaf=10,
            l2_regularization=1.0,
            early_stopping=False,
            class_weight="balanced",
            random_state=seed,
        )
        trees.fit(columns[~held], labels[~held])
        probabilities[held] = trees.predict_proba(columns[held])
    return probabilities


def bound_aucs(
    labels: NDArray[np.int64], probabilities: Floats, groups: NDArray[np.str_], *, resamples: int, seed: int
) -> list[Interval]:
    """Return the macro AUC and each class's AUC with their intervals, from a bootstrap over groups."""
    present = np.ones(probabilities.shape[1], dtype=bool)

    def measure(weights: Floats) -> dict[str, Floats]:
        aucs = compute_class_aucs(labels, probabilities, weights=weights)
        return {"macro": compute_macro(aucs, present), **{str(k): aucs[..., k] for k in range(len(present))}}

    return list(bootstrap_measures(measure, groups, resamples=resamples, seed=seed).values())

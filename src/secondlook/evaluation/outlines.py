"""How well outlines agree with masks that experts drew."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from secondlook.data.fingerprint import Track, track_silently
from secondlook.data.masks import Masked, read_pair
from secondlook.evaluation.intervals import Interval, bootstrap_measures, widen_share
from secondlook.explanation.segmentation import Method

Floats = NDArray[np.float64]

# Below this Jaccard index the ISIC challenge of 2018 counted an outline as failed (Codella et al. 2019,
# doi 10.48550/arXiv.1902.03368).
FAILED_BELOW = 0.65
FIGURES: Mapping[str, str] = {
    "median_jaccard": "Median Jaccard",
    "mean_jaccard": "Mean Jaccard",
    "median_dice": "Median Dice",
    "mean_dice": "Mean Dice",
    "failed": f"Jaccard below {FAILED_BELOW}",
    "nothing_found": "Nothing found",
}


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """How one method agrees with the masks.

    Attributes:
        jaccard: float64 N, the Jaccard index of each picture.
        figures: ``FIGURES``, each with its interval.
        milliseconds: Median CPU time for one picture that is already read.
        nothing: bool N, whether nothing was found.
    """

    jaccard: Floats
    figures: Mapping[str, Interval]
    milliseconds: float
    nothing: NDArray[np.bool_]

    def rank_worst(self, count: int) -> Sequence[int]:
        """Return the rows of the pictures with the lowest Jaccard index, the lowest first."""
        return [int(row) for row in np.argsort(self.jaccard, kind="stable")[:count]]


def measure_methods(
    masked: Masked,
    methods: Mapping[str, Method],
    *,
    seed: int = 0,
    resamples: int = 2000,
    track: Track = track_silently,
) -> dict[str, Agreement]:
    """Outline every picture by every method, and compare with its mask at the mask's size.

    Args:
        masked: Pictures and masks.
        methods: What to compare.
        seed: Of the bootstrap over patients or lesions.
        resamples: Of the bootstrap.
        track: Shows progress.

    Raises:
        InputError: A picture or mask cannot be read.
    """
    count = len(masked.masks)
    jaccard = {name: np.empty(count) for name in methods}
    seconds = {name: np.empty(count) for name in methods}
    nothing = {name: np.zeros(count, dtype=bool) for name in methods}
    pairs = zip(masked.manifest.paths(), masked.masks, strict=True)
    for number, (path, file) in enumerate(track(pairs, "Outlining", count)):
        pixels, drawn = read_pair(path, file)
        for name, method in methods.items():
            started = time.process_time()
            found = method.segment(pixels)
            seconds[name][number] = time.process_time() - started
            jaccard[name][number] = measure_jaccard(found, drawn)
            nothing[name][number] = not found.any()
    groups = masked.manifest.frame["group"].astype(str).to_numpy(dtype=np.str_)
    return {
        name: Agreement(
            jaccard=jaccard[name],
            figures=bound_figures(jaccard[name], nothing[name], groups, seed=seed, resamples=resamples),
            milliseconds=1000 * float(np.median(seconds[name])),
            nothing=nothing[name],
        )
        for name in methods
    }


def measure_jaccard(found: NDArray[np.bool_], drawn: NDArray[np.bool_]) -> float:
    """Return the area in both over the area in either, 1 where both are empty (Jaccard 1901, doi 10.5169/seals-266450).

    Args:
        found: bool H×W.
        drawn: bool H×W.
    """
    either = int(np.count_nonzero(found | drawn))
    return int(np.count_nonzero(found & drawn)) / either if either else 1.0


def convert_to_dice(jaccard: Floats) -> Floats:
    """Return the Dice coefficient, 2 J / (1 + J) (Dice 1945, doi 10.2307/1932409)."""
    return 2 * jaccard / (1 + jaccard)


def bound_figures(
    jaccard: Floats, nothing: NDArray[np.bool_], groups: NDArray[np.str_], *, seed: int, resamples: int
) -> dict[str, Interval]:
    """Return ``FIGURES`` with 95 % intervals from a bootstrap over groups.

    Args:
        jaccard: float64 N.
        nothing: bool N.
        groups: N names of patients or lesions.
        seed: Of the bootstrap.
        resamples: Of the bootstrap.
    """
    dice = convert_to_dice(jaccard)

    def measure(weights: Floats) -> dict[str, Floats]:
        total = weights.sum(axis=1)
        median = find_median(jaccard, weights)
        return {
            "median_jaccard": median,
            "mean_jaccard": weights @ jaccard / total,
            "median_dice": convert_to_dice(median),
            "mean_dice": weights @ dice / total,
            "failed": weights @ (jaccard < FAILED_BELOW) / total,
            "nothing_found": weights @ nothing / total,
        }

    figures = bootstrap_measures(measure, groups, seed=seed, resamples=resamples)
    return figures | {name: widen_share(figures[name], groups) for name in ("failed", "nothing_found")}


def find_median(values: Floats, weights: Floats) -> Floats:
    """Return the weighted medians, float64 R: of an even number of rows the mean of the middle two.

    Args:
        values: float64 N.
        weights: float64 R×N, how often each row counts.
    """
    order = np.argsort(values)
    ordered, sums = values[order], np.cumsum(weights[:, order], axis=1)
    half = sums[:, -1:] / 2
    lower = (sums < half).sum(axis=1)
    upper = np.minimum((sums <= half).sum(axis=1), len(values) - 1)
    return np.asarray((ordered[lower] + ordered[upper]) / 2)

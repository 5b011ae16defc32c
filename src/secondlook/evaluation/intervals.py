"""Intervals: exact ones for a share, and a bootstrap over groups for any measure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from secondlook.data.fingerprint import Track, track_silently

Floats = NDArray[np.float64]
Measure = Callable[[Floats], Mapping[str, Floats]]

CHUNK_CELLS = 2_000_000
MOST_UNDEFINED = 0.05
BISECTIONS = 60


@dataclass(frozen=True, slots=True)
class Interval:
    """A measured value with the bounds of its interval; NaN where something is undefined."""

    value: float
    lower: float
    upper: float


def bound_share(
    hits: int, rows: int, *, level: float = 0.95, side: Literal["both", "lower"] = "both"
) -> tuple[float, float]:
    """Return the exact bounds of a share of independent rows (Clopper and Pearson 1934, doi 10.1093/biomet/26.4.404).

    Args:
        hits: Rows that count, 0 … rows.
        rows: All rows.
        level: Confidence, for example 0.95.
        side: ``both`` puts half of the error on each side; ``lower`` puts all of it below, and the upper bound is 1.

    Raises:
        ValueError: The counts or the level make no sense.

    Example:
        >>> [round(bound, 4) for bound in bound_share(10, 10)]
        [0.6915, 1.0]
    """
    if not 0 <= hits <= rows or rows == 0:
        raise ValueError(f"Expected 0 ≤ hits ≤ rows and at least one row, got {hits} of {rows}.")
    if not 0 < level < 1:
        raise ValueError(f"Expected a level between 0 and 1, got {level}.")
    error = (1 - level) / 2 if side == "both" else 1 - level
    return _bound_below(hits, rows, error), 1 - _bound_below(rows - hits, rows, error) if side == "both" else 1.0


def _bound_below(hits: int, rows: int, error: float) -> float:
    """Return the share at which ``hits`` or more of ``rows`` still have the probability ``error``."""
    if hits == 0:
        return 0.0
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, rows + 1)))])
    count = np.arange(hits, rows + 1)
    ways = logs[rows] - logs[count] - logs[rows - count]
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        share = (low + high) / 2
        tail = np.exp(ways + count * np.log(share) + (rows - count) * np.log1p(-share)).sum()
        low, high = (share, high) if tail < error else (low, share)
    return high


def widen_share(interval: Interval, groups: NDArray[Any]) -> Interval:
    """Return the interval of a share with exact bounds where the share is 0 or 1, and so does not vary in a bootstrap.

    Args:
        interval: The share with its bounds.
        groups: N names of the groups of the rows that it is a share of; each group counts once.
    """
    if interval.value not in (0.0, 1.0):
        return interval
    independent = len(np.unique(groups))
    lower, upper = bound_share(independent if interval.value else 0, independent)
    return Interval(interval.value, lower, upper)


def draw_weights(groups: NDArray[Any], *, resamples: int, seed: int) -> NDArray[np.int16]:
    """Draw groups with replacement, as many as there are; return how often each row counts.

    Rows of one patient or lesion resemble each other, so whole groups are drawn (the cluster bootstrap; Field and
    Welsh 2007, doi 10.1111/j.1467-9868.2007.00593.x).

    Args:
        groups: N names of the rows' groups.
        resamples: Number of resamples R.
        seed: Seed; the result depends on it and on the groups' names, not on the order of the rows.

    Returns:
        integer R×N.
    """
    names, number = np.unique(groups, return_inverse=True)
    random = np.random.default_rng(seed)
    counts = random.multinomial(len(names), np.full(len(names), 1 / len(names)), size=resamples)
    return np.asarray(counts.astype(np.int16)[:, number])


def bootstrap_measures(
    measure: Measure,
    groups: NDArray[Any],
    *,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    track: Track = track_silently,
) -> dict[str, Interval]:
    """Measure the rows once, and bound every figure by the percentiles of its resamples.

    A resample in which a figure is undefined (it drew no lesion of a class) is left out for that figure. Where that
    happens in more than one of twenty resamples, or where there are fewer than two groups, the bounds are NaN: too
    few lesions to say. Efron and Tibshirani 1993, doi 10.1007/978-1-4899-4541-9.

    Args:
        measure: Called with weights R×N (how often each row counts), returns name → float64 R.
        groups: N names of the rows' groups (patients or lesions).
        resamples: Number of resamples.
        seed: Seed of the resamples.
        level: Confidence of the interval.
        track: Shows progress.

    Returns:
        Name → value and bounds.
    """
    values, drawn = resample_measures(measure, groups, resamples=resamples, seed=seed, track=track)
    few = len(np.unique(groups)) < 2
    return {name: bound_resamples(value, drawn[name], few=few, level=level) for name, value in values.items()}


def resample_measures(
    measure: Measure, groups: NDArray[Any], *, resamples: int, seed: int, track: Track = track_silently
) -> tuple[dict[str, float], dict[str, Floats]]:
    """Measure the rows once, and once for each resample of their groups.

    Returns:
        Name → value, and name → float64 R, NaN where a resample leaves the figure undefined.
    """
    values = {name: float(value[0]) for name, value in measure(np.ones((1, len(groups)))).items()}
    weights = draw_weights(groups, resamples=resamples, seed=seed)
    step = max(1, CHUNK_CELLS // len(groups))
    starts = range(0, resamples, step)
    chunks = track(starts, "Resampling", len(starts))
    parts = [measure(weights[start : start + step].astype(np.float64)) for start in chunks]
    return values, {name: np.concatenate([part[name] for part in parts]) for name in values}


def bound_resamples(value: float, drawn: Floats, *, few: bool, level: float = 0.95) -> Interval:
    """Return a value with the percentiles of its resamples; NaN bounds where too many of them are undefined."""
    defined = drawn[~np.isnan(drawn)]
    if few or np.isnan(value) or len(defined) < (1 - MOST_UNDEFINED) * len(drawn):
        return Interval(value, np.nan, np.nan)
    lower, upper = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(lower), float(upper))

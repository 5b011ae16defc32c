"""What share of each class has which value, with intervals."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from secondlook.data.explore import Factor
from secondlook.data.manifest import Manifest
from secondlook.evaluation.intervals import Interval, bootstrap_measures, widen_share
from secondlook.evaluation.metrics import compute_share

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Column:
    """The pictures that shares are taken of: those of one label, or all.

    Attributes:
        label: The label's key, or nothing for all pictures.
        pictures: How many there are.
        groups: How many patients or lesions they show.
    """

    label: str | None
    pictures: int
    groups: int


@dataclass(frozen=True)
class Composition:
    """A factor in every class.

    Attributes:
        factor: What was counted.
        columns: All pictures, then each label.
        pictures: Number of pictures by row (the factor's values, in order) and column.
        groups: Number of patients or lesions, likewise.
        shares: Share of the column's pictures, likewise.
    """

    factor: Factor
    columns: tuple[Column, ...]
    pictures: list[list[int]]
    groups: list[list[int]]
    shares: list[list[Interval]]


def compose_factors(
    manifest: Manifest, factors: Sequence[Factor], labels: Sequence[str], *, seed: int = 0, resamples: int = 1000
) -> Iterator[Composition]:
    """Yield, for every factor, the share of each class's pictures that has each value.

    Intervals are 95 %, from a bootstrap over groups. A share of exactly 0 or 1 gets exact bounds, each patient or
    lesion counting once.

    Args:
        manifest: The pictures.
        factors: As :mod:`secondlook.data.explore` lists them.
        labels: The labels that have pictures, in the order to show.
        seed: Seed of the bootstrap.
        resamples: Number of resamples.
    """
    truth, groups = manifest.frame["label"].to_numpy(dtype=str), manifest.frame["group"].to_numpy(dtype=str)
    members = np.stack([np.ones(len(truth), dtype=bool), *(truth == label for label in labels)])
    columns = tuple(
        Column(label, int(rows.sum()), len(np.unique(groups[rows])))
        for label, rows in zip((None, *labels), members, strict=True)
    )
    for factor in factors:
        has = np.stack(list(factor.rows.values()))
        both = has[:, None] & members
        intervals = bound_shares(both, members, groups, seed=seed, resamples=resamples)
        yield Composition(
            factor,
            columns,
            both.sum(axis=-1).tolist(),
            [[len(np.unique(groups[rows])) for rows in line] for line in both],
            intervals,
        )


def bound_shares(
    both: NDArray[np.bool_], members: NDArray[np.bool_], groups: NDArray[np.str_], *, seed: int, resamples: int
) -> list[list[Interval]]:
    """Return V lines of C shares with their intervals.

    Args:
        both: bool V×C×N, rows that belong to a column and have a value.
        members: bool C×N, rows that belong to a column.
        groups: N names of the rows' groups.
        seed: Seed of the bootstrap.
        resamples: Number of resamples.
    """
    cells, wholes = both.reshape(-1, both.shape[-1]).T.astype(float), members.T.astype(float)

    def measure(weights: Floats) -> dict[str, Floats]:
        hits = (weights @ cells).reshape(len(weights), *both.shape[:2])
        shares = compute_share(hits, (weights @ wholes)[:, None])
        return {f"{value} {column}": shares[:, value, column] for value, column in np.ndindex(both.shape[:2])}

    found = iter(bootstrap_measures(measure, groups, seed=seed, resamples=resamples).values())
    return [[widen_share(next(found), groups[rows]) for rows in members] for _ in both]

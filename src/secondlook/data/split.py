"""Grouped, stratified splits: no patient or lesion is ever on two sides."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd

from secondlook.data.manifest import REQUIRED, SPLITS, Manifest
from secondlook.errors import DatasetError

DEFAULT_FRACTIONS: Mapping[str, float] = {"train": 0.8, "calibration": 0.1, "test": 0.1}


def split_manifest(
    manifest: Manifest,
    *,
    fractions: Mapping[str, float] = DEFAULT_FRACTIONS,
    seed: int = 0,
    by: Literal["group", "picture"] = "group",
) -> Manifest:
    """Return the manifest with a ``split`` column that keeps groups whole and classes in proportion.

    Groups are shuffled with the seed and dealt, from the rarest label to the most common one, to the split
    that lacks the most pictures of that label. The result depends on the rows' content, never on their order.

    Args:
        manifest: With or without a split; an earlier one is replaced.
        fractions: Share of the pictures by split.
        seed: Another seed gives another split.
        by: ``picture`` ignores the groups. Such a split leaks wherever a group has several pictures; it exists to
            measure what the leak fakes.

    Raises:
        DatasetError: Fractions do not add up to one, or a label has fewer groups than there are splits.
    """
    within = all(0 <= share <= 1 for share in fractions.values())
    if set(fractions) - set(SPLITS) or not within or abs(sum(fractions.values()) - 1) > 1e-6:
        raise DatasetError(f"Expected fractions of {', '.join(SPLITS)} that add up to 1, got {dict(fractions)}.")
    frame = manifest.frame.copy()
    units = frame["group" if by == "group" else "image"]
    assigned = deal_groups(frame["label"], units, shares=fractions, seed=seed)
    frame["split"] = units.map(assigned)
    return Manifest(frame, manifest.root, manifest.task)


def fold_manifest(manifest: Manifest, *, folds: int, seed: int = 0) -> pd.Series:
    """Return the fold number (0 … folds-1) of every row, groups whole and classes in proportion.

    Raises:
        DatasetError: Fewer than two folds, or a label has fewer groups than there are folds.
    """
    if folds < 2:
        raise DatasetError(f"Expected at least 2 folds, got {folds}.")
    shares = {str(number): 1 / folds for number in range(folds)}
    assigned = deal_groups(manifest.frame["label"], manifest.frame["group"], shares=shares, seed=seed)
    return manifest.frame["group"].map(assigned).astype(int).rename("fold")


def deal_groups(labels: pd.Series, groups: pd.Series, *, shares: Mapping[str, float], seed: int) -> dict[str, str]:
    """Return the part that every group goes to.

    Every part gets at least one group of each label, as long as no group holds several labels.

    Raises:
        DatasetError: A row lacks its label or group, or a label has fewer groups than there are parts.
    """
    if labels.empty or labels.isna().any() or groups.isna().any():
        raise DatasetError(f"Expected rows that all have {', '.join(REQUIRED)}; run `secondlook data check`.")
    parts = [name for name, share in shares.items() if share > 0]
    counts = pd.crosstab(groups, labels)
    held = (counts > 0).sum().sort_values(kind="stable")
    if held.iloc[0] < len(parts):
        scarce = [f"{label}: {number}" for label, number in held.items() if number < len(parts)]
        raise DatasetError(
            f"Expected at least {len(parts)} groups of every label (patients or lesions), one for each of "
            f"{', '.join(parts)}. Check the column `group`, or add pictures of other patients.",
            scarce,
        )
    shuffled = counts.iloc[np.random.default_rng(seed).permutation(len(counts))]
    assigned: dict[str, str] = {}
    for label in held.index:
        sizes = {str(group): int(size) for group, size in shuffled[label].items() if size > 0}
        deal_label(sizes, parts, shares=shares, assigned=assigned)
    return assigned


def deal_label(
    sizes: Mapping[str, int], parts: list[str], *, shares: Mapping[str, float], assigned: dict[str, str]
) -> None:
    """Deal the groups of one label that are not dealt yet; ``assigned`` grows.

    Args:
        sizes: Pictures of this label by group, in the order of dealing.
        parts: Parts to deal to.
        shares: Wanted share of the pictures by part.
        assigned: Part by group, of the labels dealt before and of this one.
    """
    total = sum(sizes.values())
    have = dict.fromkeys(parts, 0)
    for group, size in sizes.items():
        if group in assigned:
            have[assigned[group]] += size
    waiting = [group for group in sizes if group not in assigned]
    for position, group in enumerate(waiting):
        empty = [part for part in parts if have[part] == 0]
        choice = empty if len(empty) >= len(waiting) - position else parts
        part = max(choice, key=lambda name: total * shares[name] - have[name])
        assigned[group] = part
        have[part] += sizes[group]

"""Grouped, stratified splits: no patient or lesion is ever on two sides."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from secondlook.data.manifest import SPLITS, Manifest
from secondlook.errors import DatasetError

DEFAULT_FRACTIONS: Mapping[str, float] = {"train": 0.8, "calibration": 0.1, "test": 0.1}


def split_manifest(
    manifest: Manifest, *, fractions: Mapping[str, float] = DEFAULT_FRACTIONS, seed: int = 0
) -> Manifest:
    """Return the manifest with a ``split`` column that keeps groups whole and classes in proportion.

    Groups are shuffled with the seed and dealt, from the rarest label to the most common one, to the split
    that lacks the most pictures of that label. The result depends on the rows' content, never on their order.

    Raises:
        DatasetError: Fractions do not add up to one, or a label has fewer groups than there are splits.
    """
    if set(fractions) - set(SPLITS) or abs(sum(fractions.values()) - 1) > 1e-6:
        raise DatasetError(f"Expected fractions of {', '.join(SPLITS)} that add up to 1, got {dict(fractions)}.")
    assigned = deal_groups(manifest.frame, shares=fractions, seed=seed)
    frame = manifest.frame.copy()
    frame["split"] = frame["group"].map(assigned)
    return Manifest(frame, manifest.root, manifest.task)


def fold_manifest(manifest: Manifest, *, folds: int, seed: int = 0) -> pd.Series:
    """Return the fold number (0 … folds-1) of every row, groups whole and classes in proportion.

    Raises:
        DatasetError: A label has fewer groups than there are folds.
    """
    shares = {str(number): 1 / folds for number in range(folds)}
    assigned = deal_groups(manifest.frame, shares=shares, seed=seed)
    return manifest.frame["group"].map(assigned).astype(int).rename("fold")


def deal_groups(frame: pd.DataFrame, *, shares: Mapping[str, float], seed: int) -> dict[str, str]:
    """Return the part that every group goes to.

    Raises:
        DatasetError: A label has fewer groups than there are parts.
    """
    parts = [name for name, share in shares.items() if share > 0]
    counts = frame.groupby(["group", "label"]).size().unstack(fill_value=0).sort_index()
    rarity = list((counts > 0).sum().sort_values(kind="stable").index)
    scarce = [f"{label}: {int((counts[label] > 0).sum())} groups" for label in rarity]
    if (counts[rarity[0]] > 0).sum() < len(parts):
        raise DatasetError(
            f"Expected at least {len(parts)} patients or lesions of every label, one for each part.", scarce
        )
    order = np.random.default_rng(seed).permutation(len(counts))
    shuffled = counts.iloc[order]
    assigned: dict[str, str] = {}
    for label in rarity:
        groups = shuffled[(shuffled[label] > 0) & ~shuffled.index.isin(list(assigned))]
        total = int(shuffled[label].sum())
        have = {part: sum(int(counts.at[g, label]) for g, p in assigned.items() if p == part) for part in parts}
        for group, size in groups[label].items():
            part = max(parts, key=lambda name: total * shares[name] - have[name])
            assigned[str(group)] = part
            have[part] += int(size)
    return assigned

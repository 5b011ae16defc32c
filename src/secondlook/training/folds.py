"""Folds of the split train: dealt by patient or lesion, twins together, every label in each."""

import pandas as pd

from secondlook.conditions import find_task
from secondlook.data.leakage import audit_manifest, merge_groups
from secondlook.data.manifest import Manifest
from secondlook.data.split import fold_manifest
from secondlook.errors import DatasetError

OWN_CURE = "Correct the column, or remove it to have the folds dealt"


def deal_folds(manifest: Manifest, *, folds: int, seed: int) -> Manifest:
    """Return the manifest with a column ``fold``, 1 … folds in the split train and missing elsewhere.

    Groups that share a picture or a near-duplicate go to the same fold, so that no fold is measured on what the
    others have learned from. A manifest's own column ``fold`` goes first; its values are numbered in their order.

    Args:
        manifest: With its split; calibration and test stay as they are.
        folds: Number of folds.
        seed: Another seed gives other folds.

    Raises:
        DatasetError: A label has too few groups for the folds, or the manifest's own folds cannot serve.
    """
    frame = manifest.frame
    train = frame["split"] == "train"
    learned = frame[train]
    if "fold" in frame:
        numbers = number_folds(learned, folds=folds)
    else:
        require_groups(learned, manifest.task, folds=folds)
        merged = merge_groups(audit_manifest(manifest)).frame["group"]
        united = Manifest(learned.assign(group=merged[train]), manifest.root, manifest.task)
        require_groups(united.frame, manifest.task, folds=folds)
        numbers = fold_manifest(united, folds=folds, seed=seed) + 1
    cure = OWN_CURE if "fold" in frame else "Train with fewer folds, or try another split.seed"
    require_labels(learned, numbers, manifest.task, cure=cure)
    column = numbers.reindex(frame.index).astype("Int64")
    return Manifest(frame.assign(fold=column), manifest.root, manifest.task)


def take_fold(manifest: Manifest, number: int) -> Manifest:
    """Return what one fold's run sees: the other folds as train, this one as test, the same calibration split.

    The manifest's own split test is left out.
    """
    frame = manifest.frame
    held = (frame["fold"] == number).fillna(False).astype(bool)
    split = frame["split"].mask(held, "test")
    kept = frame.assign(split=split)[held | (frame["split"] != "test")]
    return Manifest(kept.drop(columns="fold").reset_index(drop=True), manifest.root, manifest.task)


def require_groups(learned: pd.DataFrame, task: str, *, folds: int) -> None:
    """Check that every label has a group for every fold.

    Raises:
        DatasetError: One has not; all such labels are listed.
    """
    groups = learned["group"].nunique()
    if groups < folds:
        raise DatasetError(
            f"Expected at least {folds} patients or lesions (the column `group`) in the split train for {folds} folds, "
            f"got {groups} with {len(learned)} pictures. Folds cannot part a patient's pictures; check the column, or "
            "train without folds."
        )
    held = learned.groupby("label")["group"].nunique().reindex(find_task(task).keys, fill_value=0)
    scarce = held[held < folds]
    if len(scarce):
        cure = f"Train with {held.min()} folds or fewer" if held.min() >= 2 else "Train without folds"
        raise DatasetError(
            f"Expected at least {folds} patients or lesions of every label in the split train, one for each fold. "
            f"{cure}, or add pictures of other patients.",
            [f"{label}: {count}" for label, count in scarce.items()],
        )


def number_folds(learned: pd.DataFrame, *, folds: int) -> "pd.Series[int]":
    """Return the fold of every row, 1 … folds, from the manifest's own column.

    Raises:
        DatasetError: There are more or fewer folds, a row has none, or a group lies in several.
    """
    own = learned["fold"]
    names = sorted(own.dropna().unique())
    if len(names) != folds or own.isna().any():
        raise DatasetError(
            f"Expected the manifest's column `fold` to name {folds} folds in the split train, got {len(names)} and "
            f"{int(own.isna().sum())} rows without. {OWN_CURE}, or give the number of folds that it names."
        )
    torn = learned.groupby("group")["fold"].nunique()
    if (torn > 1).any():
        raise DatasetError(
            f"Expected every patient or lesion in one fold; the manifest's column `fold` parts these. {OWN_CURE}.",
            [str(group) for group in torn.index[torn > 1]],
        )
    return own.map({name: number for number, name in enumerate(names, start=1)}).astype(int)


def require_labels(learned: pd.DataFrame, numbers: "pd.Series[int]", task: str, *, cure: str) -> None:
    """Check that every fold holds every label.

    Raises:
        DatasetError: One does not; all are listed.
    """
    counts = pd.crosstab(numbers, learned["label"]).reindex(columns=list(find_task(task).keys), fill_value=0)
    empty = [f"fold {fold}: no {label}" for fold, row in counts.iterrows() for label in counts.columns[row == 0]]
    if empty:
        raise DatasetError(f"Expected pictures of every label in every fold. {cure}.", empty)

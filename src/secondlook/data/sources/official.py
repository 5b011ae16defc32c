"""What becomes of the split that a data set comes with: a test that others measured on is kept, and made honest."""

import pandas as pd

from secondlook.data.manifest import SPLITS, Manifest
from secondlook.data.split import split_manifest

CALIBRATION_SHARE = 0.1
SHOWN_GROUPS = 10


def drop_split(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows without the split that the data set comes with, and a note on it."""
    if "split" not in frame:
        return frame, []
    counts = ", ".join(f"{split} {count}" for split, count in frame["split"].value_counts().items())
    note = f"The data set's own split ({counts}) is left aside; `secondlook data split` makes one by group."
    return frame.drop(columns="split"), [note]


def keep_split(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows with the split that the data set comes with, every group in one part only, and notes.

    A group that lies in several parts stays in the last of train, calibration and test that has it, so that the test
    stays what others measured on. Where all rows are to train on, that is no split.
    """
    if "split" not in frame or set(frame["split"]) == {"train"}:
        return frame.drop(columns="split", errors="ignore"), []
    rank = frame["split"].map({name: position for position, name in enumerate(SPLITS)})
    stays = rank == rank.groupby(frame["group"]).transform("max")
    notes = []
    if not (frame["split"] == "test").any():
        notes.append("The data set's own split has no test; leave it aside and run `secondlook data split` for one.")
    if not stays.all():
        groups = sorted(frame["group"][~stays].unique())
        shown = ", ".join(groups[:SHOWN_GROUPS]) + (", …" if len(groups) > SHOWN_GROUPS else "")
        left = ", ".join(f"{count} in {split}" for split, count in frame["split"][~stays].value_counts().items())
        notes.append(
            f"Patients or lesions that lie in several parts of the data set's own split: {len(groups)} ({shown}). "
            f"They are kept in the test, or else in calibration; their other pictures are left out: {left}."
        )
    return frame[stays].reset_index(drop=True), notes


def deal_calibration(manifest: Manifest) -> tuple[Manifest, list[str]]:
    """Return the manifest with a tenth of train, groups whole, put aside to calibrate, where there is only a test.

    Raises:
        DatasetError: A label has a single group in train.
    """
    frame = manifest.frame
    if "split" not in frame or set(frame["split"]) != {"train", "test"}:
        return manifest, []
    train = frame["split"] == "train"
    shares = {"train": 1 - CALIBRATION_SHARE, "calibration": CALIBRATION_SHARE}
    dealt = split_manifest(Manifest(frame[train], manifest.root, manifest.task), fractions=shares).frame["split"]
    aside = int((dealt == "calibration").sum())
    note = f"The test is the data set's own; {aside} pictures of train, groups whole, are put aside to calibrate."
    split = frame["split"].where(~train, dealt)
    return Manifest(frame.assign(split=split), manifest.root, manifest.task), [note]

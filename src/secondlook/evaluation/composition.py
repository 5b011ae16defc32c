"""Which pictures were measured, and of whom: the flow from manifest to figure, and what the measured ones are."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from secondlook.data.explore import SIDE_BANDS_PX, Factor, cut_bands, cut_labels, list_factors
from secondlook.data.manifest import SPLITS, Manifest
from secondlook.evaluation.answers import Answered
from secondlook.inference.bundle import Calibration

Nested = dict[str, Any]

# Of the measured pictures all have the same value, or each its own.
LEFT_OUT = ("split", "fold")


def describe_flow(
    answered: Answered, calibration: Calibration, *, leak: str, whole: Manifest | None, asked: Manifest
) -> Nested:
    """Return how many pictures, of how many patients or lesions, went where, and what the leak audit found.

    Args:
        answered: What was measured.
        calibration: Says what it was fitted on.
        leak: What the audit found; ``none`` for no leak.
        whole: The manifest with all its splits, where there is one.
        asked: The rows that were to be measured.
    """
    splits = []
    if whole is not None and "split" in whole.frame:
        names = [name for name in SPLITS if name in set(whole.frame["split"])]
        others = sorted(set(whole.frame["split"].dropna()) - set(names))
        splits = [{"split": name, **_count(whole.select(name).frame)} for name in (*names, *others)]
    evaluable = answered.answers.triage != "not_evaluable"
    return {
        "splits": splits,
        "fitted_on": {"pictures": calibration.fitted_on.pictures, "groups": calibration.fitted_on.groups},
        "asked": _count(asked.frame),
        "measured": _count(answered.manifest.frame),
        "evaluable": _count(answered.manifest.frame[evaluable]),
        "left_out": list(answered.notes),
        "leak": leak,
    }


def describe_composition(answered: Answered) -> Nested:
    """Return how many pictures, groups, and pictures with an alarming label have each value of each factor.

    Returns:
        Key of the factor → ``title`` and ``values``: a list of ``value``, ``pictures``, ``groups``, ``alarming``.
    """
    frame, alarming = answered.manifest.frame, answered.answers.alarming
    return {
        factor.key: {
            "title": factor.title,
            "values": [
                {"value": value, **_count(frame[rows]), "alarming": int(alarming[rows].sum())}
                for value, rows in factor.rows.items()
            ],
        }
        for factor in [cut_labels(answered.manifest), *cut_measured(answered)]
    }


def cut_measured(answered: Answered) -> list[Factor]:
    """Return what differs between the measured pictures beside the diagnosis: the manifest's columns and the size."""
    factors = [factor for factor in list_factors(answered.manifest) if factor.key not in LEFT_OUT]
    sizes = answered.answers.sizes_px
    if sizes is not None:
        factors.append(cut_sizes(sizes))
    return factors


def cut_sizes(sizes_px: NDArray[np.int64], *, most: int = 4) -> Factor:
    """Return the sizes of pictures: as they are where there are few different ones, else in bands of the shorter side.

    Args:
        sizes_px: int64 N×2, width and height.
        most: Most different sizes to name.
    """
    written = np.array([f"{width} × {height} px" for width, height in sizes_px.tolist()])
    names, counts = np.unique(written, return_counts=True)
    if len(names) <= most:
        ordered: Sequence[str] = names[np.argsort(-counts, kind="stable")].tolist()
        return Factor("resolution", "Resolution", {name: written == name for name in ordered})
    return cut_bands("resolution", "Resolution, shorter side", pd.Series(sizes_px.min(axis=1)), SIDE_BANDS_PX, " px")


def _count(frame: pd.DataFrame) -> Nested:
    return {"pictures": len(frame), "groups": int(frame["group"].nunique())}

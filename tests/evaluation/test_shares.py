"""Shares by class are counted as pandas counts them, and their intervals know the groups."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from secondlook.data.explore import cut_labels, list_factors
from secondlook.data.manifest import Manifest
from secondlook.evaluation.intervals import bound_share
from secondlook.evaluation.shares import Composition, compose_factors


def compose(frame: pd.DataFrame) -> Composition:
    manifest = Manifest(frame, Path())
    (composition,) = compose_factors(manifest, list_factors(manifest), ["mel", "nv"], resamples=500)
    return composition


def make_frame(repeats: int = 1, rows: int = 200) -> pd.DataFrame:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "label": random.choice(["mel", "nv"], rows, p=[0.3, 0.7]),
            "group": [f"g{number}" for number in range(rows)],
            "sex": random.choice(["female", "male", None], rows, p=[0.5, 0.4, 0.1]),
        }
    )
    repeated = frame.loc[frame.index.repeat(repeats)].reset_index(drop=True)
    return repeated.assign(image=[f"{number}.png" for number in range(len(repeated))])


def test_pictures_groups_and_shares_are_counted() -> None:
    frame = make_frame(repeats=2)
    composition = compose(frame)
    table = pd.crosstab(frame["sex"].fillna("not recorded").str.capitalize(), frame["label"])
    for value, pictures, groups, shares in zip(
        composition.factor.rows, composition.pictures, composition.groups, composition.shares, strict=True
    ):
        known = table.loc[value.capitalize()]
        assert pictures == [known.sum(), known["mel"], known["nv"]]
        assert groups == [number / 2 for number in pictures]
        assert shares[1].value == pytest.approx(known["mel"] / table["mel"].sum())
        assert shares[1].lower < shares[1].value < shares[1].upper
    assert [(column.label, column.pictures, column.groups) for column in composition.columns] == [
        (None, 400, 200),
        ("mel", table["mel"].sum(), table["mel"].sum() / 2),
        ("nv", table["nv"].sum(), table["nv"].sum() / 2),
    ]


def test_more_pictures_of_the_same_patients_make_no_interval_narrower() -> None:
    once, often = compose(make_frame()), compose(make_frame(repeats=5))
    assert once.shares[0][1] == often.shares[0][1]


def test_a_share_of_all_or_nothing_has_the_exact_bounds_of_its_patients() -> None:
    frame = make_frame(repeats=3)
    frame["sex"] = frame["label"].map({"mel": "male", "nv": "female"})
    composition = compose(frame)
    patients = composition.columns[1].groups
    female = composition.shares[list(composition.factor.rows).index("Female")]
    assert (female[1].lower, female[1].upper) == bound_share(0, patients)
    assert (female[2].lower, female[2].upper) == bound_share(
        composition.columns[2].groups, composition.columns[2].groups
    )


def test_classes_themselves_are_shares_of_all() -> None:
    manifest = Manifest(make_frame(), Path())
    (composition,) = compose_factors(manifest, [cut_labels(manifest)], (), resamples=100)
    assert list(composition.factor.rows) == ["Melanoma", "Melanocytic nevus"]
    assert sum(line[0].value for line in composition.shares) == pytest.approx(1)

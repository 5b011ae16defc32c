"""Columns are cut into values that a reader knows, and nothing is lost on the way."""

from pathlib import Path

import numpy as np
import pandas as pd

from secondlook.data.explore import (
    MOST_VALUES,
    UNKNOWN,
    Factor,
    cut_groups,
    cut_labels,
    find_gaps,
    list_factors,
    list_file_factors,
    list_labels,
)
from secondlook.data.manifest import Manifest


def make_manifest(**columns: object) -> Manifest:
    count = len(next(iter(columns.values())))  # type: ignore[arg-type]
    given = {"image": [f"{number}.png" for number in range(count)], "label": "nv", "group": "g"}
    return Manifest(pd.DataFrame(given | columns), Path())


def count_rows(factor: Factor) -> dict[str, int]:
    return {value: int(rows.sum()) for value, rows in factor.rows.items()}


def test_ages_are_cut_into_decades_in_order() -> None:
    (factor,) = list_factors(make_manifest(age_years=[85, 5, 0, np.nan, 90, 104, 9.5, 10]))
    assert count_rows(factor) == {"0 to 9": 3, "10 to 19": 1, "80 to 89": 1, "90 or more": 2, UNKNOWN: 1}
    assert factor.title == "Age"


def test_reference_standards_get_their_names_and_skin_types_their_order() -> None:
    manifest = make_manifest(
        reference=["histo", "follow_up", "histopathology", "confocal", None],
        skin_tone=["IV", "I", "VI", "II", "II"],
    )
    reference, tone = list_factors(manifest)
    assert count_rows(reference) == {"Histology": 2, "Confocal microscopy": 1, "Follow-up": 1, UNKNOWN: 1}
    assert list(tone.rows) == ["I", "II", "IV", "VI"]


def test_numbers_read_from_a_csv_with_gaps_lose_their_fraction() -> None:
    (factor,) = list_factors(make_manifest(skin_tone=[1.0, np.nan, 3.0]))
    assert list(factor.rows) == ["1", "3", UNKNOWN]


def test_columns_about_patients_come_first_and_free_text_is_left_out() -> None:
    count = 40
    manifest = make_manifest(
        notes=[f"text {number}" for number in range(count)],
        itch=[number % 3 == 0 for number in range(count)],
        same=["x"] * count,
        sex=["female", "male"] * 20,
        site=[None] * count,
        split=["test", "train"] * 20,
    )
    factors = list_factors(manifest)
    assert [factor.title for factor in factors] == ["Sex", "Split", "Itch"]
    assert list(factors[1].rows) == ["Train", "Test"]
    assert count_rows(factors[2]) == {"No": 26, "Yes": 14}


def test_of_very_many_values_the_rare_ones_are_put_together() -> None:
    sites = [f"site {number}" for number in range(30) for _ in range(number + 1)]
    (factor,) = list_factors(make_manifest(site=sites))
    assert len(factor.rows) == MOST_VALUES
    assert next(iter(factor.rows)) == "Site 29"
    assert count_rows(factor)["15 other values"] == sum(range(1, 16))
    assert sum(count_rows(factor).values()) == len(sites)


def test_gaps_are_counted_in_every_column_but_those_that_name_a_picture() -> None:
    gaps = find_gaps(make_manifest(sex=["male", None, None], site=["back", "back", "back"], study=["s", "s", None]))
    assert count_rows(gaps) == {"Sex": 2, "Part of the body": 0, "Study": 1}
    assert find_gaps(make_manifest(image=["a.png"])).rows == {}


def test_pictures_of_one_group_are_counted() -> None:
    factor = cut_groups(make_manifest(group=["a", "b", "b", *"ccccccc"]))
    assert count_rows(factor) == {"1": 1, "2": 2, "5 or more": 7}


def test_classes_come_in_the_order_of_the_task_and_absent_ones_do_not() -> None:
    manifest = make_manifest(label=["nv", "mel", "nv"])
    assert list_labels(manifest) == ("mel", "nv")
    assert count_rows(cut_labels(manifest)) == {"Melanoma": 1, "Melanocytic nevus": 2}


def make_facts(widths: list[int], quality: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {"width": widths, "height": widths, "luma_table": quality, "format": "JPEG", "grey": [1.0, *[0.0] * 99]}
    )


def test_few_sizes_are_named_and_many_are_cut_into_bands() -> None:
    size, kind, quality, colour = list_file_factors(make_facts([200] * 50 + [64] * 50, [3688.0] * 100))
    assert count_rows(size) == {"64 × 64": 50, "200 × 200": 50}
    assert (count_rows(kind), count_rows(quality)) == ({"JPEG": 100}, {"50": 100})
    assert count_rows(colour) == {"Colour": 99, "Grey": 1}
    size, _, quality, _ = list_file_factors(make_facts(list(range(100, 200)), list(range(100, 1100, 10))))
    assert count_rows(size) == {"below 128 px": 28, "128 to 255 px": 72}
    assert sum(count_rows(quality).values()) == 100
    assert list(quality.rows)[-1] == "95 or more"


def test_without_a_jpeg_there_is_no_quality() -> None:
    factors = list_file_factors(make_facts([200] * 100, [float("nan")] * 100))
    assert [factor.key for factor in factors] == ["size", "format", "colour"]

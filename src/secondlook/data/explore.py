"""What is in a data set: each column cut into values that can be counted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from secondlook.conditions import find_task
from secondlook.data.facts import estimate_quality
from secondlook.data.manifest import SPLITS, Manifest

MOST_VALUES = 16
MOST_SIZES = 8
MOST_OTHER_VALUES = 12
AGE_BAND_YEARS = 10
OLDEST_BAND_YEARS = 90
SIDE_BANDS_PX = (128, 256, 512, 1024, 2048)
QUALITY_BANDS = (50, 70, 80, 90, 95)
MOST_PICTURES = 5

# Columns that identify a row, or are counted in their own way.
IDENTITY = ("image", "label", "group", "study")
TITLES = {
    "reference": "How the diagnosis was confirmed",
    "site": "Part of the body",
    "age_years": "Age",
    "sex": "Sex",
    "skin_tone": "Skin type",
    "split": "Split",
    "fold": "Fold",
}
REFERENCES = {
    "histo": "Histology",
    "histopathology": "Histology",
    "confocal": "Confocal microscopy",
    "follow_up": "Follow-up",
    "consensus": "Consensus of experts",
}
UNKNOWN = "Not recorded"


@dataclass(frozen=True)
class Factor:
    """Something that can differ between pictures.

    Attributes:
        key: Short key.
        title: What it is, for a reader.
        rows: Which rows of the manifest have each value, bool N, in the order to show.
    """

    key: str
    title: str
    rows: dict[str, NDArray[np.bool_]]


def list_factors(manifest: Manifest) -> list[Factor]:
    """Return the columns of a manifest, those about patients first, each cut into values.

    Ages are cut into decades. Of other columns, those with few different values are taken.
    """
    frame = manifest.frame.reset_index(drop=True)
    named = [key for key in TITLES if key in frame and frame[key].notna().any()]
    others = frame.columns.difference([*IDENTITY, *TITLES], sort=False)
    few = [key for key in others if 2 <= frame[key].nunique() <= MOST_OTHER_VALUES]
    factors = []
    for key in [*named, *few]:
        values = CUTTERS.get(key, write_values)(frame[key])
        factors.append(build_factor(key, name_column(key), values, SORTERS.get(key, sort_by_count)))
    return factors


def list_labels(manifest: Manifest) -> tuple[str, ...]:
    """Return the labels that have pictures, in the task's order."""
    present = set(manifest.frame["label"])
    return tuple(key for key in find_task(manifest.task).keys if key in present)


def cut_labels(manifest: Manifest) -> Factor:
    """Return the classes by their names for a reader."""
    find_label, truth = find_task(manifest.task).find_label, manifest.frame["label"].to_numpy(dtype=str)
    return Factor("label", "Class", {find_label(key).names["en"]: truth == key for key in list_labels(manifest)})


def list_file_factors(facts: pd.DataFrame) -> list[Factor]:
    """Return what the files are, from the table of :func:`secondlook.data.facts.read_facts`, cut into values."""
    sizes = write_numbers(facts["width"]) + " × " + write_numbers(facts["height"])
    if sizes.nunique() > MOST_SIZES:
        size = cut_bands("size", "Shorter side", facts[["width", "height"]].min(axis=1), SIDE_BANDS_PX, " px")
    else:
        size = build_factor("size", "Width × height in pixels", sizes, sort_naturally)
    factors = [size, build_factor("format", "File format", facts["format"], sort_by_count)]
    quality = estimate_quality(facts["luma_table"])
    if quality.nunique() > MOST_SIZES:
        factors.append(cut_bands("quality", "JPEG quality, estimated", quality, QUALITY_BANDS, ""))
    elif quality.notna().any():
        factors.append(build_factor("quality", "JPEG quality, estimated", write_numbers(quality), sort_naturally))
    colour = facts["grey"].map({0.0: "Colour", 1.0: "Grey"})
    return [*factors, build_factor("colour", "Grey or colour", colour, sort_by_count)]


def name_column(key: str) -> str:
    """Return what a column of a manifest is, for a reader."""
    return TITLES.get(key, make_title(key))


def find_gaps(manifest: Manifest) -> Factor:
    """Return which rows are empty in each column that says something about a picture."""
    columns = [key for key in manifest.frame if key not in ("image", "label", "group")]
    empty = {name_column(str(key)): manifest.frame[key].isna().to_numpy() for key in columns}
    return Factor("gaps", "Not recorded", empty)


def cut_groups(manifest: Manifest) -> Factor:
    """Return how many pictures the patient or lesion of each picture has."""
    group = manifest.frame["group"].reset_index(drop=True)
    sizes = group.map(group.value_counts())
    values = sizes.astype(str).where(sizes < MOST_PICTURES, f"{MOST_PICTURES} or more")
    return build_factor("group", "Pictures of one patient or lesion", values, sort_naturally)


def build_factor(
    key: str, title: str, values: "pd.Series[str]", order: "Sequence[str] | Callable[[pd.Series[str]], Sequence[str]]"
) -> Factor:
    """Return a factor; rare values, where there are very many, are put together, and missing ones are named."""
    known = values.dropna()
    ordered = list(order(known) if callable(order) else order)
    if len(ordered) > MOST_VALUES:
        common = set(sort_by_count(known)[: MOST_VALUES - 1])
        rest = f"{len(ordered) - len(common)} other values"
        values = values.where(values.isna() | values.isin(common), rest)
        ordered = [*(value for value in ordered if value in common), rest]
    unknown = [UNKNOWN] if values.isna().any() else []
    filled = values.fillna(UNKNOWN).to_numpy(dtype=str)
    return Factor(key, title, {value: filled == value for value in (*ordered, *unknown)})


def cut_bands(key: str, title: str, numbers: "pd.Series[float]", edges: Sequence[int], unit: str) -> Factor:
    """Return numbers cut into bands at the edges; each edge belongs to the band above it."""
    names = [
        f"below {edges[0]}{unit}",
        *(f"{low} to {high - 1}{unit}" for low, high in pairwise(edges)),
        f"{edges[-1]}{unit} or more",
    ]
    limits = [float("-inf"), *edges, float("inf")]
    cut = pd.cut(numbers, limits, right=False, labels=names)
    present = tuple(name for name in names if (cut == name).any())
    return build_factor(key, title, cut.astype(object), present)


def cut_ages(column: "pd.Series[float]") -> "pd.Series[str]":
    """Return ages in years as decades."""
    ages = pd.to_numeric(column, errors="coerce")
    starts = (ages // AGE_BAND_YEARS * AGE_BAND_YEARS).clip(upper=OLDEST_BAND_YEARS)
    last = f"{OLDEST_BAND_YEARS} or more"
    return starts.map(
        lambda start: last if start == OLDEST_BAND_YEARS else f"{start:.0f} to {start + AGE_BAND_YEARS - 1:.0f}",
        na_action="ignore",
    )


def write_references(column: "pd.Series[str]") -> "pd.Series[str]":
    """Return reference standards in words."""
    return write_values(column.replace(REFERENCES))


def write_values(column: pd.Series) -> "pd.Series[str]":
    """Return a column as text for a reader: whole numbers without a fraction, words with a capital."""
    if pd.api.types.is_bool_dtype(column):
        return column.map({True: "Yes", False: "No"})
    if pd.api.types.is_numeric_dtype(column):
        return write_numbers(column)
    return column.map(lambda value: make_title(str(value)), na_action="ignore")


def write_numbers(column: "pd.Series[float]") -> "pd.Series[str]":
    """Return numbers as short text."""
    return column.map(lambda number: f"{number:g}", na_action="ignore")


def make_title(name: str) -> str:
    """Return a name as a heading: spaces for underscores, a capital letter in front."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def sort_by_count(values: "pd.Series[str]") -> list[str]:
    """Return the values, the most frequent first."""
    counts = values.value_counts()
    return sorted((str(value) for value in counts.index), key=lambda value: (-int(counts[value]), value))


def sort_naturally(values: "pd.Series[str]") -> list[str]:
    """Return the values, numbers by size before words by letter."""

    def key(value: str) -> tuple[float, str]:
        digits = value.split(" ")[0]
        return (float(digits) if digits.replace(".", "", 1).isdigit() else float("inf"), value)

    return sorted(map(str, values.unique()), key=key)


def sort_splits(values: "pd.Series[str]") -> list[str]:
    """Return the splits from training to test."""
    names = [make_title(name) for name in SPLITS]
    return sorted(map(str, values.unique()), key=lambda value: (names.index(value) if value in names else 9, value))


CUTTERS: "dict[str, Callable[[pd.Series], pd.Series[str]]]" = {
    "age_years": cut_ages,
    "reference": write_references,
}
SORTERS: "dict[str, Callable[[pd.Series[str]], list[str]]]" = {
    "age_years": sort_naturally,
    "skin_tone": sort_naturally,
    "fold": sort_naturally,
    "split": sort_splits,
}

"""The leak audit: does anything in one split also sit in another?"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, product
from typing import Literal

import pandas as pd

from secondlook.data.duplicates import Twin, find_limit, load_twins
from secondlook.data.fingerprint import Track, hash_files, track_silently
from secondlook.data.manifest import Manifest
from secondlook.data.wording import count
from secondlook.errors import DatasetError

LeakKind = Literal["group", "file", "picture", "near"]
WORDS: Mapping[LeakKind, tuple[str, str]] = {
    "group": ("group (patient or lesion) shared by two splits", "groups (patients or lesions) shared by two splits"),
    "file": ("pair of identical files", "pairs of identical files"),
    "picture": ("pair of files with identical pixels", "pairs of files with identical pixels"),
    "near": ("pair of near-duplicates", "pairs of near-duplicates"),
}


@dataclass(frozen=True, slots=True)
class Side:
    """One picture of a pair, as its row in the manifest has it."""

    row: int
    image: str
    label: str
    group: str
    split: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two rows that show, or share, the same thing.

    Attributes:
        kind: What they share: ``group``, ``file`` (SHA-256), ``picture`` (pixels) or ``near``.
        first: One row; for ``group``, the first row of the group in its split.
        second: The other row.
        distance: Hamming distance of the perceptual hashes (``near`` and ``picture``), else None.
        correlation: Correlation of the textures (``near`` and ``picture``), else None.
    """

    kind: LeakKind
    first: Side
    second: Side
    distance: int | None = None
    correlation: float | None = None


@dataclass(frozen=True)
class LeakReport:
    """What an audit found.

    Attributes:
        manifest: What was audited.
        leaks: Pairs whose sides lie in different splits; the clearest first.
        cousins: Twins in one split (or in a manifest without splits) whose groups differ: no leak now, but one
            as soon as the data are split anew.
    """

    manifest: Manifest
    leaks: tuple[Pair, ...]
    cousins: tuple[Pair, ...]

    @property
    def contradictions(self) -> tuple[Pair, ...]:
        """The twins whose labels differ: at least one of the two labels is wrong."""
        pairs = (*self.leaks, *self.cousins)
        return tuple(pair for pair in pairs if pair.kind != "group" and pair.first.label != pair.second.label)

    def touched_rows(self) -> "pd.Series[bool]":
        """Return which rows a leak touches: every row of a leaking group in the splits where it leaks."""
        frame = self.manifest.frame
        touched = {(side.split, side.group) for leak in self.leaks for side in (leak.first, leak.second)}
        splits = frame["split"] if "split" in frame else pd.Series("", index=frame.index)
        rows = [(str(split), str(group)) in touched for split, group in zip(splits, frame["group"], strict=True)]
        return pd.Series(rows, index=frame.index, dtype=bool)

    def touched(self) -> dict[str, int]:
        """Return how many pictures of each split a leak touches."""
        if not self.leaks:
            return {}
        counts = self.manifest.frame["split"][self.touched_rows()].value_counts()
        return {str(split): int(count) for split, count in counts.sort_index().items()}

    def summary(self) -> str:
        """Return what was found in one sentence, for a person and as the note that marks a figure."""
        if not self.leaks:
            return f"No leak between splits in {count(len(self.manifest), 'picture', 'pictures')}."
        counts = Counter(leak.kind for leak in self.leaks)
        found = ", ".join(f"{counts[kind]} {words[counts[kind] > 1]}" for kind, words in WORDS.items() if counts[kind])
        sizes = self.manifest.frame["split"].value_counts()
        touched = ", ".join(f"{count} of {sizes[split]} in {split}" for split, count in self.touched().items())
        return f"The splits leak: {found}; pictures touched: {touched}."


def audit_manifest(manifest: Manifest, *, track: Track = track_silently) -> LeakReport:
    """Look for shared groups, identical files, identical pictures and near-duplicates across splits.

    Comparing pictures takes about half a minute for 10,000 small ones and is cached by the content of the files;
    groups and files are always checked afresh. A manifest without splits cannot leak; its twins are still found.

    Raises:
        DatasetError: Files are missing or cannot be read; all of them are listed.
    """
    hashes = hash_files(manifest, track=track)
    sides = list_sides(manifest)
    files = dict(zip(hashes, manifest.paths(), strict=True))
    twins = load_twins(files, limit=find_limit(manifest.task), track=track)
    pairs = [*pair_groups(sides), *pair_files(sides, hashes), *pair_twins(sides, hashes, twins)]
    leaks = tuple(pair for pair in pairs if pair.first.split != pair.second.split)
    cousins = tuple(
        pair for pair in pairs if pair.first.split == pair.second.split and pair.first.group != pair.second.group
    )
    return LeakReport(manifest, leaks, cousins)


def require_no_leak(manifest: Manifest, allow: bool) -> str:
    """Refuse a manifest whose splits leak, or name the leak.

    Args:
        manifest: With a ``split`` column.
        allow: Whether a leak is measured on purpose.

    Returns:
        "none", or the note that has to mark every figure that comes from these splits.

    Raises:
        DatasetError: There is no split; or the splits leak and this was not asked for.
    """
    if "split" not in manifest.frame:
        raise DatasetError("Expected a manifest with a `split` column; run `secondlook data split` first.")
    report = audit_manifest(manifest)
    if not report.leaks:
        return "none"
    if allow:
        return report.summary()
    raise DatasetError(
        f"{report.summary()} Run `secondlook data audit` to see them, then split by group or drop them "
        "(`--drop-leaks`); or allow the leak on purpose, and every figure will be marked.",
        [describe_pair(leak) for leak in report.leaks],
    )


def drop_leaks(report: LeakReport, splits: Iterable[str]) -> Manifest:
    """Return the audited manifest without the touched pictures of some splits; train usually stays as it is.

    A touched picture goes with its whole group, since all of the group shows what another split holds.
    """
    frame = report.manifest.frame
    if not report.leaks:
        return report.manifest
    kept = frame[~(report.touched_rows() & frame["split"].isin(list(splits)))]
    return Manifest(kept.reset_index(drop=True), report.manifest.root, report.manifest.task)


def merge_groups(report: LeakReport) -> Manifest:
    """Return the audited manifest with groups united wherever they share a twin, so that no split can part them.

    United groups take the name that sorts first.
    """
    parent: dict[str, str] = {}

    def find_root(group: str) -> str:
        while group in parent:
            group = parent[group]
        return group

    for pair in (*report.leaks, *report.cousins):
        first, second = sorted((find_root(pair.first.group), find_root(pair.second.group)))
        if first != second:
            parent[second] = first
    frame = report.manifest.frame.copy()
    frame["group"] = [find_root(str(group)) for group in frame["group"]]
    return Manifest(frame, report.manifest.root, report.manifest.task)


def describe_pair(pair: Pair) -> str:
    """Return one line that names both pictures, their splits and what they share."""
    first, second = (f"{side.image} ({side.label}, {side.split or 'no split'})" for side in (pair.first, pair.second))
    if pair.kind == "group":
        return f"group {pair.first.group}: {first} and {second}"
    figures = "" if pair.correlation is None else f" (correlation {pair.correlation:.2f}, {pair.distance} bits apart)"
    return f"{pair.kind}: {first} and {second}{figures}"


def list_sides(manifest: Manifest) -> list[Side]:
    """Return every row as a side of a pair; the split is empty where the manifest has none."""
    frame = manifest.frame
    splits = frame["split"] if "split" in frame else [""] * len(frame)
    columns = zip(frame["image"], frame["label"], frame["group"], splits, strict=True)
    return [Side(row, *(str(value) for value in values)) for row, values in enumerate(columns)]


def pair_groups(sides: list[Side]) -> Iterator[Pair]:
    """Yield one pair for every group and every two splits that it lies in."""
    found: dict[str, dict[str, Side]] = {}
    for side in sides:
        found.setdefault(side.group, {}).setdefault(side.split, side)
    for members in found.values():
        for first, second in combinations(members.values(), 2):
            yield Pair("group", first, second)


def pair_files(sides: list[Side], hashes: list[str]) -> Iterator[Pair]:
    """Yield every two rows whose files have the same content."""
    for members in collect_sides(sides, hashes).values():
        for first, second in combinations(members, 2):
            yield Pair("file", first, second)


def pair_twins(sides: list[Side], hashes: list[str], twins: list[Twin]) -> Iterator[Pair]:
    """Yield every two rows whose files are twins."""
    holders = collect_sides(sides, hashes)
    for twin in twins:
        for first, second in product(holders[twin.first], holders[twin.second]):
            yield Pair(twin.kind, first, second, twin.distance, twin.correlation)


def collect_sides(sides: list[Side], hashes: list[str]) -> dict[str, list[Side]]:
    """Return the rows of every file content."""
    holders: dict[str, list[Side]] = {}
    for side, content in zip(sides, hashes, strict=True):
        holders.setdefault(content, []).append(side)
    return holders

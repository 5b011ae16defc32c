"""Measure what comparing pictures of a lesion is worth, on lesions with several: the figures of docs/timeline.md.

    python -m scripts.measure_change MANIFEST.csv [--split test] [--wrong 600] [--bundle skin]

Pairs of pictures of one lesion stand for a lesion that did not change; pairs of different lesions for a mistake.
"""

import argparse
import itertools
import math
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from secondlook.data.manifest import Manifest, read_manifest
from secondlook.explanation.change.appearance import Appearance, measure_appearance, measure_change
from secondlook.explanation.change.confirmation import register_pictures
from secondlook.explanation.change.difference import LIMIT, map_difference
from secondlook.explanation.change.unusual import find_standings
from secondlook.inference.bundle import find_bundle, open_bundle
from secondlook.inference.predictor import Predictor

RESAMPLES, SETS = 1000, 1000
SIZES = (5, 8, 12, 20)
Row = dict[str, float | bool | str | None]


def compare(group: str, one: Path, other: Path) -> Row:
    """Return what comparing two pictures gives; nothing is logged of an area that would not be told."""
    pixels = [np.asarray(Image.open(path).convert("RGB")) for path in (one, other)]
    seen = [measure_appearance(picture) for picture in pixels]
    masks = [found.lesion if found else np.zeros((3, 4), dtype=bool) for found in seen]
    found = register_pictures(pixels[0], pixels[1], lesions=(masks[0], masks[1]))
    row: Row = {"group": group, "trusted": found.trusted, "scale": found.scale_trusted, "area": None, "colour": None}
    if seen[0] is None or seen[1] is None or not found.trusted:
        return row
    change = measure_change(seen[0], seen[1])
    if found.scale_trusted and not change.cut:
        row |= {
            "area": abs(change.log_pixels - 2 * math.log(found.placement.scale)),
            "raw": abs(change.log_pixels),
        }
    if change.colour and not change.cut:
        row["colour"] = math.hypot(*change.colour)
    return row | {"above": measure_share(seen[0], seen[1], pixels, found.placement)}


def measure_share(one: Appearance, other: Appearance, pixels: list[np.ndarray], placement: object) -> float:
    """Return the share of places that differ by more than the limit."""
    factors = [seen.pixels.shape[1] / whole.shape[1] for seen, whole in zip((one, other), pixels, strict=True)]
    distance = map_difference(one, other, placement.rescale(*factors))  # type: ignore[attr-defined]
    return float((distance[np.isfinite(distance)] > LIMIT).mean())


def write_figure(rows: pd.DataFrame, name: str, measure: Callable[[pd.Series], float]) -> str:
    """Return a figure with its 95 % interval from resampled lesions."""
    known = rows.dropna(subset=name)
    by_group = [part[name] for _, part in known.groupby("group")]
    rng = np.random.default_rng(0)
    resampled = [
        measure(pd.concat([by_group[at] for at in rng.integers(0, len(by_group), len(by_group))]))
        for _ in range(RESAMPLES)
    ]
    low, high = np.quantile(resampled, [0.025, 0.975])
    return f"{measure(known[name]):.3f} ({low:.3f} to {high:.3f}); {len(known)} pairs of {len(by_group)} lesions"


def list_pairs(manifest: Manifest) -> Iterable[tuple[str, Path, Path]]:
    """Give all pairs of pictures of one lesion."""
    paths = dict(zip(manifest.frame.index, manifest.paths(), strict=True))
    for group, part in manifest.frame.groupby("group"):
        for one, other in itertools.combinations(part.index, 2):
            yield str(group), paths[one], paths[other]


def draw_wrong(manifest: Manifest, count: int) -> Iterable[tuple[str, Path, Path]]:
    """Give pairs of pictures of different lesions, every other one of two common moles."""
    frame, paths = manifest.frame.reset_index(drop=True), list(manifest.paths())
    moles, rng = np.nonzero((frame["label"] == "nv").to_numpy())[0], np.random.default_rng(2)
    for number in range(count):
        one, other = rng.choice(moles if number % 2 else len(frame), 2, replace=False)
        if frame["group"][one] != frame["group"][other]:
            yield "", paths[one], paths[other]


def measure_pairs(manifest: Manifest, wrong: int) -> None:
    """Print the figures of registration, area, colour and difference."""
    same = pd.DataFrame([compare(*pair) for pair in list_pairs(manifest)])
    different = pd.DataFrame([compare(*pair) for pair in draw_wrong(manifest, wrong)])
    print(f"pairs of one lesion: {len(same)} of {same['group'].nunique()} lesions")
    print(f"  laid over each other {same['trusted'].mean():.3f}, scale told by the skin {same['scale'].mean():.3f}")
    print(f"pairs of different lesions: {len(different)}, laid over each other {int(different['trusted'].sum())}")
    for name in ("area", "raw", "colour"):
        print(f"  {name}, median: {write_figure(same, name, lambda values: float(values.median()))}")
        print(f"  {name}, 95 of 100 below: {write_figure(same, name, lambda values: float(values.quantile(0.95)))}")
    print(f"  places above ΔE {LIMIT:.0f}: {write_figure(same, 'above', lambda values: float(values.mean()))}")


def measure_standings(manifest: Manifest, bundle: str) -> None:
    """Print how often one melanoma among moles of different people stands out, and how often moles do."""
    predictor = Predictor(open_bundle(find_bundle(bundle)))
    first = manifest.frame.groupby("group").head(1)
    paths = dict(zip(manifest.frame.index, manifest.paths(), strict=True))
    seen = {row: predictor.predict(paths[row]) for row in first.index[first["label"].isin(["nv", "mel"])]}
    moles, melanomas = (first.index[first["label"] == label].to_numpy() for label in ("nv", "mel"))
    rng = np.random.default_rng(0)
    for size in SIZES:
        outer, furthest, riskiest, calm = [], [], [], []
        for _ in range(SETS):
            rows = [rng.choice(melanomas), *rng.choice(moles, size - 1, replace=False)]
            standings = find_standings({str(row): seen[row].embedding for row in rows})
            outer.append(standings[str(rows[0])].stands_out)
            furthest.append(standings[str(rows[0])].rank == 1)
            riskiest.append(max(rows, key=lambda row: seen[row].risk) == rows[0])
            others = find_standings({str(row): seen[row].embedding for row in rng.choice(moles, size, replace=False)})
            calm += [one.stands_out for one in others.values()]
        print(
            f"{size:2}: the melanoma stands out {np.mean(outer):.2f}, lies furthest out {np.mean(furthest):.2f}, "
            f"is likeliest malignant {np.mean(riskiest):.2f}; a mole among moles stands out {np.mean(calm):.3f}"
        )


def main() -> None:
    """Run with options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--split", default="test", help="pictures that neither outline network nor bundle has seen")
    parser.add_argument("--wrong", type=int, default=600, help="pairs of different lesions")
    parser.add_argument("--bundle", default="skin")
    options = parser.parse_args()
    part = read_manifest(options.manifest).select(options.split)
    measure_standings(part, options.bundle)
    measure_pairs(part, options.wrong)


if __name__ == "__main__":
    main()

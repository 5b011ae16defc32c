"""Show what a split by picture fakes: the nearest training picture's label, under a split by lesion and one by picture.

python -m scripts.show_leak grouped.csv picture.csv

The nearest neighbour memorises its training pictures and nothing else, so it shows the most that a leak can give away:
a network lies somewhere between it and none, the further along the longer it trains with little augmentation.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from secondlook.data.manifest import Manifest, read_manifest
from secondlook.imaging.read import read_picture
from secondlook.imaging.resize import resize_picture

THUMBNAIL_PX = 16
RESAMPLES = 2000


def describe_pictures(manifest: Manifest) -> NDArray[np.float32]:
    """Return float32 N×D: small thumbnails, centred and of unit length."""
    rows = [resize_picture(read_picture(path, target_px=64).pixels, THUMBNAIL_PX).ravel() for path in manifest.paths()]
    features = np.stack(rows).astype(np.float32)
    features -= features.mean(axis=1, keepdims=True)
    unit: NDArray[np.float32] = features / np.linalg.norm(features, axis=1, keepdims=True)
    return unit


def measure_split(manifest: Manifest) -> str:
    """Return accuracy and balanced accuracy of the nearest neighbour, with 95 % intervals over groups."""
    features, frame = describe_pictures(manifest), manifest.frame
    train, test = ((frame["split"] == name).to_numpy() for name in ("train", "test"))
    labels = frame["label"].to_numpy()
    named = labels[train][(features[test] @ features[train].T).argmax(axis=1)]
    right, truth = named == labels[test], labels[test]
    groups, member = np.unique(frame["group"].to_numpy()[test], return_inverse=True)
    generator = np.random.default_rng(0)
    found = []
    for resample in range(RESAMPLES + 1):
        drawn = generator.integers(0, len(groups), len(groups)) if resample else np.arange(len(groups))
        weights = np.bincount(drawn, minlength=len(groups))[member]
        recalls = [
            np.average(right[truth == key], weights=weights[truth == key])
            for key in np.unique(truth)
            if weights[truth == key].sum()
        ]
        found.append((np.average(right, weights=weights), np.mean(recalls)))
    low, high = np.percentile(found[1:], [2.5, 97.5], axis=0)
    shared = np.isin(frame["group"].to_numpy()[test], frame["group"].to_numpy()[train]).mean()
    return "  ".join(
        [f"{test.sum()} test pictures, {100 * shared:.0f} % of a lesion seen in training"]
        + [
            f"{name} {value:.3f} ({low[place]:.3f}–{high[place]:.3f})"
            for place, (name, value) in enumerate(zip(("accuracy", "balanced accuracy"), found[0], strict=True))
        ]
    )


def main() -> None:
    """Print one line per manifest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifests", type=Path, nargs="+", help="manifests with a split")
    for path in parser.parse_args().manifests:
        print(f"{path.name}: {measure_split(read_manifest(path))}", flush=True)


if __name__ == "__main__":
    main()

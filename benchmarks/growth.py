"""How time and memory of training grow with the number of pictures: from 1,000 to 100,000, drawn.

The pictures are few, under many names: reading, caching, dealing and training treat every name as a picture of its own.
The network is tiny, so that what surrounds it shows. Memory is what the process itself holds (RssAnon): the cache is
memory-mapped and may be larger than the machine's memory.
"""

import os
import re
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks.folder import draw_folder
from benchmarks.timing import read_options
from secondlook.data.manifest import Manifest, read_manifest, write_manifest
from secondlook.data.split import split_manifest
from secondlook.training.dataset import Pictures, cache_pictures
from secondlook.training.loop import train_network
from secondlook.training.reading import read_recipe
from secondlook.training.run import encode_labels

COUNTS = (1_000, 10_000, 100_000)
DRAWN = 500
SIZE_PX = 64
NETWORK = [
    "model.family=timm",
    "model.name=test_efficientnet",
    "model.weights=none",
    "export.start_share=0",
    "machine.precision=fp32",
]


def link_pictures(folder: Path, drawn: list[Path], *, count: int) -> Manifest:
    """Return a manifest of so many names for the drawn pictures, two to a patient."""
    folder.mkdir()
    rows = []
    for number in range(count):
        picture = drawn[number % len(drawn)]
        name = f"{number:06}.jpg"
        (folder / name).symlink_to(picture)
        patient = f"{picture.parent.name}-{number // (2 * len(drawn))}-{number % len(drawn)}"
        rows.append({"image": name, "label": picture.parent.name, "group": patient})
    return Manifest(pd.DataFrame(rows), folder, "skin")


def read_own_memory() -> float:
    """Return what this process holds for itself, in MB."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    found = re.search(r"RssAnon:\s+(\d+) kB", status)
    return int(found[1]) / 1e3 if found else float("nan")


def measure_steps(manifest: Manifest, scratch: Path) -> tuple[dict[str, float], float]:
    """Return the seconds of each step, and the size of the cache in MB."""
    times = [time.perf_counter()]

    def stop() -> None:
        times.append(time.perf_counter())

    write_manifest(split_manifest(manifest), scratch / "manifest.csv")
    dealt = read_manifest(scratch / "manifest.csv")
    stop()
    images = cache_pictures(dealt, size_px=SIZE_PX, folder=scratch / "cache")
    stop()
    labels = encode_labels(dealt)
    parts = []
    for split in ("train", "calibration"):
        rows = np.flatnonzero((dealt.frame["split"] == split).to_numpy())
        parts.append(Pictures(images, rows, labels[rows]))
    stages = f"stages=[{{epochs: 1, size_px: {SIZE_PX // 2}}}]"
    recipe = read_recipe("skin", changes=[*NETWORK, stages, f"data.cache_px={SIZE_PX}"])
    times[-1] = time.perf_counter()
    train_network(
        recipe,
        train=parts[0],
        calibration=parts[1],
        folder=scratch / "run",
        device=torch.device("cpu"),
        precision="fp32",
    )
    stop()
    seconds = dict(zip(("deal and write", "decode into the cache", "one epoch"), np.diff(times).tolist(), strict=True))
    return seconds, images.nbytes / 1e6


def run(_bundle: Path, *, rounds: int) -> None:
    """Measure and print; one round, since it takes minutes."""
    del rounds
    print(f"\nFrom {COUNTS[0]:,} to {COUNTS[-1]:,} pictures of {SIZE_PX} px: milliseconds a picture, and memory")
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    first: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "drawn")
        folder.mkdir()
        drawn = draw_folder(folder, count=DRAWN, size=(160, 120))
        for count in COUNTS:
            scratch = Path(name, str(count))
            scratch.mkdir()
            manifest = link_pictures(scratch / "pictures", drawn, count=count)
            seconds, cache_mb = measure_steps(manifest, scratch)
            each = {step: 1e3 * value / count for step, value in seconds.items()}
            first = first or each
            steps = ", ".join(f"{step} {ms:.2f} ({ms / first[step]:.2f} ×)" for step, ms in each.items())
            print(
                f"  {count:>7,}: {steps}; cache {cache_mb:,.0f} MB, own memory {read_own_memory():,.0f} MB", flush=True
            )


if __name__ == "__main__":
    chosen = read_options(__doc__ or "")
    run(chosen.bundle, rounds=chosen.rounds)

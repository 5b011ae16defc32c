"""A training run small enough for tests: drawn lesions, a network of 0.2 million weights, a few seconds.

Functions that other processes run are here, so that those can import them.
"""

import hashlib
import itertools
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from secondlook.conditions import SKIN
from secondlook.data.manifest import Manifest, read_manifest
from secondlook.training.dataset import Pictures, cache_pictures
from secondlook.training.loop import Progress, Watcher, train_network
from secondlook.training.reading import read_recipe
from secondlook.training.recipe import Recipe
from secondlook.training.run import encode_labels, open_run
from tests.drawing import save_lesion

NETWORK = "test_byobnet"
SEEDS = {"train": range(6), "calibration": range(100, 103), "test": range(200, 203)}
PICTURE_SIZE = (72, 56)
CACHE_PX = 40
CACHED_STAGES: list[dict[str, Any]] = [
    {"epochs": 2, "size_px": 32, "trainable": "head", "features": "cached", "cached_views": 2},
    {"epochs": 2, "size_px": 32, "trainable": "last:4", "layer_decay": 0.5},
]

# Processes start in a fraction of a second from a server that has imported torch.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.training.tiny"])


# What else a run may be made of; each must survive a kill as plain training does.
VARIANTS: dict[str, dict[str, Any]] = {
    "fp32": {},
    "bf16": {"machine": {"device": "cpu", "precision": "bf16"}},
    "cached": {"stages": CACHED_STAGES},
    "adversarial": {"adversarial": {"method": "pgd", "strength": 2.0, "steps": 2}},
    "features": {
        "augmentation": {
            "preset": "skin",
            "hair": 0.3,
            "ruler": 0.3,
            "window": 0.2,
            "randaugment": {"number": 2},
            "cutmix": 0.5,
        },
        "loss": {"name": "focal", "balance": "generate", "label_smoothing": 0.1},
        "optimiser": {"name": "sgd", "rate": 0.01, "batch_size": 8, "schedule": "plateau", "patience": 1, "warmup": 0},
        "stop": {"patience": 3},
        "measure": "nll",
        "keep": "best",
    },
}


def draw_manifest(folder: Path) -> Manifest:
    """Draw lesions of every label into the folder and return their manifest, split."""
    rows = []
    for split, seeds in SEEDS.items():
        for label in SKIN.keys:
            for seed in seeds:
                path = save_lesion(folder, seed, label, size=PICTURE_SIZE)
                rows.append({"image": path.name, "label": label, "group": path.stem, "split": split})
    return Manifest(pd.DataFrame(rows), folder)


def make_recipe(**changes: Any) -> Recipe:
    """Return a recipe that uses every part of the loop, with top-level sections replaced by the changes."""
    content = {
        "name": "tiny",
        "task": "skin",
        "seed": 5,
        "data": {"manifest": "drawn.csv", "cache_px": CACHE_PX},
        "model": {"name": NETWORK, "dropout": 0.2, "drop_path": 0.1},
        "stages": [{"epochs": 1, "size_px": 32, "trainable": "head"}, {"epochs": 3, "size_px": 32, "rate_scale": 0.5}],
        "augmentation": {
            "rotation_degrees": 180,
            "flip_horizontal": True,
            "zoom": (0.9, 1.2),
            "brightness": 0.1,
            "gamma": 1.2,
            "blur": 0.3,
            "noise": 0.02,
            "erase": 0.3,
            "mixup": 0.2,
        },
        "optimiser": {"rate": 0.01, "weight_decay": 0.05, "batch_size": 8, "clip_norm": 2.0, "ema_decay": 0.9},
        "machine": {"device": "cpu", "precision": "fp32", "checkpoint_every_s": 0},
        "export": {"input_size_px": 32},
    }
    return Recipe.model_validate(content | changes)


def make_pictures(count: int = 48, held_out: int = 21, *, seed: int = 0) -> tuple[Pictures, Pictures]:
    """Return training and calibration pictures of coloured noise, the colour telling the label."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count + held_out) % len(SKIN.keys)
    colours = rng.integers(30, 220, (len(SKIN.keys), 3))
    images = colours[labels][:, None, None] + rng.normal(0, 20, (len(labels), CACHE_PX, CACHE_PX, 3))
    images = images.clip(0, 255).astype(np.uint8)
    rows = np.arange(len(labels))
    return Pictures(images, rows[:count], labels[:count]), Pictures(images, rows[count:], labels[count:])


def train(recipe: Recipe, folder: Path, **options: Any) -> nn.Module:
    """Train on coloured noise with checkpoints in the folder."""
    learnt, held_out = make_pictures()
    return train_network(
        recipe,
        train=learnt,
        calibration=held_out,
        folder=folder,
        device=torch.device("cpu"),
        precision=recipe.machine.precision,
        **options,
    )


def sum_weights(network: nn.Module) -> str:
    """Return the SHA-256 of all weights and buffers that are saved."""
    digest = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.contiguous().numpy().tobytes())
    return digest.hexdigest()


def start(target: Any, *arguments: Any) -> tuple[BaseProcess, Connection]:
    """Start a process and return it with the end that its reports arrive at."""
    receive, send = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=target, args=(*arguments, send.send))
    process.start()
    send.close()
    return process, receive


def listen_for_signals() -> int:
    """Return a file to read from that holds a byte for each signal that Python has handled, however early it came."""
    come, note = os.pipe()
    os.set_blocking(note, False)
    signal.set_wakeup_fd(note)
    return come


def run_to_the_end(
    folder: Path, manifest: Path, variant: str, every_s: float, most: int | None, send: Callable[[Any], None]
) -> None:
    """Train in a run folder as `secondlook train` does, reporting each step, then the weights' SHA-256.

    After so many steps at most, where a number is given, it waits until a signal comes.
    """
    told, come = itertools.count(1), listen_for_signals()

    def tell(progress: Progress) -> None:
        send(progress.step)
        if next(told) == most:
            os.read(come, 1)

    torch.set_num_threads(1)
    os.environ["SECONDLOOK_CACHE"] = str(folder / "cache")
    recipe = make_recipe(**VARIANTS[variant])
    recipe = recipe.model_copy(
        update={"machine": recipe.machine.model_copy(update={"device": "cpu", "checkpoint_every_s": every_s})}
    )
    table = read_manifest(manifest)
    labels = encode_labels(table)
    try:
        with open_run(folder, recipe):
            images = cache_pictures(table, size_px=CACHE_PX, folder=folder / "cache")
            parts = [np.flatnonzero((table.frame["split"] == name).to_numpy()) for name in ("train", "calibration")]
            learnt, held_out = (Pictures(images, rows, labels[rows]) for rows in parts)
            network = train_network(
                recipe,
                train=learnt,
                calibration=held_out,
                folder=folder / "checkpoints",
                device=torch.device("cpu"),
                precision="bf16" if variant == "bf16" else "fp32",
                watcher=Watcher(step=tell),
            )
    except KeyboardInterrupt:
        sys.exit(130)
    send(sum_weights(network))


def hold_run(folder: Path, send: Callable[[Any], None]) -> None:
    """Open a run folder and keep it until killed."""
    with open_run(folder, make_recipe()):
        send("open")
        PROCESSES.Event().wait()


def decode_slowly(manifest: Path, folder: Path, send: Callable[[Any], None]) -> None:
    """Decode a manifest's pictures and stop for ever in the middle."""

    def advance(done: int, total: int) -> None:
        if done == total // 2:
            send(done)
            PROCESSES.Event().wait()

    cache_pictures(read_manifest(manifest), size_px=CACHE_PX, folder=folder, advance=advance)


def read_tiny_recipe(folder: Path, **changes: Any) -> Recipe:
    """Write the recipe to a file and read it again."""
    file = folder / "tiny.yaml"
    file.write_text(make_recipe(**changes).dump(), encoding="utf-8")
    return read_recipe(file)

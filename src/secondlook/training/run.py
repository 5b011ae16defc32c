"""A run folder: what a recipe makes, from manifest to weights; started again, it continues."""

import csv
import fcntl
import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from secondlook.conditions import find_task
from secondlook.data.manifest import Manifest, read_manifest, write_manifest
from secondlook.data.sources.ham10000 import read_ham10000
from secondlook.data.split import split_manifest
from secondlook.errors import DatasetError, RecipeError
from secondlook.training.dataset import cache_pictures
from secondlook.training.loop import Pictures, Watcher, train_network
from secondlook.training.precision import choose_precision
from secondlook.training.recipe import Recipe


def find_data_folder() -> Path:
    """Return the folder that relative data paths of recipes start from: SECONDLOOK_DATA, else ../shared/data."""
    return Path(os.environ.get("SECONDLOOK_DATA", "../shared/data"))


def load_manifest(recipe: Recipe) -> Manifest:
    """Return the recipe's manifest with its split.

    Raises:
        DatasetError: The data are missing or wrong.
    """
    data, split = recipe.data, recipe.split
    if data.manifest is not None:
        manifest = read_manifest(Path(data.manifest))
    else:
        manifest = read_ham10000(find_data_folder() / str(data.folder))
    if "split" in manifest.frame:
        return manifest
    shares = {"train": split.train, "calibration": split.calibration, "test": split.test}
    return split_manifest(manifest, fractions=shares, seed=split.seed)


@contextmanager
def open_run(folder: Path, recipe: Recipe) -> Iterator[None]:
    """Hold a run folder for this process and check that it belongs to this recipe.

    Raises:
        RecipeError: Another process holds the folder, or it holds another recipe's run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RecipeError(f"Another process is training in the run folder {folder.name}; wait for it.") from None
        file = folder / "recipe.yaml"
        if file.is_file() and file.read_text(encoding="utf-8") != recipe.dump():
            raise RecipeError(
                f"The run folder {folder.name} belongs to another recipe. Give this one another folder with --run."
            )
        write_text(file, recipe.dump())
        yield


def write_text(file: Path, text: str) -> None:
    """Replace a file atomically."""
    temporary = file.with_name(file.name + ".tmp")
    with temporary.open("w", encoding="utf-8", newline="") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(file)


def write_history(file: Path, history: list[dict[str, float]]) -> None:
    """Write the history as CSV, one row per epoch."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(history[0]) if history else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    write_text(file, text.getvalue())


def settle_machine(folder: Path, recipe: Recipe) -> tuple[torch.device, str]:
    """Return device and precision, chosen once per run, since the last bits depend on them."""
    file = folder / "machine.json"
    if not file.is_file():
        cuda = torch.cuda.is_available()
        name = recipe.machine.device if recipe.machine.device != "auto" else ("cuda" if cuda else "cpu")
        precision = choose_precision(recipe, torch.device(name))
        facts = {"device": name, "precision": precision, "threads": recipe.machine.threads, "torch": torch.__version__}
        write_text(file, json.dumps(facts, indent=2) + "\n")
    facts = json.loads(file.read_text(encoding="utf-8"))
    return torch.device(facts["device"]), facts["precision"]


def encode_labels(manifest: Manifest) -> NDArray[np.int64]:
    """Return the class number of every row.

    Raises:
        DatasetError: A label is unknown to the task.
    """
    keys = find_task(manifest.task).keys
    unknown = sorted(set(manifest.frame["label"]) - set(keys))
    if unknown:
        raise DatasetError(f"Expected labels of the task {manifest.task} ({', '.join(keys)}).", unknown)
    return manifest.frame["label"].map({key: number for number, key in enumerate(keys)}).to_numpy(np.int64)


def train_run(recipe: Recipe, folder: Path, *, watcher: Watcher, decoded: object = None) -> nn.Module:
    """Train a recipe in a run folder, or continue there, and return the network that answers.

    Raises:
        DatasetError: The data are missing or wrong.
        RecipeError: The run cannot go on; the last good checkpoint is kept.
    """
    manifest = load_manifest(recipe)
    with open_run(folder, recipe):
        write_manifest(manifest, folder / "split.csv")
        images = cache_pictures(manifest, size_px=recipe.data.cache_px)
        labels = encode_labels(manifest)
        parts = {}
        for split in ("train", "calibration"):
            rows = np.flatnonzero((manifest.frame["split"] == split).to_numpy())
            parts[split] = Pictures(images, rows, labels[rows])
        device, precision = settle_machine(folder, recipe)
        inner = watcher.epoch

        def record(history: list[dict[str, float]]) -> None:
            write_history(folder / "history.csv", history)
            inner(history)

        return train_network(
            recipe,
            train=parts["train"],
            calibration=parts["calibration"],
            folder=folder / "checkpoints",
            device=device,
            precision=precision,
            watcher=Watcher(step=watcher.step, epoch=record, warn=watcher.warn),
        )

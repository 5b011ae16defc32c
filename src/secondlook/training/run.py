"""A run folder: what a recipe makes, from manifest to bundle; started again, it continues.

``recipe.yaml``, ``machine.json`` (device and precision, chosen once), ``split.csv``, ``history.csv``, ``checkpoints/``,
``plots/`` and ``bundle/``.
"""

import dataclasses
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn

from secondlook.conditions import find_task
from secondlook.data.fingerprint import data_fingerprint
from secondlook.data.leakage import audit_manifest, drop_leaks, require_no_leak
from secondlook.data.manifest import Manifest, read_manifest, write_manifest
from secondlook.data.sources import SOURCES, read_folder
from secondlook.data.sources.layout import Options
from secondlook.data.split import split_manifest
from secondlook.errors import DatasetError, RecipeError
from secondlook.evaluation.run import finish_bundle
from secondlook.training.dataset import Pictures, cache_pictures
from secondlook.training.earlier import blend_with_start, require_unseen
from secondlook.training.export import require_classifier, write_draft
from secondlook.training.folds import deal_folds, take_fold
from secondlook.training.loop import Watcher, train_network
from secondlook.training.members import describe_members, render_members, require_members
from secondlook.training.origin import ORIGIN_FILE, describe_origin
from secondlook.training.plots import plot_history
from secondlook.training.precision import choose_precision
from secondlook.training.reading import read_recipe
from secondlook.training.recipe import Recipe
from secondlook.training.sections import Further
from secondlook.training.tracking import track_run
from secondlook.training.writing import write_history, write_text

# A run folder with any of these belongs to its recipe: training, a finished bundle, a search.
LEARNED = ("checkpoints/*.pt", "bundle/bundle.json", "study.sqlite3")


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
        manifest = read_source(str(data.source), find_data_folder() / str(data.folder), task=recipe.task)
    if "split" not in manifest.frame:
        shares = {"train": split.train, "calibration": split.calibration, "test": split.test}
        manifest = split_manifest(manifest, fractions=shares, seed=split.seed)
    for further in data.further:
        manifest = add_train(manifest, read_further(further, recipe))
    return manifest if data.limit is None else limit_groups(manifest, data.limit)


def read_further(further: Further, recipe: Recipe) -> Manifest:
    """Return the part of a further data set that is learned from.

    Raises:
        DatasetError: The data are missing or wrong.
    """
    manifest = read_source(further.source, find_data_folder() / further.folder, task=recipe.task)
    shares = {"train": further.train, "test": 1 - further.train}
    return split_manifest(manifest, fractions=shares, seed=recipe.split.seed).select("train")


def add_train(manifest: Manifest, further: Manifest) -> Manifest:
    """Return a manifest with the rows of another behind its own; paths lead from the first one's folder.

    Raises:
        DatasetError: Both use the same group, which may or may not be the same patient.
    """
    same = sorted(set(manifest.frame["group"]) & set(further.frame["group"]))
    if same:
        raise DatasetError("Expected data sets whose groups have different names.", same)
    frame = further.frame.copy()
    frame["image"] = [os.path.relpath(path, manifest.root) for path in further.paths()]
    rows = pd.concat([manifest.frame, frame], ignore_index=True)
    return Manifest(rows, manifest.root, manifest.task)


def limit_groups(manifest: Manifest, limit: int) -> Manifest:
    """Return the rows of the first groups, by name, of each label in each split."""
    frame = manifest.frame
    rank = frame.groupby(["split", "label"])["group"].transform(lambda groups: groups.rank(method="dense"))
    return Manifest(frame[rank <= limit].reset_index(drop=True), manifest.root, manifest.task)


def read_source(name: str, folder: Path, *, task: str) -> Manifest:
    """Return the manifest of a data source's folder.

    Raises:
        DatasetError: The data are missing or wrong.
    """
    if not folder.is_dir():
        raise DatasetError(
            f"Expected the data set {folder.name} in the data folder, laid out as the source {name}; it is not there. "
            "Set SECONDLOOK_DATA to the folder that holds it; `secondlook data import --help` draws the layout."
        )
    return read_folder(SOURCES[name], folder, Options(task=task))[0]


def settle_leaks(manifest: Manifest, recipe: Recipe) -> tuple[Manifest, str]:
    """Deal with leaks between the splits as the recipe says.

    Returns:
        The manifest to train and measure on, and ``none`` or the note that marks every figure.

    Raises:
        DatasetError: The splits leak and the recipe does not say what to do.
        RecipeError: The manifest is of another task.
    """
    if manifest.task != recipe.task:
        raise RecipeError(f"The recipe is for the task {recipe.task}, its data are for {manifest.task}; change either.")
    if recipe.split.leaks == "drop":
        manifest = drop_leaks(audit_manifest(manifest), ("calibration", "test"))
    return manifest, require_no_leak(manifest, allow=recipe.split.leaks == "allow")


def prepare_manifest(recipe: Recipe) -> tuple[Manifest, str]:
    """Return what a run trains and measures on, and ``none`` or the note that marks every figure.

    Leaks are settled before folds are dealt, so that all folds agree on what is left out.

    Raises:
        DatasetError: The data are missing or wrong, their splits leak, or they cannot be dealt to the folds.
        RecipeError: The data are for another task.
    """
    manifest, leak = settle_leaks(load_manifest(recipe), recipe)
    split = recipe.split
    if split.folds is not None:
        manifest = deal_folds(manifest, folds=split.folds, seed=split.seed)
    return (manifest if split.fold is None else take_fold(manifest, split.fold)), leak


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
        if file.is_file() and read_recipe(file).describe_weights() != recipe.describe_weights():
            if any(True for pattern in LEARNED for _ in folder.rglob(pattern)):
                raise RecipeError(
                    f"The run folder {folder.name} holds a run of another recipe (compare its recipe.yaml; only "
                    "`about` and `export` may change after training). Give this one another folder with --run."
                )
            for settled in ("machine.json", ORIGIN_FILE):  # by a recipe that has learned nothing yet
                (folder / settled).unlink(missing_ok=True)
        write_text(file, recipe.dump())
        yield


def settle_machine(folder: Path, recipe: Recipe) -> tuple[torch.device, str]:
    """Return device and precision, chosen once per run, since the last bits depend on them.

    Raises:
        RecipeError: There is no GPU where one is needed.
    """
    file = folder / "machine.json"
    wanted = json.loads(file.read_text(encoding="utf-8"))["device"] if file.is_file() else recipe.machine.device
    cuda = torch.cuda.is_available()
    if wanted == "cuda" and not cuda:
        raise RecipeError(
            "Expected a GPU, which the recipe asks for or the run began on; torch finds none. Run it where there is "
            "one, or on the processor: --set machine.device=cpu, in another run folder if this one has learned already."
        )
    if not file.is_file():
        name = wanted if wanted != "auto" else ("cuda" if cuda else "cpu")
        precision = choose_precision(recipe, torch.device(name))
        facts = {"device": name, "precision": precision, "threads": recipe.machine.threads, "torch": torch.__version__}
        write_text(file, json.dumps(facts, indent=2) + "\n")
    facts = json.loads(file.read_text(encoding="utf-8"))
    return torch.device(facts["device"]), facts["precision"]


def settle_origin(folder: Path, recipe: Recipe) -> str:
    """Return where the starting weights come from, in words that are written once, before training."""
    file = folder / ORIGIN_FILE
    if not file.is_file():
        write_text(file, describe_origin(recipe.model) + "\n")
    return file.read_text(encoding="utf-8").strip()


def encode_labels(manifest: Manifest) -> NDArray[np.int64]:
    """Return the class number of every row.

    Raises:
        DatasetError: A label is unknown to the task, or one of the task's has no picture to learn or to calibrate from.
    """
    keys = find_task(manifest.task).keys
    unknown = sorted(set(manifest.frame["label"]) - set(keys))
    if unknown:
        raise DatasetError(f"Expected labels of the task {manifest.task} ({', '.join(keys)}).", unknown)
    for split in ("train", "calibration"):
        absent = list_absent(manifest, split)
        if absent:
            raise DatasetError(
                f"Expected pictures of every label of {manifest.task} in the split {split}. Gather some, split the "
                "manifest anew (split.seed), or choose a task without that label.",
                absent,
            )
    codes = {key: number for number, key in enumerate(keys)}
    return np.array([codes[label] for label in manifest.frame["label"]], dtype=np.int64)


def list_absent(manifest: Manifest, split: str) -> list[str]:
    """Return the task's labels that a split holds no picture of."""
    present = set(manifest.frame.loc[manifest.frame["split"] == split, "label"])
    return [key for key in find_task(manifest.task).keys if key not in present]


def find_foreign(recipe: Recipe) -> Path | None:
    """Return the folder of foreign pictures that the recipe wants refused, or None where it names none.

    Raises:
        RecipeError: The folder is not there.
    """
    if recipe.export.foreign is None:
        return None
    folder = find_data_folder() / recipe.export.foreign
    if not folder.is_dir():
        raise RecipeError(
            f"Expected a folder of foreign pictures as export.foreign, found no {folder.name!r} in the data folder. "
            "Set SECONDLOOK_DATA, or leave that measurement out with --set export.foreign=null."
        )
    return folder


@dataclass(frozen=True)
class Material:
    """What a run trains and measures on.

    Attributes:
        manifest: With its split.
        leak: ``none``, or the note that marks every figure.
        train: Pictures to learn from.
        calibration: Pictures that the history is measured on.
    """

    manifest: Manifest
    leak: str
    train: Pictures
    calibration: Pictures


def prepare_material(recipe: Recipe, *, watcher: Watcher, tested: bool = True) -> Material:
    """Read and decode what a recipe trains on.

    Args:
        recipe: What to do.
        watcher: Told of what comes next, of decoding, and of labels without a test.
        tested: Whether the split test is measured in the end, and so has to hold pictures.

    Raises:
        DatasetError: The data are missing or wrong, or their split leaks.
        RecipeError: The data are for another task, or decoded pictures cannot be kept.
    """
    watcher.note("reading the data and looking for leaks")
    manifest, leak = prepare_manifest(recipe)
    labels = encode_labels(manifest)
    untested = list_absent(manifest, "test") if tested else []
    if len(untested) == len(find_task(recipe.task).keys):
        raise DatasetError(
            "Expected pictures in the split test, which the run is measured on at its end; there is none. Name some in "
            "the manifest's column `split`, or remove the column to have the recipe deal them."
        )
    if untested:
        watcher.warn(f"The split test holds no picture of {', '.join(untested)}; its figures will be undefined.")
    if Path(recipe.model.weights).is_dir():
        require_unseen(manifest, Path(recipe.model.weights))
    require_members(recipe, manifest)
    images = cache_pictures(manifest, size_px=recipe.data.cache_px, resize=recipe.data.resize, advance=watcher.decoded)
    parts = {}
    for split in ("train", "calibration"):
        rows = np.flatnonzero((manifest.frame["split"] == split).to_numpy())
        parts[split] = Pictures(images, rows, labels[rows])
    return Material(manifest, leak, parts["train"], parts["calibration"])


def fit_network(recipe: Recipe, material: Material, folder: Path, *, watcher: Watcher) -> nn.Module:
    """Train in an open run folder, or continue there, and return the network that answers.

    Raises:
        RecipeError: The run cannot go on; the last good checkpoint is kept.
    """
    write_manifest(material.manifest, folder / "split.csv")
    settle_origin(folder, recipe)
    watcher.note("choosing device and precision")
    device, precision = settle_machine(folder, recipe)
    with track_run(watcher, folder, recipe) as tracked:
        return train_network(
            recipe,
            train=material.train,
            calibration=material.calibration,
            folder=folder / "checkpoints",
            device=device,
            precision=precision,
            watcher=record_epochs(tracked, folder),
        )


def train_run(recipe: Recipe, folder: Path, *, watcher: Watcher) -> Path:
    """Train a recipe in a run folder, or continue there, and make the bundle.

    Args:
        recipe: What to do.
        folder: The run folder; see the module's docstring.
        watcher: Told of decoding, steps, epochs, damaged checkpoints and what comes next.

    Returns:
        The bundle's folder.

    Raises:
        DatasetError: The data are missing or wrong, or their split leaks.
        RecipeError: The run cannot go on; the last good checkpoint is kept.
        BundleError: The exported graph does not give what torch gives.
    """
    foreign = find_foreign(recipe)
    material = prepare_material(recipe, watcher=watcher)
    manifest, bundle = material.manifest, folder / "bundle"
    with open_run(folder, recipe):
        network = fit_network(recipe, material, folder, watcher=watcher)
        network.load_state_dict(blend_with_start(network.state_dict(), recipe))
        watcher.note("exporting the graph and comparing it with torch")
        write_draft(
            render_members(network, recipe, manifest),
            recipe,
            bundle,
            data_fingerprint=data_fingerprint(manifest),
            weights="; ".join([settle_origin(folder, recipe), *describe_members(recipe)]),
            map_kind=require_classifier(network).map_kind,
            leak=material.leak,
            members=1 + len(recipe.export.members),
        )
        watcher.note("calibrating, measuring once on the test split, writing the main figures into the evidence")
        finish_bundle(
            bundle,
            manifest.select("calibration"),
            manifest.select("test"),
            whole=manifest,
            refuse=foreign,
            leak=material.leak,
            quick=True,
        )
    return bundle


def record_epochs(watcher: Watcher, folder: Path) -> Watcher:
    """Return a watcher that also writes ``history.csv`` and its plot after every epoch."""

    def record(history: list[dict[str, float]]) -> None:
        try:
            if history:
                write_history(folder / "history.csv", history)
                plot_history(history, folder / "plots" / "history.png")
        except OSError as error:  # the history is in the checkpoint too, and is written again
            watcher.warn(f"history.csv and its plot cannot be written: {error.strerror}.")
        watcher.epoch(history)

    return dataclasses.replace(watcher, epoch=record)

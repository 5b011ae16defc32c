"""Training a head on a frozen backbone: our cached features against timm's loader, which goes through it every epoch.

The time that our features take is counted in; the pictures are decoded before, as training's cache does once for all.
"""

import os
import tempfile
import time
from pathlib import Path

import torch
from torch import nn

from benchmarks.folder import LABELS, draw_folder
from benchmarks.timing import print_table, read_options
from benchmarks.training import (
    BATCHES,
    UNMEASURED,
    count_cores,
    decode_pictures,
    load_with_timm,
    plan_recipe,
    repeat_batches,
)
from secondlook.inference.bundle import read_facts
from secondlook.training.dataset import Pictures
from secondlook.training.layers import prepare_stage
from secondlook.training.loop import train_network
from secondlook.training.recipe import Recipe
from secondlook.training.state import start_state

EPOCHS = 20


def measure_cached(recipe: Recipe, pictures: Pictures, folder: Path) -> float:
    """Return pictures per second over all epochs, features included."""
    few = Pictures(pictures.images, pictures.rows[: len(LABELS)], pictures.labels[: len(LABELS)])
    start = time.perf_counter()
    train_network(recipe, train=pictures, calibration=few, folder=folder, device=torch.device("cpu"), precision="fp32")
    return EPOCHS * len(pictures) / (time.perf_counter() - start)


def measure_computed(recipe: Recipe, folder: Path) -> float:
    """Return pictures per second of a usual loop with a frozen backbone over timm's loader."""
    torch.set_num_threads(recipe.machine.threads)
    state = start_state(recipe, classes=len(LABELS), device=torch.device("cpu"), packed=None)
    network = state.network.train()
    prepare_stage(network, "head")
    start, done = 0.0, 0
    for number, (images, labels) in enumerate(repeat_batches(load_with_timm(recipe, folder))):
        if number == UNMEASURED:
            start, done = time.perf_counter(), 0
        loss = nn.functional.cross_entropy(network(images.to(memory_format=torch.channels_last)), labels)
        state.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        state.optimiser.step()
        done += len(images)
        if number == BATCHES - 1:
            break
    return done / (time.perf_counter() - start)


def run(bundle: Path, *, rounds: int) -> None:
    """Measure and print; the best of the rounds counts."""
    recipe = plan_recipe(read_facts(bundle).training.recipe, epochs=EPOCHS, more=", trainable: head, features: cached")
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "pictures")
        folder.mkdir()
        pictures = decode_pictures(recipe, draw_folder(folder, count=BATCHES * recipe.optimiser.batch_size))
        for number in range(max(1, rounds // 2)):
            os.environ["SECONDLOOK_CACHE"] = str(Path(scratch, f"cache-{number}"))
            taken = {
                "secondlook train, features cached": measure_cached(recipe, pictures, Path(scratch, str(number))),
                "timm's loader": measure_computed(recipe, folder),
            }
            figures = {key: max(rate, figures.get(key, 0.0)) for key, rate in taken.items()}
    print_table(
        f"Training the head of a frozen {recipe.model.name} at {recipe.stages[0].size_px} px for {EPOCHS} epochs of "
        f"{len(pictures)} pictures, {count_cores()} core(s)",
        "pictures/s",
        figures,
        ours="secondlook train, features cached",
    )


if __name__ == "__main__":
    chosen = read_options(__doc__ or "")
    run(chosen.bundle, rounds=chosen.rounds)

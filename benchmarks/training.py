"""Training pictures per second: our loop against timm's own train-style loader and against a plain DataLoader.

All three train the network of the bundle's recipe on the same drawn pictures, at the same size and batch, with the same
optimiser, clipping and moving average, on the same cores; only the way of the pictures differs, and in some rows the
arithmetic: `secondlook train` takes bfloat16 where a probe finds that it pays, the others stay with float32 as they do
unless told otherwise; and values lie channel by channel as timm's train script has them, or channels last as it has
them when told to.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, repeat
from pathlib import Path

import numpy as np
import torch
from timm.data.dataset_factory import create_dataset
from timm.data.loader import create_loader
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from benchmarks.folder import LABELS, draw_folder
from benchmarks.timing import print_table, read_options
from secondlook.imaging.resize import read_size
from secondlook.inference.bundle import read_facts
from secondlook.inference.predictor import read_input
from secondlook.training.dataset import Pictures
from secondlook.training.loop import Progress, Watcher, train_network
from secondlook.training.precision import choose_precision
from secondlook.training.reading import read_recipe
from secondlook.training.recipe import Recipe
from secondlook.training.state import start_state

BATCHES = 10
UNMEASURED = 2
Batches = Iterable[tuple[Tensor, Tensor]]


def plan_recipe(name: str, *, epochs: int, more: str = "") -> Recipe:
    """Return the shipped recipe, cut to one stage at its first size, on all cores, without weights from elsewhere."""
    first = read_recipe(name).stages[0].size_px
    stages = f"stages=[{{epochs: {epochs}, size_px: {first}{more}}}]"
    return read_recipe(
        name, changes=[stages, "model.weights=none", "export.start_share=0", f"machine.threads={count_cores()}"]
    )


def decode_pictures(recipe: Recipe, files: list[Path]) -> Pictures:
    """Decode every picture once, as training's cache does."""
    size = recipe.data.cache_px
    images = np.stack([read_input(file, size, resize=recipe.data.resize)[1] for file in files])
    labels = np.array([LABELS.index(file.parent.name) for file in files], dtype=np.int64)
    return Pictures(images, np.arange(len(files)), labels)


def measure_ours(recipe: Recipe, pictures: Pictures, folder: Path, *, precision: str) -> float:
    """Return pictures per second of our training loop, its first steps and the measuring at its end left out."""
    ends: list[float] = []

    def note(_progress: Progress) -> None:
        ends.append(time.perf_counter())

    few = Pictures(pictures.images, pictures.rows[: len(LABELS)], pictures.labels[: len(LABELS)])
    train_network(
        recipe,
        train=pictures,
        calibration=few,
        folder=folder,
        device=torch.device("cpu"),
        precision=precision,
        watcher=Watcher(step=note),
    )
    steps = len(ends) - UNMEASURED
    return steps * recipe.optimiser.batch_size / (ends[-1] - ends[UNMEASURED - 1])


def measure_loader(
    recipe: Recipe, load: Callable[[], Batches], *, order: torch.memory_format = torch.channels_last
) -> float:
    """Return pictures per second of a usual loop over a loader's batches, their values in this order."""
    torch.set_num_threads(recipe.machine.threads)
    state = start_state(recipe, classes=len(LABELS), device=torch.device("cpu"), packed=None)
    network = state.network.train().to(memory_format=order)
    start, done = 0.0, 0
    for number, (images, labels) in enumerate(repeat_batches(load())):
        if number == UNMEASURED:
            start, done = time.perf_counter(), 0
        loss = nn.functional.cross_entropy(network(images.to(memory_format=order)), labels)
        state.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), recipe.optimiser.clip_norm or float("inf"))
        state.optimiser.step()
        if state.average is not None:
            state.average.update_parameters(network)
        done += len(images)
        if number == BATCHES - 1:
            break
    return done / (time.perf_counter() - start)


def repeat_batches(batches: Batches) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield batches, epoch after epoch."""
    return chain.from_iterable(repeat(batches))


def load_with_timm(recipe: Recipe, folder: Path) -> Batches:
    """Return timm's loader with its training transforms, flips and random erasing."""
    loader: Batches = create_loader(
        create_dataset("", root=str(folder)),
        input_size=(3, *read_size(recipe.stages[0].size_px)),
        batch_size=recipe.optimiser.batch_size,
        is_training=True,
        use_prefetcher=False,
        vflip=0.5,
        color_jitter=0.2,
        re_prob=recipe.augmentation.erase,
        num_workers=count_cores(),
        persistent_workers=True,
        mean=(0, 0, 0),
        std=(1, 1, 1),
    )
    return loader


def load_plainly(recipe: Recipe, folder: Path) -> Batches:
    """Return a DataLoader over an ImageFolder with torchvision's transforms, as tutorials write it."""
    size, _ = read_size(recipe.stages[0].size_px)
    steps = transforms.Compose(
        [
            transforms.Resize(size),
            transforms.CenterCrop(size),
            transforms.RandomHorizontalFlip(),
            transforms.RandomVerticalFlip(),
            transforms.RandomAffine(degrees=180, translate=(0.08, 0.08), scale=(0.85, 1.4), shear=5),
            transforms.ColorJitter(0.15, 0.2, 0.2),
            transforms.ToTensor(),
        ]
    )
    return DataLoader(
        datasets.ImageFolder(str(folder), steps),
        batch_size=recipe.optimiser.batch_size,
        shuffle=True,
        drop_last=True,
        num_workers=count_cores(),
        persistent_workers=True,
    )


def count_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def compare_loaders(name: str, *, rounds: int, scratch: Path) -> None:
    """Measure and print on the cores that this process may use now.

    The best of the rounds counts, since workers of an earlier one may still be ending.
    """
    recipe = plan_recipe(name, epochs=1)
    folder = scratch / f"pictures-{count_cores()}"
    folder.mkdir()
    files = draw_folder(folder, count=BATCHES * recipe.optimiser.batch_size)
    start = time.perf_counter()
    pictures = decode_pictures(recipe, files)
    once = len(files) / (time.perf_counter() - start)
    chosen = choose_precision(recipe, torch.device("cpu"))
    figures: dict[str, float] = {}
    for number in range(max(1, rounds // 2)):
        run_folder = folder.with_name(f"{folder.name}-{number}")
        taken = {
            f"secondlook train, {chosen} as it chooses here": measure_ours(
                recipe, pictures, run_folder / "chosen", precision=chosen
            ),
            "secondlook train, fp32": measure_ours(recipe, pictures, run_folder / "fp32", precision="fp32"),
            "timm's loader, fp32, as its script trains": measure_loader(
                recipe, lambda: load_with_timm(recipe, folder), order=torch.contiguous_format
            ),
            "timm's loader, fp32, channels last": measure_loader(recipe, lambda: load_with_timm(recipe, folder)),
            "plain DataLoader, fp32, channels last": measure_loader(recipe, lambda: load_plainly(recipe, folder)),
        }
        figures = {key: max(rate, figures.get(key, 0.0)) for key, rate in taken.items()}
    print_table(
        f"Training {recipe.model.name} at {recipe.stages[0].size_px} px, batches of {recipe.optimiser.batch_size}, "
        f"{count_cores()} core(s): so many loader workers, and compute threads of ours",
        "pictures/s",
        figures,
        ours=f"secondlook train, {chosen} as it chooses here",
    )
    print(f"  (the cache, filled once before the first epoch: {once:.0f} pictures/s)")


def run(bundle: Path, *, rounds: int) -> None:
    """Measure and print, first on one core, then on all."""
    name = read_facts(bundle).training.recipe
    cores = os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory() as scratch:
        for count in sorted({1, len(cores)}):
            os.sched_setaffinity(0, sorted(cores)[:count])
            compare_loaders(name, rounds=rounds, scratch=Path(scratch))


if __name__ == "__main__":
    chosen = read_options(__doc__ or "")
    run(chosen.bundle, rounds=chosen.rounds)

"""The training loop: a pure function of recipe, data and step, so that a run can stop anywhere and continue.

Every random number comes from a generator seeded with the run's seed and the step; the learning rate is a function
of the step; the rest (weights, optimiser, moving average, history) is in the checkpoint.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from secondlook.errors import RecipeError
from secondlook.training.augment import augment_batch, mix_pictures
from secondlook.training.checkpoint import load_checkpoint, save_checkpoint
from secondlook.training.dataset import draw_order
from secondlook.training.loss import balanced_loss, count_prior
from secondlook.training.recipe import Optimiser, Recipe
from secondlook.training.schedule import rate_at
from secondlook.training.zoo import build_network

EVALUATION_BATCH = 128


@dataclass(frozen=True)
class Pictures:
    """One split in memory: ``images`` uint8 N×S×S×3 RGB (may be memory-mapped) and ``labels`` int64 N."""

    images: NDArray[np.uint8]
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.rows)

    def batch(self, positions: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Return images uint8 B×S×S×3 and labels int64 B at these positions."""
        chosen = self.images[self.rows[positions]]
        return torch.from_numpy(np.ascontiguousarray(chosen)), torch.from_numpy(self.labels[positions])


@dataclass
class Progress:
    """What a watcher of the run is told after every step."""

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    rate: float
    pictures_per_s: float


@dataclass
class Watcher:
    """Where the loop reports to; the defaults ignore everything."""

    step: Callable[[Progress], None] = lambda progress: None
    epoch: Callable[[list[dict[str, float]]], None] = lambda history: None
    warn: Callable[[str], None] = lambda sentence: None


@dataclass
class State:
    """Everything that a checkpoint holds."""

    network: nn.Module
    average: AveragedModel | None
    optimiser: torch.optim.Optimizer
    step: int = 0
    losses: list[float] = field(default_factory=list)
    history: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, Tensor] | None = None

    def answering(self) -> nn.Module:
        """Return the network that answers: the moving average where there is one."""
        return self.average.module if self.average is not None else self.network

    def pack(self) -> dict[str, Any]:
        """Return the state as tensors and plain values."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict() if self.average is not None else None,
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "losses": self.losses,
            "history": self.history,
            "best": self.best,
        }

    def unpack(self, packed: dict[str, Any]) -> None:
        """Take over a packed state."""
        self.network.load_state_dict(packed["network"])
        if self.average is not None:
            self.average.load_state_dict(packed["average"])
        self.optimiser.load_state_dict(packed["optimiser"])
        self.step, self.losses, self.history = packed["step"], packed["losses"], packed["history"]
        self.best = packed["best"]


@dataclass(frozen=True)
class Step:
    """One optimiser step of the plan."""

    number: int
    epoch: int
    size_px: int
    trainable: str
    rate_scale: float
    positions: NDArray[np.int64]
    ends_epoch: bool


def plan_steps(recipe: Recipe, labels: NDArray[np.int64], *, first: int = 0) -> Iterator[Step]:
    """Yield the steps of a run from number ``first`` on; the plan depends on recipe and labels alone."""
    batch = recipe.optimiser.batch_size
    per_epoch = count_steps_per_epoch(len(labels), batch)
    epoch = 0
    for stage in recipe.stages:
        for _ in range(stage.epochs):
            if (epoch + 1) * per_epoch > first:
                order = draw_order(labels, balance=recipe.loss.balance, seed=recipe.seed, epoch=epoch)
                for index in range(per_epoch):
                    number = epoch * per_epoch + index
                    if number >= first:
                        yield Step(
                            number,
                            epoch,
                            stage.size_px,
                            stage.trainable,
                            stage.rate_scale,
                            order[index * batch : (index + 1) * batch],
                            index == per_epoch - 1,
                        )
            epoch += 1


def count_steps_per_epoch(pictures: int, batch: int) -> int:
    """Return how many steps an epoch has; an incomplete last batch is left out unless it is the only one."""
    return max(1, pictures // batch)


def train_network(
    recipe: Recipe,
    *,
    train: Pictures,
    calibration: Pictures,
    folder: Path,
    device: torch.device,
    precision: str,
    watcher: Watcher | None = None,
) -> nn.Module:
    """Train a network, or continue from the newest whole checkpoint, and return the one that answers.

    Args:
        recipe: What to do.
        train: Pictures to learn from.
        calibration: Pictures that the history, and ``keep: best``, are measured on.
        folder: The run's ``checkpoints`` folder.
        device: Where to compute.
        precision: ``fp32`` or ``bf16``.
        watcher: Told of steps, epochs and damaged checkpoints.

    Raises:
        RecipeError: The loss is no number, or a checkpoint cannot be written.
        KeyboardInterrupt: After a checkpoint was written.
    """
    watcher = watcher or Watcher()
    torch.set_num_threads(recipe.machine.threads)
    torch.manual_seed(recipe.seed)
    classes = int(train.labels.max()) + 1
    log_prior = torch.from_numpy(count_prior(train.labels, classes)).to(device)
    network = build_network(recipe.model, classes=classes).to(device).to(memory_format=torch.channels_last)
    state = State(network, average_weights(network, recipe.optimiser), build_optimiser(network, recipe.optimiser))
    packed = load_checkpoint(folder, warn=watcher.warn)
    if packed is not None:
        state.unpack(packed)
        watcher.epoch(state.history)
    total = sum(stage.epochs for stage in recipe.stages) * count_steps_per_epoch(
        len(train), recipe.optimiser.batch_size
    )
    saved_at = time.monotonic()
    try:
        for step in plan_steps(recipe, train.labels, first=state.step):
            start = time.perf_counter()
            loss = take_step(state, step, recipe, train, log_prior=log_prior, total=total, precision=precision)
            if not np.isfinite(loss):
                raise RecipeError(
                    f"The loss of step {step.number} (epoch {step.epoch + 1}) is {loss}. The last good checkpoint is "
                    f"kept. Lower the rate, for example --set optimiser.rate={recipe.optimiser.rate / 3:.2g}, "
                    "or set optimiser.clip_norm=1, and give the run another name."
                )
            state.step = step.number + 1
            state.losses.append(loss)
            watcher.step(
                Progress(
                    step.epoch + 1,
                    sum(stage.epochs for stage in recipe.stages),
                    state.step,
                    total,
                    loss,
                    state.optimiser.param_groups[0]["lr"],
                    len(step.positions) / (time.perf_counter() - start),
                )
            )
            if step.ends_epoch:
                end_epoch(state, step, recipe, calibration, log_prior=log_prior, precision=precision)
                watcher.epoch(state.history)
            if step.ends_epoch or time.monotonic() - saved_at > recipe.machine.checkpoint_every_s:
                save_checkpoint(folder, state.pack(), step=state.step)
                saved_at = time.monotonic()
    except KeyboardInterrupt:
        save_checkpoint(folder, state.pack(), step=state.step)
        raise
    answering = state.answering()
    if recipe.keep == "best" and state.best is not None:
        answering.load_state_dict(state.best)
    return answering.eval()


def average_weights(network: nn.Module, recipe: Optimiser) -> AveragedModel | None:
    """Return an exponential moving average of weights and buffers, or None where the recipe wants none."""
    if not recipe.ema_decay:
        return None
    return AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema_decay), use_buffers=True)


def build_optimiser(network: nn.Module, recipe: Optimiser) -> torch.optim.Optimizer:
    """Return the recipe's optimiser; biases and normalisation weights are not decayed."""
    decayed = [weight for weight in network.parameters() if weight.ndim > 1]
    plain = [weight for weight in network.parameters() if weight.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    if recipe.name == "sgd":
        return torch.optim.SGD(groups, lr=recipe.rate, momentum=0.9, nesterov=True)
    if recipe.name == "rmsprop":
        return torch.optim.RMSprop(groups, lr=recipe.rate)
    if recipe.name == "adam":
        return torch.optim.Adam(groups, lr=recipe.rate)
    return torch.optim.AdamW(groups, lr=recipe.rate)


def take_step(
    state: State, step: Step, recipe: Recipe, train: Pictures, *, log_prior: Tensor, total: int, precision: str
) -> float:
    """Take one optimiser step and return its loss in nats."""
    device = log_prior.device
    generator = torch.Generator().manual_seed(recipe.seed * 1_000_003 + step.number)
    torch.manual_seed(recipe.seed * 1_000_003 + step.number)  # dropout and stochastic depth draw from the global one
    images, labels = train.batch(step.positions)
    pixels = augment_batch(images.to(device), recipe.augmentation, size_px=step.size_px, generator=generator)
    targets = F.one_hot(labels, len(log_prior)).float().to(device)
    if recipe.augmentation.mixup:
        pixels, targets = mix_pictures(pixels, targets, alpha=recipe.augmentation.mixup, generator=generator)
    rate = rate_at(step.number, total=total, optimiser=recipe.optimiser) * step.rate_scale
    for group in state.optimiser.param_groups:
        group["lr"] = rate
    prepare_stage(state.network, step.trainable)
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
        logits = state.network(pixels.to(memory_format=torch.channels_last))
    loss = balanced_loss(logits.float(), targets, log_prior=log_prior, recipe=recipe.loss)
    value = float(loss.detach())
    if not np.isfinite(value):
        return value
    state.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    if recipe.optimiser.clip_norm:
        nn.utils.clip_grad_norm_(state.network.parameters(), recipe.optimiser.clip_norm)
    state.optimiser.step()
    if state.average is not None:
        state.average.update_parameters(state.network)
    return value


def prepare_stage(network: nn.Module, trainable: str) -> None:
    """Put the network into training mode; with ``head``, the backbone is frozen, its statistics too."""
    network.train()
    frozen = trainable == "head"
    for name, weight in network.named_parameters():
        weight.requires_grad_(not frozen or name.startswith("head."))
    if frozen:
        network.get_submodule("backbone").eval()


def end_epoch(
    state: State, step: Step, recipe: Recipe, calibration: Pictures, *, log_prior: Tensor, precision: str
) -> None:
    """Measure the answering network on the calibration split and add a row to the history."""
    size = recipe.export.input_size_px
    answering = state.answering().eval()
    logits = predict_logits(answering, calibration, size_px=size, device=log_prior.device, precision=precision)
    measures = measure_logits(logits, calibration.labels, log_prior=log_prior.cpu().numpy())
    row = {
        "epoch": step.epoch + 1,
        "step": state.step,
        "size_px": step.size_px,
        "rate": state.optimiser.param_groups[0]["lr"],
        "loss": float(np.mean(state.losses)),
        **measures,
    }
    if all(row["calibration_auc"] > other["calibration_auc"] for other in state.history):
        state.best = {key: value.clone() for key, value in answering.state_dict().items()}
    state.history.append(row)
    state.losses = []


@torch.no_grad()
def predict_logits(
    network: nn.Module, pictures: Pictures, *, size_px: int, device: torch.device, precision: str
) -> NDArray[np.float32]:
    """Return float32 N×K logits of a split, each picture resized to ``size_px``."""
    rows = []
    for start in range(0, len(pictures), EVALUATION_BATCH):
        positions = np.arange(start, min(start + EVALUATION_BATCH, len(pictures)))
        images, _ = pictures.batch(positions)
        pixels = images.to(device).permute(0, 3, 1, 2).float().div_(255)
        if pixels.shape[-1] != size_px:
            pixels = F.interpolate(pixels, size=(size_px, size_px), mode="bicubic", antialias=True).clamp_(0, 1)
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            rows.append(network(pixels.to(memory_format=torch.channels_last)).float().cpu().numpy())
    return np.concatenate(rows)


def measure_logits(
    logits: NDArray[np.float32], labels: NDArray[np.int64], *, log_prior: NDArray[np.float32]
) -> dict[str, float]:
    """Return negative log-likelihood, balanced accuracy and macro AUC (one against the rest)."""
    scores = logits + log_prior
    scores = scores - scores.max(axis=1, keepdims=True)
    log_probabilities = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    present = [label for label in range(logits.shape[1]) if 0 < (labels == label).sum() < len(labels)]
    areas = [roc_auc_score(labels == label, log_probabilities[:, label]) for label in present]
    return {
        "calibration_nll": float(-log_probabilities[np.arange(len(labels)), labels].mean()),
        "calibration_balanced_accuracy": float(balanced_accuracy_score(labels, logits.argmax(axis=1))),
        "calibration_auc": float(np.mean(areas)),
    }

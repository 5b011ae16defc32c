"""The training loop: a pure function of recipe, data and step, so that a run can stop anywhere and continue.

Every random number comes from a generator seeded with the run's seed and the step; the learning rate is a function
of the step; the rest (weights, optimiser, moving average, history) is in the checkpoint.
"""

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from secondlook.conditions import find_task
from secondlook.errors import DatasetError, RecipeError
from secondlook.imaging.resize import read_size
from secondlook.training.adversarial import attack_batch
from secondlook.training.augment import augment_batch
from secondlook.training.augment.mixing import mix_batch
from secondlook.training.checkpoint import list_checkpoints, load_checkpoint, save_checkpoint
from secondlook.training.dataset import Pictures, measure_colours
from secondlook.training.features import FeatureCache, have_same_backbone
from secondlook.training.layers import prepare_stage
from secondlook.training.loss import balanced_loss, count_prior
from secondlook.training.measure import measure_logits, predict_logits
from secondlook.training.plan import Step, count_steps_per_epoch, plan_steps
from secondlook.training.recipe import Recipe
from secondlook.training.schedule import rate_at
from secondlook.training.state import State, start_state
from secondlook.training.stopping import has_stalled, is_best, score_epochs
from secondlook.training.zoo.classifier import Classifier


class DivergenceError(RecipeError):
    """A run's numbers have left the range of floats: its rate was too high."""


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

    note: Callable[[str], None] = lambda _sentence: None
    decoded: Callable[[int, int], None] = lambda _done, _total: None
    step: Callable[[Progress], None] = lambda _progress: None
    epoch: Callable[[list[dict[str, float]]], None] = lambda _history: None
    warn: Callable[[str], None] = lambda _sentence: None


@dataclass(frozen=True)
class Job:
    """What a run is made of, besides its state."""

    recipe: Recipe
    train: Pictures
    calibration: Pictures
    log_prior: Tensor
    precision: str
    features: FeatureCache

    @property
    def epochs(self) -> int:
        """Number of epochs in all stages."""
        return sum(stage.epochs for stage in self.recipe.stages)

    @property
    def steps(self) -> int:
        """Number of steps in all stages."""
        return self.epochs * count_steps_per_epoch(self.recipe, self.train.labels)


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
        DatasetError: The calibration split is empty.
        RecipeError: The weights cannot be had, training diverges, or a checkpoint cannot be written.
        KeyboardInterrupt: At the first Ctrl-C after the step under way and a checkpoint; at the second, at once.
    """
    watcher = watcher or Watcher()
    torch.set_num_threads(recipe.machine.threads)
    torch.manual_seed(recipe.seed)
    torch.backends.cudnn.deterministic = True
    if not len(calibration):
        raise DatasetError("Expected pictures in the calibration split, got none. Split the manifest anew.")
    classes = len(find_task(recipe.task).keys)
    log_prior = torch.from_numpy(count_prior(train.labels, classes)).to(device)
    job = Job(recipe, train, calibration, log_prior, precision, FeatureCache(device, precision))
    packed = load_checkpoint(folder, warn=watcher.warn)
    with explain_memory(recipe), advise_divergence(recipe, folder):
        colours = measure_colours(train) if recipe.model.normalise == "data" and packed is None else None
        state = start_state(recipe, classes=classes, device=device, packed=packed, colours=colours)
        for stage in recipe.stages:
            prepare_stage(state.network, stage.trainable)  # a layer that is not there is better told before training
        if packed is not None:
            watcher.epoch(state.history)
        run_steps(state, job, folder=folder, watcher=watcher)
    answering = state.answering()
    if recipe.keep == "best" and state.best is not None:
        answering.load_state_dict(state.best)
    return answering.eval()


def run_steps(state: State, job: Job, *, folder: Path, watcher: Watcher) -> None:
    """Take all steps that are left, and save checkpoints on the way.

    Raises:
        RecipeError: Training diverges, or a checkpoint cannot be written.
        KeyboardInterrupt: At Ctrl-C, after a checkpoint.
    """
    saved_at = time.monotonic()
    if has_stalled(state.history, job.recipe):
        return
    with hold_interrupt() as interrupted:
        for step in plan_steps(job.recipe, job.train.labels, first=state.step):
            start = time.perf_counter()
            loss = take_step(state, step, job)
            rate = state.optimiser.param_groups[0]["lr"]
            seconds = time.perf_counter() - start
            state.seconds += seconds
            speed = len(step.positions) / seconds
            watcher.step(Progress(step.epoch + 1, job.epochs, state.step, job.steps, loss, rate, speed))
            if step.ends_epoch:
                end_epoch(state, step, job)
                watcher.epoch(state.history)
            stalled = step.ends_epoch and has_stalled(state.history, job.recipe)
            overdue = time.monotonic() - saved_at > job.recipe.machine.checkpoint_every_s
            # An epoch on cached features may be over in less time than a checkpoint takes.
            whole = step.ends_stage if step.stage.features == "cached" else step.ends_epoch
            if whole or stalled or overdue or interrupted():
                check_weights(state, step)
                save_checkpoint(folder, state.pack(), step=state.step)
                saved_at = time.monotonic()
            if interrupted():
                raise KeyboardInterrupt
            if stalled:
                watcher.note(f"stopped after epoch {step.epoch + 1}, since nothing got better any more")
                return


@contextmanager
def explain_memory(recipe: Recipe) -> Iterator[None]:
    """Say in a sentence when the GPU's memory is too small.

    Raises:
        RecipeError: It is.
    """
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        batch = recipe.optimiser.batch_size
        cure = f"--set optimiser.batch_size={batch // 2}" if batch > 1 else "a smaller stages.0.size_px"
        raise RecipeError(
            f"Expected {batch} pictures at a time to fit into the GPU's memory; they do not. Take fewer, for example "
            f"with {cure}, and start in another run folder; the checkpoints of this one are kept. Or close what else "
            "uses the GPU and run the same command again."
        ) from error


@contextmanager
def hold_interrupt() -> Iterator[Callable[[], bool]]:
    """Hold the first Ctrl-C or polite kill back, so that no step is cut in two; the second one strikes at once.

    Yields:
        Whether one is held back.
    """
    held = threading.Event()

    def hold(_number: int, _frame: object) -> None:
        let_strike()
        held.set()

    def let_strike() -> None:
        for number in ours:
            signal.signal(number, signal.default_int_handler)

    # Handlers can be set in the main thread alone, and one that is not Python's own belongs to somebody else.
    in_charge = threading.current_thread() is threading.main_thread()
    kinds = (signal.SIGINT, signal.SIGTERM) if in_charge else ()
    ours = [number for number in kinds if signal.getsignal(number) is signal.default_int_handler]
    for number in ours:
        signal.signal(number, hold)
    try:
        yield held.is_set
    finally:
        let_strike()


def take_step(state: State, step: Step, job: Job) -> float:
    """Take one optimiser step and return its loss in nats.

    Raises:
        RecipeError: The loss is no number; the weights are left as they were.
    """
    recipe = job.recipe
    seed = recipe.seed * 1_000_003 + step.number
    torch.manual_seed(seed)  # dropout and stochastic depth draw from the global generator
    scores = score_epochs(state.history, recipe.measure)
    rate = rate_at(step.number, total=job.steps, optimiser=recipe.optimiser, epoch=step.epoch, scores=scores)
    rate *= step.stage.rate_scale
    for group in state.optimiser.param_groups:
        group["lr"] = rate * step.stage.layer_decay ** group.get("depth", 0)
    prepare_stage(state.network, step.stage.trainable)
    logits, targets = answer_batch(state.network, step, job, generator=torch.Generator().manual_seed(seed))
    loss = balanced_loss(logits, targets, log_prior=job.log_prior, recipe=recipe.loss)
    value = float(loss.detach())
    if not math.isfinite(value):
        raise describe_divergence(step, f"the loss is {value}")
    state.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    if recipe.optimiser.clip_norm:
        nn.utils.clip_grad_norm_(state.network.parameters(), recipe.optimiser.clip_norm)
    state.optimiser.step()
    if state.average is not None:
        state.average.update_parameters(state.network)
    state.step = step.number + 1
    state.losses.append(value)
    return value


def answer_batch(network: Classifier, step: Step, job: Job, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return logits float32 B×K and class shares float32 B×K of a step's pictures."""
    device = job.log_prior.device
    if step.stage.features == "computed":
        pixels, targets = draw_batch(step, job, generator=generator)
        with torch.autocast(device.type, torch.bfloat16, enabled=job.precision == "bf16"):
            if job.recipe.adversarial.method != "none":
                loss = partial(balanced_loss, targets=targets, log_prior=job.log_prior, recipe=job.recipe.loss)
                pixels = attack_batch(network, pixels, loss, job.recipe.adversarial, generator)
            return network(pixels.to(memory_format=torch.channels_last)).float(), targets
    stage = step.stage
    cached = job.features.find(network, job.train, stage=stage, size_px=step.size_px, views=stage.cached_views)
    views = torch.randint(stage.cached_views, (len(step.positions),), generator=generator).numpy()
    targets = functional.one_hot(torch.from_numpy(job.train.labels[step.positions]), len(job.log_prior)).float()
    with torch.autocast(device.type, torch.bfloat16, enabled=job.precision == "bf16"):
        logits = network.answer(torch.from_numpy(cached[step.positions, views]).to(device))
    return logits.float(), targets.to(device)


def draw_batch(step: Step, job: Job, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return a step's augmented pictures float32 B×3×H×W in 0..1 and class shares float32 B×K."""
    recipe, device = job.recipe.augmentation, job.log_prior.device
    images, labels = job.train.batch(step.positions)
    pixels = augment_batch(images.to(device), recipe, size_px=step.size_px, generator=generator)
    targets = functional.one_hot(labels, len(job.log_prior)).float().to(device)
    return mix_batch(pixels, targets, recipe, generator=generator)


def check_weights(state: State, step: Step) -> None:
    """Check that the weights are numbers, since a checkpoint must be one to continue from.

    Raises:
        RecipeError: They are not.
    """
    if not all(bool(weight.isfinite().all()) for weight in state.network.parameters()):
        raise describe_divergence(step, "the weights are no numbers any more")


def describe_divergence(step: Step, what: str) -> DivergenceError:
    """Return the error of a run whose numbers have left the range of floats."""
    return DivergenceError(f"Expected training to converge; at step {step.number + 1} (epoch {step.epoch + 1}) {what}.")


@contextmanager
def advise_divergence(recipe: Recipe, folder: Path) -> Iterator[None]:
    """Say what to do about a run that has diverged, and what is left of it.

    Raises:
        DivergenceError: It has.
    """
    try:
        yield
    except DivergenceError as error:
        kept = bool(list_checkpoints(folder))
        raise DivergenceError(
            f"{error} Lower the rate, for example --set optimiser.rate={recipe.optimiser.rate / 3:.2g}, or limit the "
            "gradient with --set optimiser.clip_norm=1"
            + (
                ", and start in another run folder with --run. The last good checkpoint is kept in this one."
                if kept
                else ". Nothing was saved yet, so the run folder may be used again."
            )
        ) from error


def end_epoch(state: State, step: Step, job: Job) -> None:
    """Measure the answering network on the calibration split and add a row to the history.

    Raises:
        RecipeError: Its logits are no numbers.
    """
    started = time.perf_counter()
    recipe = job.recipe
    answering = state.answering().eval()
    logits = answer_calibration(answering, state.network, step, job)
    if not np.isfinite(logits).all():
        raise describe_divergence(step, "the logits of calibration pictures are no numbers")
    log_prior = job.log_prior.cpu().numpy()
    if recipe.loss.balance == "none":
        logits -= log_prior  # as the exported graph does
    ordered = find_task(recipe.task).ordered
    measures = measure_logits(logits, job.calibration.labels, log_prior=log_prior, ordered=ordered)
    row = {
        "epoch": step.epoch + 1,
        "step": state.step,
        "size_px": max(step.size_px),
        "rate": state.optimiser.param_groups[0]["lr"],
        "loss": float(np.mean(state.losses)),
        **measures,
        "seconds": round(state.seconds + time.perf_counter() - started, 3),
    }
    if is_best(score_epochs([*state.history, row], recipe.measure)):
        state.best = {key: value.clone() for key, value in answering.state_dict().items()}
    state.history.append(row)
    state.losses, state.seconds = [], 0.0


def answer_calibration(answering: Classifier, learning: Classifier, step: Step, job: Job) -> NDArray[np.float32]:
    """Return float32 N×K, what the answering network says of the calibration split at the export's size.

    Cached features serve where they are its own: a moving average may still lag behind an earlier stage's backbone.
    """
    device, size_px = job.log_prior.device, read_size(job.recipe.export.input_size_px)
    if step.stage.features == "computed" or not have_same_backbone(answering, learning):
        return predict_logits(answering, job.calibration, size_px=size_px, device=device, precision=job.precision)
    cached = job.features.find(learning, job.calibration, stage=step.stage, size_px=size_px)
    with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=job.precision == "bf16"):
        return answering.answer(torch.from_numpy(np.array(cached[:, 0])).to(device)).float().cpu().numpy()

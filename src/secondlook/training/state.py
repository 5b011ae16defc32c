"""What a training run carries from step to step, and how a checkpoint holds it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from secondlook.training.layers import measure_depths
from secondlook.training.recipe import Recipe
from secondlook.training.sections import Optimiser
from secondlook.training.zoo import build_network
from secondlook.training.zoo.classifier import Classifier, Colours


@dataclass
class State:
    """Everything that a checkpoint holds."""

    network: Classifier
    average: AveragedModel | None
    optimiser: torch.optim.Optimizer
    step: int = 0
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0  # spent in the epoch under way
    history: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, Tensor] | None = None

    def answering(self) -> Classifier:
        """Return the network that answers: the moving average where there is one."""
        if self.average is None:
            return self.network
        averaged: Any = self.average.module
        network: Classifier = averaged
        return network

    def pack(self) -> dict[str, Any]:
        """Return the state as tensors and plain values."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict() if self.average is not None else None,
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "losses": self.losses,
            "seconds": self.seconds,
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
        self.seconds = packed.get("seconds", 0.0)  # absent from checkpoints of version 0.1
        self.best = packed["best"]


def start_state(
    recipe: Recipe,
    *,
    classes: int,
    device: torch.device,
    packed: dict[str, Any] | None,
    colours: Colours | None = None,
) -> State:
    """Return the state of a run that begins, or that of a checkpoint.

    Args:
        recipe: What to train.
        classes: Number of classes.
        device: Where to compute.
        packed: The checkpoint, or None to begin; with one, starting weights are not fetched again.
        colours: Mean and deviation of the training pictures, where the recipe standardises by them and begins.

    Raises:
        RecipeError: The network's name is unknown, or its weights cannot be had.
    """
    built = build_network(recipe, classes=classes, fresh=packed is not None)
    if colours is not None:
        built.standardise_by(colours)
    network = built.to(device).to(memory_format=torch.channels_last)
    depths = measure_depths(network) if any(stage.layer_decay < 1 for stage in recipe.stages) else {}
    optimiser = build_optimiser(network, recipe.optimiser, depths=depths)
    state = State(network, average_weights(network, recipe.optimiser), optimiser)
    if packed is not None:
        state.unpack(packed)
    return state


def average_weights(network: nn.Module, recipe: Optimiser) -> AveragedModel | None:
    """Return an exponential moving average of weights and buffers, or None where the recipe wants none."""
    if not recipe.ema_decay:
        return None
    return AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema_decay), use_buffers=True)


def build_optimiser(
    network: nn.Module, recipe: Optimiser, *, depths: Mapping[str, int] | None = None
) -> torch.optim.Optimizer:
    """Return the recipe's optimiser; biases and normalisation weights are not decayed.

    Args:
        network: Its weights are grouped.
        recipe: Which optimiser.
        depths: By weight, how many layers stand between its own and the head; groups carry theirs as ``depth``.
    """
    groups: list[dict[str, Any]] = []
    for depth in sorted(set((depths or {}).values())) or [0]:
        own = [weight for name, weight in network.named_parameters() if not depths or depths[name] == depth]
        decayed, plain = [weight for weight in own if weight.ndim > 1], [weight for weight in own if weight.ndim <= 1]
        groups.append({"params": decayed, "weight_decay": recipe.weight_decay, "depth": depth})
        groups.append({"params": plain, "weight_decay": 0.0, "depth": depth})
    if recipe.name == "sgd":
        return torch.optim.SGD(groups, lr=recipe.rate, momentum=0.9, nesterov=True)
    if recipe.name == "rmsprop":
        return torch.optim.RMSprop(groups, lr=recipe.rate)
    if recipe.name == "adam":
        return torch.optim.Adam(groups, lr=recipe.rate)
    return torch.optim.AdamW(groups, lr=recipe.rate)

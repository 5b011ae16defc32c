"""Craft attacked pictures with the Adversarial Robustness Toolbox (Nicolae et al. 2018, doi 10.48550/arXiv.1807.01069).

Every attack may change each value of each pixel by the same most, its strength, in levels of 0…255.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from art.attacks.attack import EvasionAttack
from art.attacks.evasion import (
    AutoAttack,
    AutoProjectedGradientDescent,
    FastGradientMethod,
    ProjectedGradientDescent,
    SquareAttack,
)
from art.estimators.classification import PyTorchClassifier
from numpy.typing import NDArray
from torch import Tensor, nn

Method = Literal["fgsm", "pgd", "autoattack"]
Floats = NDArray[np.float32]

METHODS: dict[Method, str] = {"fgsm": "FGSM", "pgd": "PGD", "autoattack": "AutoAttack"}
WHITE = 255
BATCH = 16
FEWEST_OF_RATIO = 3  # the difference-of-logits ratio looks at the third best label


@dataclass(frozen=True, slots=True)
class Budget:
    """How much an attacker computes for each picture.

    Attributes:
        steps: Gradient steps of PGD.
        iterations: Gradient steps of each of AutoAttack's two gradient attacks.
        restarts: How often these start anew.
        queries: Answers that AutoAttack's gradient-free attack may ask for.
    """

    steps: int
    iterations: int
    restarts: int
    queries: int


QUICK = Budget(steps=20, iterations=30, restarts=1, queries=300)
FULL = Budget(steps=100, iterations=100, restarts=5, queries=5000)  # as AutoAttack's authors have it


class Shifted(nn.Module):
    """A network whose logits take all labels for equally likely, as the exported graph's do."""

    shift: Tensor

    def __init__(self, network: nn.Module, shift: NDArray[np.float32]) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("shift", torch.from_numpy(shift))

    def forward(self, pixels: Tensor) -> Tensor:
        """Return logits N×K of pictures float32 N×3×H×W in 0..1."""
        logits: Tensor = self.network(pixels) + self.shift
        return logits


def wrap_network(network: nn.Module, *, size_px: tuple[int, int], classes: int) -> PyTorchClassifier:
    """Return a network, from pictures in 0..1 to logits, as the toolbox takes it."""
    device = next(network.parameters()).device.type
    return PyTorchClassifier(
        network.eval(),
        loss=nn.CrossEntropyLoss(),
        input_shape=(3, *size_px),
        nb_classes=classes,
        clip_values=(0.0, 1.0),
        device_type="gpu" if device == "cuda" else "cpu",
    )


def craft_pictures(
    classifier: PyTorchClassifier,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    *,
    method: Method,
    strength: float,
    budget: Budget,
    seed: int,
) -> Floats:
    """Return pictures changed so that the network no longer names their true labels, as far as the strength allows.

    Args:
        classifier: The network, see :func:`wrap_network`.
        images: uint8 N×H×W×3, RGB, of the network's input size.
        labels: int64 N, the true labels' numbers.
        method: Fast gradient sign (Goodfellow et al. 2015, doi 10.48550/arXiv.1412.6572), projected gradient descent
            (Madry et al. 2018, doi 10.48550/arXiv.1706.06083), or AutoAttack (Croce and Hein 2020,
            doi 10.48550/arXiv.2003.01690), which keeps the best of several.
        strength: Largest change of a value, in levels of 0…255.
        budget: How much is computed for each picture.
        seed: Seed of the random starts.

    Returns:
        float32 N×3×H×W in 0..1, not rounded to levels.
    """
    np.random.seed(seed)  # noqa: NPY002 - the toolbox draws from NumPy's global generator
    torch.manual_seed(seed)
    pixels = to_planes(images)
    attack = ATTACKS[method](classifier, strength / WHITE, budget)
    changed: Floats = attack.generate(x=pixels, y=np.eye(classifier.nb_classes, dtype=np.float32)[labels])
    # The gradient-free attack keeps its own rounding; nobody may change more than the strength says.
    low, high = np.maximum(pixels - strength / WHITE, 0), np.minimum(pixels + strength / WHITE, 1)
    return np.asarray(np.clip(changed, low, high), dtype=np.float32)


def to_planes(images: NDArray[np.uint8]) -> Floats:
    """Return uint8 N×H×W×3 as float32 N×3×H×W in 0..1."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32) / np.float32(WHITE)


def to_levels(pixels: Floats) -> NDArray[np.uint8]:
    """Return float32 N×3×H×W in 0..1 as a file holds it: uint8 N×H×W×3, rounded."""
    return np.rint(pixels.transpose(0, 2, 3, 1) * WHITE).astype(np.uint8)


def build_fgsm(classifier: PyTorchClassifier, most: float, budget: Budget) -> EvasionAttack:
    """Return one step along the gradient's sign."""
    del budget
    return FastGradientMethod(classifier, eps=most, batch_size=BATCH)


def build_pgd(classifier: PyTorchClassifier, most: float, budget: Budget) -> EvasionAttack:
    """Return many small steps from a random start."""
    return ProjectedGradientDescent(
        classifier,
        eps=most,
        eps_step=2.5 * most / budget.steps,
        max_iter=budget.steps,
        num_random_init=1,
        batch_size=BATCH,
        verbose=False,
    )


def build_autoattack(classifier: PyTorchClassifier, most: float, budget: Budget) -> EvasionAttack:
    """Return gradient attacks with two losses and one attack without gradients, each on what withstood the others.

    DeepFool, which stands in for FAB in the toolbox, is left out: it does not keep to a largest change.
    """
    losses = ["cross_entropy", "difference_logits_ratio"][: 2 if classifier.nb_classes >= FEWEST_OF_RATIO else 1]
    attacks: list[EvasionAttack] = [
        AutoProjectedGradientDescent(
            classifier,
            norm=np.inf,
            eps=most,
            eps_step=2 * most,
            max_iter=budget.iterations,
            nb_random_init=budget.restarts,
            batch_size=BATCH,
            loss_type=loss,
            verbose=False,
        )
        for loss in losses
    ]
    attacks.append(
        SquareAttack(
            classifier,
            norm=np.inf,
            eps=most,
            max_iter=budget.queries,
            nb_restarts=1,
            p_init=0.8,
            batch_size=BATCH,
            verbose=False,
        )
    )
    return AutoAttack(classifier, norm=np.inf, eps=most, eps_step=2 * most, attacks=attacks, batch_size=BATCH)


ATTACKS: dict[Method, Callable[[PyTorchClassifier, float, Budget], EvasionAttack]] = {
    "fgsm": build_fgsm,
    "pgd": build_pgd,
    "autoattack": build_autoattack,
}

"""What a network in training gives on the calibration split; the figures that count are the evaluation room's."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from secondlook.evaluation.metrics import (
    compute_accuracy,
    compute_auc,
    compute_confusion,
    compute_kappa,
    compute_macro,
    compute_rates,
)
from secondlook.training.dataset import Pictures

EVALUATION_BATCH = 128


@torch.no_grad()
def predict_logits(
    network: nn.Module, pictures: Pictures, *, size_px: tuple[int, int], device: torch.device, precision: str
) -> NDArray[np.float32]:
    """Return float32 N×K logits of a split, each picture resized to height and width ``size_px``."""
    rows = []
    for start in range(0, len(pictures), EVALUATION_BATCH):
        positions = np.arange(start, min(start + EVALUATION_BATCH, len(pictures)))
        pixels = load_pixels(pictures, positions, size_px=size_px, device=device)
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            rows.append(network(pixels).float().cpu().numpy())
    return np.concatenate(rows)


def load_pixels(
    pictures: Pictures, positions: NDArray[np.int64], *, size_px: tuple[int, int], device: torch.device
) -> Tensor:
    """Return float32 B×3×H×W in 0..1 of pictures as they are, resized."""
    images, _ = pictures.batch(positions)
    pixels = images.to(device).permute(0, 3, 1, 2).float().div_(255)
    if pixels.shape[-2:] != size_px:
        pixels = functional.interpolate(pixels, size=size_px, mode="bicubic", antialias=True).clamp_(0, 1)
    return pixels.to(memory_format=torch.channels_last)


def measure_logits(
    logits: NDArray[np.float32], labels: NDArray[np.int64], *, log_prior: NDArray[np.float32], ordered: bool = False
) -> dict[str, float]:
    """Return what the history says of an epoch: the recipe's measures, on the calibration split.

    Negative log-likelihood and macro AUC (one against the rest) are of the probabilities; accuracies and kappas are of
    the named label, which takes all classes for equally frequent.

    Args:
        logits: float32 N×K, finite, of evenly frequent classes.
        labels: int64 N, class numbers.
        log_prior: float32 K, log class shares.
        ordered: Whether the classes are grades; these get a quadratic kappa.
    """
    classes = logits.shape[1]
    scores = logits + log_prior
    scores = scores - scores.max(axis=1, keepdims=True)
    log_probabilities = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    counts = np.bincount(labels, minlength=classes)
    areas = np.stack([compute_auc(labels == label, log_probabilities[:, label]) for label in range(classes)])
    confusion = compute_confusion(labels, logits.argmax(axis=1), classes=classes)
    measures = {
        "calibration_nll": -log_probabilities[np.arange(len(labels)), labels].mean(),
        "calibration_balanced_accuracy": compute_macro(compute_rates(confusion)["sensitivity"], counts > 0),
        "calibration_auc": compute_macro(areas, (counts > 0) & (counts < len(labels))),
        "calibration_accuracy": compute_accuracy(confusion),
        "calibration_kappa": compute_kappa(confusion),
    }
    if ordered:
        measures["calibration_quadratic_kappa"] = compute_kappa(confusion, quadratic=True)
    return {name: float(value) for name, value in measures.items()}

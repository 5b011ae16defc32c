"""What a network in training gives on the calibration split; the figures that count are the evaluation room's."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from secondlook.evaluation.metrics import compute_auc, compute_confusion, compute_macro, compute_rates
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
        images, _ = pictures.batch(positions)
        pixels = images.to(device).permute(0, 3, 1, 2).float().div_(255)
        if pixels.shape[-2:] != size_px:
            pixels = functional.interpolate(pixels, size=size_px, mode="bicubic", antialias=True).clamp_(0, 1)
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            rows.append(network(pixels.to(memory_format=torch.channels_last)).float().cpu().numpy())
    return np.concatenate(rows)


def measure_logits(
    logits: NDArray[np.float32], labels: NDArray[np.int64], *, log_prior: NDArray[np.float32]
) -> dict[str, float]:
    """Return negative log-likelihood, balanced accuracy and macro AUC (one against the rest).

    Args:
        logits: float32 N×K, finite, of evenly frequent classes.
        labels: int64 N, class numbers.
        log_prior: float32 K, log class shares.
    """
    classes = logits.shape[1]
    scores = logits + log_prior
    scores = scores - scores.max(axis=1, keepdims=True)
    log_probabilities = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    counts = np.bincount(labels, minlength=classes)
    areas = np.stack([compute_auc(labels == label, log_probabilities[:, label]) for label in range(classes)])
    sensitivities = compute_rates(compute_confusion(labels, logits.argmax(axis=1), classes=classes))["sensitivity"]
    return {
        "calibration_nll": float(-log_probabilities[np.arange(len(labels)), labels].mean()),
        "calibration_balanced_accuracy": float(compute_macro(sensitivities, counts > 0)),
        "calibration_auc": float(compute_macro(areas, (counts > 0) & (counts < len(labels)))),
    }

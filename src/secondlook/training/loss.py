"""Losses, and the class shares that balance them."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from secondlook.training.recipe import Loss


def count_prior(labels: NDArray[np.int64], classes: int) -> NDArray[np.float32]:
    """Return the log share of every class among the labels.

    Args:
        labels: int64 N, class numbers.
        classes: Number of classes; each must occur.

    Returns:
        float32 K, log of each class's share.
    """
    counts = np.bincount(labels, minlength=classes).astype(np.float64)
    log_shares: NDArray[np.float32] = np.log(counts / counts.sum()).astype(np.float32)
    return log_shares


def balanced_loss(logits: Tensor, targets: Tensor, *, log_prior: Tensor, recipe: Loss) -> Tensor:
    """Return the mean cross-entropy under the recipe's balance.

    ``logit_adjustment`` adds the log class shares to the logits in training, so that the logits themselves are
    those of evenly frequent classes (Menon et al. 2021, arXiv 2007.07314).

    Args:
        logits: float32 N×K.
        targets: float32 N×K, class shares that sum to one per row.
        log_prior: float32 K, log share of each class in training.
        recipe: Balance and label smoothing.

    Returns:
        float32 scalar, in nats.
    """
    classes = logits.shape[1]
    smooth = targets * (1 - recipe.label_smoothing) + recipe.label_smoothing / classes
    if recipe.balance == "logit_adjustment":
        logits = logits + log_prior
    losses = -(smooth * functional.log_softmax(logits, dim=1)).sum(dim=1)
    if recipe.balance == "weights":
        weights = targets @ torch.exp(-log_prior) / classes
        return (losses * weights).sum() / weights.sum()
    return losses.mean()

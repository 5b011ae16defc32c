"""Losses, and the class shares that balance them."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from secondlook.training.sections import Loss


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
    """Return the mean of the recipe's loss under its balance.

    ``logit_adjustment`` adds the log class shares to the logits in training, so that the logits themselves are
    those of evenly frequent classes (Menon et al. 2021, arXiv 2007.07314).

    Args:
        logits: float32 N×K.
        targets: float32 N×K, class shares that sum to one per row.
        log_prior: float32 K, log share of each class in training.
        recipe: Which loss, balance and label smoothing.

    Returns:
        float32 scalar, in nats.
    """
    classes = logits.shape[1]
    smooth = targets * (1 - recipe.label_smoothing) + recipe.label_smoothing / classes
    if recipe.balance == "logit_adjustment":
        logits = logits + log_prior
    losses = compute_losses(logits, smooth, recipe)
    if recipe.balance == "weights":
        weights = targets @ torch.exp(-log_prior) / classes
        return (losses * weights).sum() / weights.sum()
    return losses.mean()


def compute_losses(logits: Tensor, targets: Tensor, recipe: Loss) -> Tensor:
    """Return the recipe's loss of every row; all of them judge the softmax of the logits, as a bundle serves it.

    ``binary`` is the cross-entropy of each class against all others, averaged over the classes; with two classes it
    equals the plain one. ``focal`` weighs each term by (1 − p)^gamma (Lin et al. 2017, doi 10.1109/ICCV.2017.324).
    ``ordinal`` adds the squared earth mover's distance between grades, Σ (cumulated p − cumulated target)²
    (Hou et al. 2016, arXiv 1611.05916), times ``order_weight``.

    Args:
        logits: float32 N×K.
        targets: float32 N×K, class shares that sum to one per row.
        recipe: Which loss, with its numbers.

    Returns:
        float32 N.
    """
    log_shares = functional.log_softmax(logits, dim=1)
    if recipe.name == "binary":
        others = logits[:, None, :].masked_fill(torch.eye(logits.shape[1], device=logits.device) > 0, -torch.inf)
        log_rest = torch.logsumexp(others, dim=2) - torch.logsumexp(logits, dim=1, keepdim=True)
        return -(targets * log_shares + (1 - targets) * log_rest).mean(dim=1)
    if recipe.name == "focal":
        return -(targets * (1 - log_shares.exp()).clamp(min=1e-6) ** recipe.gamma * log_shares).sum(dim=1)
    losses = -(targets * log_shares).sum(dim=1)
    if recipe.name == "ordinal":
        distance = (log_shares.exp() - targets).cumsum(dim=1)
        losses = losses + recipe.order_weight * distance.square().sum(dim=1)
    return losses

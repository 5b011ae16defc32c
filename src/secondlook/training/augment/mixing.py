"""Pictures made of two, with targets of two."""

import math

import torch
from torch import Tensor

from secondlook.training.sections import Augmentation


def mix_batch(
    pixels: Tensor, targets: Tensor, recipe: Augmentation, *, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Mix a batch as the recipe says; where it wants both mixup and cutmix, a coin decides for the batch.

    Args:
        pixels: float32 N×3×H×W.
        targets: float32 N×K, class shares.
        recipe: Which, and how strongly.
        generator: Source of the random numbers.

    Returns:
        Pictures and targets, shapes unchanged.
    """
    cut = recipe.cutmix > 0
    if cut and recipe.mixup:
        cut = float(torch.rand((), generator=generator)) < 0.5
    if cut:
        return cut_pictures(pixels, targets, alpha=recipe.cutmix, generator=generator)
    if recipe.mixup:
        return mix_pictures(pixels, targets, alpha=recipe.mixup, generator=generator)
    return pixels, targets


def mix_pictures(pixels: Tensor, targets: Tensor, *, alpha: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Blend every picture and its target with another's (mixup; Zhang et al. 2018, arXiv 1710.09412).

    Args:
        pixels: float32 N×3×H×W.
        targets: float32 N×K, class shares.
        alpha: Of the symmetric Beta distribution of the blend's weight.
        generator: Source of the random numbers.

    Returns:
        Both blended, shapes unchanged.
    """
    weight = draw_weight(alpha, generator)
    partner = torch.randperm(len(pixels), generator=generator).to(pixels.device)
    return torch.lerp(pixels[partner], pixels, weight), torch.lerp(targets[partner], targets, weight)


def cut_pictures(pixels: Tensor, targets: Tensor, *, alpha: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Put a rectangle of another picture into every picture (cutmix; Yun et al. 2019, doi 10.1109/ICCV.2019.00612).

    The rectangle has the picture's proportions; its place is drawn for each picture, and what the border leaves of it
    is the other's share of the target.

    Args:
        pixels: float32 N×3×H×W.
        targets: float32 N×K, class shares.
        alpha: Of the symmetric Beta distribution of the picture's own share.
        generator: Source of the random numbers.

    Returns:
        Both mixed, shapes unchanged.
    """
    count, _, height, width = pixels.shape
    half = math.sqrt(1 - draw_weight(alpha, generator)) / 2
    partner = torch.randperm(count, generator=generator).to(pixels.device)
    centre = torch.rand(count, 2, 1, generator=generator)
    inside_rows = ((torch.arange(height) + 0.5) / height - centre[:, 0]).abs() < half
    inside_columns = ((torch.arange(width) + 0.5) / width - centre[:, 1]).abs() < half
    mask = (inside_rows[:, :, None] & inside_columns[:, None, :])[:, None]
    own = 1 - mask.float().mean(dim=(1, 2, 3)).to(targets.device)[:, None]
    mixed = torch.where(mask.to(pixels.device), pixels[partner], pixels)
    return mixed, targets[partner] + own * (targets - targets[partner])


def draw_weight(alpha: float, generator: torch.Generator) -> float:
    """Draw the larger one of two shares whose distribution is Beta(alpha, alpha)."""
    # Beta(a, a) from two Gamma draws has no generator argument in torch; Jöhnk's method needs uniforms alone.
    while True:
        x, y = (float(u) ** (1 / alpha) for u in torch.rand(2, generator=generator))
        if 0 < x + y <= 1:
            return float(max(x, y) / (x + y))

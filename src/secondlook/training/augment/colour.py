"""Light, colour, sharpness and grey scale of whole batches, and rectangles that hide a part."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from secondlook.training.sections import Augmentation


def shift_colour(pixels: Tensor, recipe: Augmentation, generator: torch.Generator) -> Tensor:
    """Change brightness, contrast, saturation, white balance and gamma of each picture by its own amounts.

    Args:
        pixels: float32 N×3×H×W in 0..1.
        recipe: How far each may go.
        generator: Source of the random numbers.

    Returns:
        float32 N×3×H×W, not clamped.
    """
    draw = (2 * torch.rand(len(pixels), 7, 1, 1, generator=generator) - 1).to(pixels.device)
    low, high = recipe.brightness
    gain = (high + low) / 2 + (high - low) / 2 * draw[:, 0:1] + recipe.white_balance * draw[:, 1:4]
    pixels = pixels * gain
    if recipe.contrast:
        mean = pixels.mean(dim=(1, 2, 3), keepdim=True)
        pixels = mean + (pixels - mean) * (1 + recipe.contrast * draw[:, 4:5])
    if recipe.saturation:
        grey = pixels.mean(dim=1, keepdim=True)
        pixels = grey + (pixels - grey) * (1 + recipe.saturation * draw[:, 5:6])
    if recipe.gamma > 1:
        pixels = pixels.clamp(1e-4, 1) ** torch.exp(draw[:, 6:7] * math.log(recipe.gamma))
    return pixels


def shift_window(pixels: Tensor, reach: float, generator: torch.Generator) -> Tensor:
    """Look at each picture through another intensity window, as another reader of an X-ray would set it.

    The window's width is drawn from 1 ± reach and its centre from 0.5 ± reach / 2; what lies outside is black or white.

    Args:
        pixels: float32 N×3×H×W; 0..1 is the window that the file was written with.
        reach: Largest change, below 1.
        generator: Source of the random numbers.

    Returns:
        float32 N×3×H×W in 0..1.
    """
    draw = (2 * torch.rand(len(pixels), 2, 1, 1, generator=generator) - 1).to(pixels.device)
    width, centre = 1 + reach * draw[:, 0:1], 0.5 + reach / 2 * draw[:, 1:2]
    return ((pixels - centre) / width + 0.5).clamp_(0, 1)


def lose_resolution(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Scale a batch down by up to two and up again, as a soft camera or a small file does."""
    factor = 0.5 + 0.45 * float(torch.rand((), generator=generator))
    side = max(8, round(pixels.shape[-1] * factor))
    small = functional.interpolate(pixels, size=(side, side), mode="bilinear", align_corners=False, antialias=True)
    return functional.interpolate(small, size=pixels.shape[-2:], mode="bilinear", align_corners=False)


def add_noise(pixels: Tensor, limit: float, generator: torch.Generator) -> Tensor:
    """Add noise whose standard deviation is drawn for each picture, up to a limit."""
    spread = torch.rand(len(pixels), 1, 1, 1, generator=generator) * limit
    return pixels + (torch.randn(pixels.shape, generator=generator) * spread).to(pixels.device)


def erase_rectangles(pixels: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Grey out one rectangle in a share of the pictures (Zhong et al. 2020, doi 10.1609/aaai.v34i07.7000)."""
    count, _, height, width = pixels.shape
    draw = torch.rand(count, 5, generator=generator)
    sides = 0.1 + 0.3 * draw[:, 1:3]
    corner = draw[:, 3:5] * (1 - sides)
    rows, columns = torch.arange(height) / height, torch.arange(width) / width
    inside_rows = (rows >= corner[:, 0:1]) & (rows < corner[:, 0:1] + sides[:, 0:1])
    inside_columns = (columns >= corner[:, 1:2]) & (columns < corner[:, 1:2] + sides[:, 1:2])
    chosen = (draw[:, 0] < share)[:, None, None]
    mask = (inside_rows[:, :, None] & inside_columns[:, None, :] & chosen)[:, None].to(pixels.device)
    return torch.where(mask, pixels.mean(dim=(1, 2, 3), keepdim=True), pixels)

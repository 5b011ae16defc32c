"""RandAugment on whole batches: a few changes per picture, drawn from fourteen, all of one strength.

Cubuk, Zoph, Shlens and Le 2020, "RandAugment: Practical automated data augmentation with a reduced search space",
doi 10.1109/CVPRW50498.2020.00359. Its fourteen operations; as there, the strength is fixed and only the sense (left or
right, more or less) is drawn.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from secondlook.training.augment.affine import fit_aspect, resample
from secondlook.training.sections import RandAugment

LARGEST_TURN = torch.pi / 6
LARGEST_SHEAR = 0.3
LARGEST_SHIFT = 0.45  # as a share of the side
LARGEST_ENHANCEMENT = 0.9
MOST_BITS_LOST = 4
LEVELS = 256


def apply_randaugment(pixels: Tensor, recipe: RandAugment, generator: torch.Generator) -> Tensor:
    """Apply the recipe's number of changes to every picture, each drawn anew.

    Args:
        pixels: float32 N×3×H×W, RGB; what lies outside 0..1 is clamped.
        recipe: How many changes, and how strong.
        generator: Source of the random numbers.

    Returns:
        float32 N×3×H×W in 0..1.
    """
    pixels = pixels.clamp(0, 1)
    for _ in range(recipe.number):
        choice = torch.randint(len(CHANGES), (len(pixels),), generator=generator)
        sense = 2.0 * torch.randint(2, (len(pixels), 1, 1, 1), generator=generator) - 1
        amount = (sense * recipe.magnitude / 10).to(pixels.device)
        for number, change in enumerate(CHANGES):
            rows = (choice == number).nonzero()[:, 0].to(pixels.device)
            if len(rows):
                pixels = pixels.index_copy(0, rows, change(pixels[rows], amount[rows]).clamp(0, 1))
    return pixels


def keep(pixels: Tensor, _amount: Tensor) -> Tensor:
    """Change nothing."""
    return pixels


def turn(pixels: Tensor, amount: Tensor) -> Tensor:
    """Turn about the centre."""
    angle = amount[:, 0, 0, 0] * LARGEST_TURN
    zero = torch.zeros_like(angle)
    rows = [torch.cos(angle), -torch.sin(angle), zero, torch.sin(angle), torch.cos(angle), zero]
    return move(pixels, rows)


def shear_columns(pixels: Tensor, amount: Tensor) -> Tensor:
    """Slant upright lines."""
    slope = amount[:, 0, 0, 0] * LARGEST_SHEAR
    one, zero = torch.ones_like(slope), torch.zeros_like(slope)
    return move(pixels, [one, slope, zero, zero, one, zero])


def shear_rows(pixels: Tensor, amount: Tensor) -> Tensor:
    """Slant level lines."""
    slope = amount[:, 0, 0, 0] * LARGEST_SHEAR
    one, zero = torch.ones_like(slope), torch.zeros_like(slope)
    return move(pixels, [one, zero, zero, slope, one, zero])


def shift_columns(pixels: Tensor, amount: Tensor) -> Tensor:
    """Shift to the side."""
    way = amount[:, 0, 0, 0] * 2 * LARGEST_SHIFT
    one, zero = torch.ones_like(way), torch.zeros_like(way)
    return move(pixels, [one, zero, way, zero, one, zero])


def shift_rows(pixels: Tensor, amount: Tensor) -> Tensor:
    """Shift up or down."""
    way = amount[:, 0, 0, 0] * 2 * LARGEST_SHIFT
    one, zero = torch.ones_like(way), torch.zeros_like(way)
    return move(pixels, [one, zero, zero, zero, one, way])


def move(pixels: Tensor, entries: list[Tensor]) -> Tensor:
    """Resample through the matrices that these six entries per picture make, row by row."""
    size_px = (pixels.shape[-2], pixels.shape[-1])
    return resample(pixels, fit_aspect(torch.stack(entries, dim=1).view(-1, 2, 3), size_px), size_px)


def stretch_contrast(pixels: Tensor, _amount: Tensor) -> Tensor:
    """Let each channel's darkest value be 0 and its brightest 1."""
    low, high = pixels.amin(dim=(2, 3), keepdim=True), pixels.amax(dim=(2, 3), keepdim=True)
    return torch.where(high > low, (pixels - low) / (high - low).clamp(min=1e-6), pixels)


def equalise(pixels: Tensor, _amount: Tensor) -> Tensor:
    """Let the values of each channel be equally frequent."""
    values = (pixels * (LEVELS - 1)).round().long().flatten(2)
    counts = torch.zeros(*values.shape[:2], LEVELS, dtype=torch.long, device=pixels.device)
    counts = counts.scatter_add(2, values, torch.ones_like(values)).cumsum(dim=2).float()
    first = counts.gather(2, values.amin(dim=2, keepdim=True))
    table = (counts - first).clamp(min=0) / (values.shape[2] - first).clamp(min=1)
    return torch.where(first < values.shape[2], table.gather(2, values), pixels.flatten(2)).view_as(pixels)


def posterise(pixels: Tensor, amount: Tensor) -> Tensor:
    """Keep fewer bits of every value."""
    step = 2.0 ** (amount.abs() * MOST_BITS_LOST).round()
    return (pixels * (LEVELS - 1) / step).floor() * step / (LEVELS - 1)


def solarise(pixels: Tensor, amount: Tensor) -> Tensor:
    """Invert what is bright."""
    return torch.where(pixels > 1 - amount.abs(), 1 - pixels, pixels)


def brighten(pixels: Tensor, amount: Tensor) -> Tensor:
    """Change the brightness."""
    return pixels * (1 + amount * LARGEST_ENHANCEMENT)


def enhance_contrast(pixels: Tensor, amount: Tensor) -> Tensor:
    """Move values away from the picture's mean, or towards it."""
    return leave(pixels, pixels.mean(dim=(1, 2, 3), keepdim=True), amount)


def enhance_colour(pixels: Tensor, amount: Tensor) -> Tensor:
    """Move colours away from grey, or towards it."""
    return leave(pixels, pixels.mean(dim=1, keepdim=True), amount)


def sharpen(pixels: Tensor, amount: Tensor) -> Tensor:
    """Move values away from those of a smoothed picture, or towards them."""
    kernel = torch.ones(3, 1, 3, 3, device=pixels.device)
    kernel[:, :, 1, 1] = 5
    padded = functional.pad(pixels, (1, 1, 1, 1), mode="replicate")
    return leave(pixels, functional.conv2d(padded, kernel / 13, groups=3), amount)


def leave(pixels: Tensor, other: Tensor, amount: Tensor) -> Tensor:
    """Move values away from others by a share of their distance, or towards them."""
    return other + (pixels - other) * (1 + amount * LARGEST_ENHANCEMENT)


CHANGES: tuple[Callable[[Tensor, Tensor], Tensor], ...] = (
    keep,
    turn,
    shear_columns,
    shear_rows,
    shift_columns,
    shift_rows,
    stretch_contrast,
    equalise,
    posterise,
    solarise,
    brighten,
    enhance_contrast,
    enhance_colour,
    sharpen,
)

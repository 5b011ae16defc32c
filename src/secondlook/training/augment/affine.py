"""Flips, turns, zoom, stretch, shear and shift of whole batches, as one affine resampling."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from secondlook.training.sections import Augmentation


def move_pictures(
    pixels: Tensor, recipe: Augmentation, *, size_px: tuple[int, int], generator: torch.Generator
) -> Tensor:
    """Draw an affine change for every picture and resample it to a new size.

    Args:
        pixels: float32 N×3×H×W.
        recipe: How far each change may go.
        size_px: Height and width of the result in pixels.
        generator: Source of the random numbers.

    Returns:
        float32 N×3×height×width.
    """
    matrix = fit_aspect(draw_affine(len(pixels), recipe, generator), size_px)
    return resample(pixels, matrix.to(pixels.device), size_px)


def draw_affine(count: int, recipe: Augmentation, generator: torch.Generator) -> Tensor:
    """Draw one affine matrix per picture: flips, rotation, zoom, stretch, shear and shift.

    Returns:
        float32 N×2×3, from output to input coordinates in -1..1.
    """
    draw = torch.rand(count, 8, generator=generator)
    angle = (2 * draw[:, 0] - 1) * math.radians(recipe.rotation_degrees)
    low, high = (math.log(limit) for limit in recipe.zoom)
    scale = torch.exp(-(low + (high - low) * draw[:, 1]))
    stretch = torch.exp((2 * draw[:, 2] - 1) * math.log(recipe.stretch) / 2)
    shear = (2 * draw[:, 3] - 1) * recipe.shear
    flip_x = 1 - 2 * ((draw[:, 4] < 0.5) & recipe.flip_horizontal).float()
    flip_y = 1 - 2 * ((draw[:, 5] < 0.5) & recipe.flip_vertical).float()
    cosine, sine = torch.cos(angle), torch.sin(angle)
    along, across = scale * stretch, scale / stretch
    rows = torch.stack(
        [
            flip_x * along * cosine,
            flip_y * along * (shear * cosine - sine),
            (2 * draw[:, 6] - 1) * 2 * recipe.shift,
            flip_x * across * sine,
            flip_y * across * (shear * sine + cosine),
            (2 * draw[:, 7] - 1) * 2 * recipe.shift,
        ],
        dim=1,
    )
    return rows.view(count, 2, 3)


def fit_aspect(matrix: Tensor, size_px: tuple[int, int]) -> Tensor:
    """Return matrices that turn pictures of these proportions, both of whose axes run from -1 to 1, by true angles.

    Args:
        matrix: float32 N×2×3, for squares; changed in place.
        size_px: Height and width in pixels.
    """
    aspect = size_px[1] / size_px[0]
    matrix[:, 0, 1] /= aspect
    matrix[:, 1, 0] *= aspect
    return matrix


def resample(pixels: Tensor, matrix: Tensor, size_px: tuple[int, int]) -> Tensor:
    """Resample pictures through affine matrices; beyond the border they are mirrored.

    Args:
        pixels: float32 N×3×H×W.
        matrix: float32 N×2×3, from output to input coordinates in -1..1.
        size_px: Height and width of the result in pixels.

    Returns:
        float32 N×3×height×width.
    """
    grid = functional.affine_grid(matrix, [len(pixels), 3, *size_px], align_corners=False)
    return functional.grid_sample(pixels, grid, mode="bilinear", padding_mode="reflection", align_corners=False)

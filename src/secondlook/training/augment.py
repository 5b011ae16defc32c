"""Augmentation of whole batches: one affine resampling, then colour per picture, on whatever device holds them."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from secondlook.training.recipe import Augmentation


def augment_batch(
    images: Tensor, recipe: Augmentation, *, size_px: tuple[int, int], generator: torch.Generator
) -> Tensor:
    """Augment a batch.

    Args:
        images: uint8 N×H×W×3, RGB.
        recipe: What to change, and by how much.
        size_px: Height and width of the result in pixels.
        generator: Source of every random number (on the CPU, so that all devices see the same changes).

    Returns:
        float32 N×3×height×width in 0..1, RGB.
    """
    pixels = images.permute(0, 3, 1, 2).float().div_(255)
    matrix = draw_affine(len(images), recipe, generator)
    aspect = size_px[1] / size_px[0]  # a turn must stay a turn where both axes run from -1 to 1 over unequal lengths
    matrix[:, 0, 1] /= aspect
    matrix[:, 1, 0] *= aspect
    matrix = matrix.to(pixels.device)
    pixels = resample(pixels, matrix, size_px)
    pixels = shift_colour(pixels, recipe, generator)
    if recipe.blur and float(torch.rand((), generator=generator)) < recipe.blur:
        pixels = lose_resolution(pixels, generator)
    if recipe.noise:
        spread = torch.rand(len(pixels), 1, 1, 1, generator=generator) * recipe.noise
        pixels = pixels + (torch.randn(pixels.shape, generator=generator) * spread).to(pixels.device)
    if recipe.erase:
        pixels = erase_rectangles(pixels, recipe.erase, generator)
    return pixels.clamp_(0, 1)


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
    gain = 1 + recipe.brightness * draw[:, 0:1] + recipe.white_balance * draw[:, 1:4]
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


def lose_resolution(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Scale a batch down by up to two and up again, as a soft camera or a small file does."""
    factor = 0.5 + 0.45 * float(torch.rand((), generator=generator))
    side = max(8, round(pixels.shape[-1] * factor))
    small = functional.interpolate(pixels, size=(side, side), mode="bilinear", align_corners=False, antialias=True)
    return functional.interpolate(small, size=pixels.shape[-2:], mode="bilinear", align_corners=False)


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
    # Beta(a, a) from two Gamma draws has no generator argument in torch; Jöhnk's method needs uniforms alone.
    while True:
        x, y = (float(u) ** (1 / alpha) for u in torch.rand(2, generator=generator))
        if 0 < x + y <= 1:
            break
    weight = max(x, y) / (x + y)
    partner = torch.randperm(len(pixels), generator=generator).to(pixels.device)
    return torch.lerp(pixels[partner], pixels, weight), torch.lerp(targets[partner], targets, weight)

"""Augmentation of whole batches, the same on every device: one affine resampling, then artefacts, light and grain.

Every random number comes from a given generator, and one is drawn only for what the recipe turns on (two sets, for
places and for colours, are always drawn), so that a feature that is off changes nothing for the others.
"""

import torch
from torch import Tensor

from secondlook.training.augment.affine import move_pictures
from secondlook.training.augment.artefacts import draw_hairs, draw_rulers
from secondlook.training.augment.colour import (
    add_noise,
    erase_rectangles,
    lose_resolution,
    shift_colour,
    shift_window,
)
from secondlook.training.augment.randaugment import apply_randaugment
from secondlook.training.sections import Augmentation


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
    pixels = move_pictures(pixels, recipe, size_px=size_px, generator=generator)
    if recipe.hair:
        pixels = draw_hairs(pixels, recipe.hair, generator)
    if recipe.ruler:
        pixels = draw_rulers(pixels, recipe.ruler, generator)
    pixels = shift_colour(pixels, recipe, generator)
    if recipe.window:
        pixels = shift_window(pixels, recipe.window, generator)
    if recipe.randaugment.number:
        pixels = apply_randaugment(pixels, recipe.randaugment, generator)
    if recipe.blur and float(torch.rand((), generator=generator)) < recipe.blur:
        pixels = lose_resolution(pixels, generator)
    if recipe.noise:
        pixels = add_noise(pixels, recipe.noise, generator)
    if recipe.erase:
        pixels = erase_rectangles(pixels, recipe.erase, generator)
    return pixels.clamp_(0, 1)

"""Hairs and ruler marks drawn over pictures of skin, so that a network does not take them for a sign of disease."""

import torch
from torch import Tensor

MOST_HAIRS = 12
HAIR_WIDTH = (0.003, 0.012)  # as shares of the shorter side, like all lengths here
HAIR_LENGTH = (0.2, 0.9)
LARGEST_CURVATURE = 1.5
TICK_SPACING = (0.03, 0.1)
TICK_LENGTH = (0.025, 0.05)
TICK_WIDTH = (0.003, 0.008)
LARGEST_DEPTH = 0.25
LARGEST_TILT = 0.15


def draw_hairs(pixels: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Draw up to a dozen hairs, curved lines of one colour for each picture, over a share of the pictures.

    Args:
        pixels: float32 N×3×H×W in 0..1, RGB.
        share: Share of the pictures, 0..1.
        generator: Source of the random numbers.

    Returns:
        float32 N×3×H×W in 0..1.
    """
    chosen = choose_pictures(len(pixels), share, generator)
    count = 1 + torch.randint(MOST_HAIRS, (len(chosen), 1, 1), generator=generator)
    draw = torch.rand(len(chosen), MOST_HAIRS, 6, generator=generator).to(pixels.device)
    colour = draw_colour(len(chosen), generator).to(pixels.device)
    rows, columns, side = measure_places(pixels)
    cover = pixels.new_zeros(len(chosen), *pixels.shape[-2:])
    for number in range(MOST_HAIRS):
        right, down, turn, bend, length, width = draw[:, number, :, None, None].unbind(1)
        along, across = turn_places(rows - down * rows[-1], columns - right * columns[:, -1:], turn * torch.pi)
        slope = (2 * bend - 1) * 2 * LARGEST_CURVATURE * along
        distance = (across - slope * along / 2).abs() / (1 + slope**2).sqrt()  # to a parabola, to first order
        inside = cover_line(distance, scale_between(width, HAIR_WIDTH) / 2, side)
        inside = inside * cover_line(along.abs(), scale_between(length, HAIR_LENGTH) / 2, side)
        cover = torch.maximum(cover, inside * (number < count).to(pixels.device))
    return paint(pixels, chosen, cover, colour)


def draw_rulers(pixels: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Draw the ticks of a ruler along one side of a share of the pictures, every fifth one longer.

    Args:
        pixels: float32 N×3×H×W in 0..1, RGB.
        share: Share of the pictures, 0..1.
        generator: Source of the random numbers.

    Returns:
        float32 N×3×H×W in 0..1.
    """
    chosen = choose_pictures(len(pixels), share, generator)
    edge = torch.randint(4, (len(chosen), 1, 1), generator=generator)
    draw = torch.rand(len(chosen), 5, 1, 1, generator=generator).to(pixels.device)
    colour = draw_colour(len(chosen), generator).to(pixels.device)
    depth, tilt, spacing, length, width = draw.unbind(1)
    rows, columns, side = measure_places(pixels)
    angle = edge.to(pixels.device) * (torch.pi / 2) + (2 * tilt - 1) * LARGEST_TILT
    along, across = turn_places(rows - rows[-1] / 2, columns - columns[:, -1:] / 2, angle)
    across = across + 0.5 - depth * LARGEST_DEPTH
    spacing = scale_between(spacing, TICK_SPACING)
    number = (along / spacing).round()
    length = scale_between(length, TICK_LENGTH) * torch.where(number % 5 == 0, 1.8, 1.0)
    ticks = cover_line((along - number * spacing).abs(), scale_between(width, TICK_WIDTH) / 2, side)
    return paint(pixels, chosen, ticks * cover_line((across - length / 2).abs(), length / 2, side), colour)


def choose_pictures(count: int, share: float, generator: torch.Generator) -> Tensor:
    """Return int64 M: the numbers of a share of the pictures, drawn one by one."""
    return (torch.rand(count, generator=generator) < share).nonzero()[:, 0]


def draw_colour(count: int, generator: torch.Generator) -> Tensor:
    """Draw colours from black to dark brown, one in eight of them pale: float32 N×3×1×1 in 0..1."""
    draw = torch.rand(count, 2, 1, 1, generator=generator)
    dark = 0.3 * draw[:, :1] * torch.tensor([1.0, 0.75, 0.6]).view(1, 3, 1, 1)
    return torch.where(draw[:, 1:] < 1 / 8, 0.75 + 0.2 * draw[:, :1], dark)


def measure_places(pixels: Tensor) -> tuple[Tensor, Tensor, int]:
    """Return where rows (H×1) and columns (1×W) of pixels lie, in shares of the shorter side, and that side in px."""
    height, width = pixels.shape[-2:]
    side = min(height, width)
    rows, columns = (torch.arange(length, device=pixels.device) / side for length in (height, width))
    return rows[:, None], columns[None, :], side


def turn_places(rows: Tensor, columns: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
    """Return coordinates along and across a direction: float32 N×H×W each, for angles N×1×1."""
    cosine, sine = torch.cos(angle), torch.sin(angle)
    return columns * cosine + rows * sine, rows * cosine - columns * sine


def scale_between(draw: Tensor, limits: tuple[float, float]) -> Tensor:
    """Return numbers between two limits for draws in 0..1."""
    return limits[0] + (limits[1] - limits[0]) * draw


def cover_line(distance: Tensor, half: Tensor, side: int) -> Tensor:
    """Return how much of each pixel lies within ``half`` of a line, 0..1, for its distance in shares of the side."""
    width_px = 2 * half * side
    return (width_px.clamp(min=1) / 2 + 0.5 - distance * side).clamp(0, 1) * width_px.clamp(max=1)


def paint(pixels: Tensor, chosen: Tensor, cover: Tensor, colour: Tensor) -> Tensor:
    """Return the pictures with a colour (M×3×1×1) laid over the chosen ones as far as it covers (M×H×W in 0..1)."""
    chosen = chosen.to(pixels.device)
    return pixels.index_copy(0, chosen, torch.lerp(pixels[chosen], colour, cover[:, None]))

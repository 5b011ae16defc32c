"""The pieces that scratch networks are built of."""

import math

from torch import nn


def convolve(inputs: int, outputs: int) -> list[nn.Module]:
    """Return a 3×3 convolution that keeps height and width, and its ReLU."""
    return [nn.Conv2d(inputs, outputs, kernel_size=3, padding=1), nn.ReLU()]


def connect(inputs: int, outputs: int) -> list[nn.Module]:
    """Return a dense layer and its ReLU."""
    return [nn.Linear(inputs, outputs), nn.ReLU()]


def count_cells(size_px: tuple[int, int], *, poolings: int, ceil: bool = False) -> int:
    """Return how many cells are left of a picture after so many poolings by two, rounding down or up."""
    cells = size_px
    for _ in range(poolings):
        cells = ((cells[0] + ceil) // 2, (cells[1] + ceil) // 2)
    return math.prod(cells)


def start_glorot(network: nn.Module) -> None:
    """Draw all weights anew (Glorot and Bengio 2010, uniform) and set biases to zero."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

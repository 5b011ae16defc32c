"""The seven-class dermoscopy CNN of the reference system R2, made for pictures of 75×100 px (height×width)."""

from torch import nn

from secondlook.training.zoo.blocks import connect, convolve, count_cells


def build_r2_dermoscopy(size_px: tuple[int, int]) -> nn.Module:
    """Build [Conv 32 twice, norm, pool, drop 0.25] [Conv 64, norm, Conv 64, norm, pool, drop 0.35], then dense 128.

    At 75×100 px the flattened maps have 18 · 25 · 64 = 28,800 values.

    Args:
        size_px: Height and width of the pictures.

    Returns:
        A network from float32 N×3×H×W to N×128.
    """
    return nn.Sequential(
        *convolve(3, 32), *convolve(32, 32), nn.BatchNorm2d(32), nn.MaxPool2d(2), nn.Dropout(0.25),
        *convolve(32, 64), nn.BatchNorm2d(64), *convolve(64, 64), nn.BatchNorm2d(64), nn.MaxPool2d(2), nn.Dropout(0.35),
        nn.Flatten(),
        *connect(64 * count_cells(size_px, poolings=2), 128), nn.BatchNorm1d(128), nn.Dropout(0.5),
    )  # fmt: skip

"""The five-block chest X-ray CNN of the reference system R2, made for pictures of 150×150 px."""

from torch import nn

from secondlook.training.zoo.blocks import connect, convolve, count_cells

# The reference names neither widths nor dropout; these are the usual ones of its kind, and ours.
BLOCKS = ((32, 0.0), (64, 0.1), (64, 0.0), (128, 0.2), (256, 0.2))
DENSE, DENSE_DROPOUT = 128, 0.2


def build_r2_chest(size_px: tuple[int, int]) -> nn.Module:
    """Build five blocks of [convolution, ReLU, dropout, batch norm, max pooling], flattened to a dense layer.

    Pooling rounds up, so that 150 px end as 5 · 5 cells and the flattened maps have 6,400 values.

    Args:
        size_px: Height and width of the pictures.

    Returns:
        A network from float32 N×3×H×W to N×128.
    """
    layers: list[nn.Module] = []
    width = 3
    for channels, dropout in BLOCKS:
        layers += convolve(width, channels)
        if dropout:
            layers.append(nn.Dropout(dropout))
        layers += [nn.BatchNorm2d(channels), nn.MaxPool2d(2, ceil_mode=True)]
        width = channels
    flat = width * count_cells(size_px, poolings=len(BLOCKS), ceil=True)
    return nn.Sequential(*layers, nn.Flatten(), *connect(flat, DENSE), nn.Dropout(DENSE_DROPOUT))

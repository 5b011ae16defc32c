"""The VGG-like bone X-ray network of the reference system R2, made for pictures of 224×224 px."""

from torch import nn

from secondlook.training.zoo.blocks import connect, convolve, count_cells

WIDTHS = (32, 64, 128)
DENSE = (1024, 128)
# The reference says that both are there, not how much they drop.
BLOCK_DROPOUT, DENSE_DROPOUT = 0.25, 0.5


def build_r2_bone(size_px: tuple[int, int]) -> nn.Module:
    """Build three blocks of [two convolutions, batch norm, max pooling, dropout], then two dense layers.

    Each dense layer has a ReLU, batch norm and dropout. At 224 px the flattened maps have 28 · 28 · 128 = 100,352
    values, so that the first dense layer has 102,761,472 weights, biases included.

    Args:
        size_px: Height and width of the pictures.

    Returns:
        A network from float32 N×3×H×W to N×128.
    """
    layers: list[nn.Module] = []
    width = 3
    for channels in WIDTHS:
        layers += [*convolve(width, channels), *convolve(channels, channels)]
        layers += [nn.BatchNorm2d(channels), nn.MaxPool2d(2), nn.Dropout(BLOCK_DROPOUT)]
        width = channels
    layers.append(nn.Flatten())
    width *= count_cells(size_px, poolings=len(WIDTHS))
    for neurons in DENSE:
        layers += [*connect(width, neurons), nn.BatchNorm1d(neurons), nn.Dropout(DENSE_DROPOUT)]
        width = neurons
    return nn.Sequential(*layers)

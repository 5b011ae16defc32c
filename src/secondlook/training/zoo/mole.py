"""The small CNN of the reference system R1, which tells malignant moles from benign ones."""

from torch import nn

from secondlook.training.zoo.blocks import connect, convolve, count_cells, start_glorot


def build_r1_cnn(size_px: tuple[int, int]) -> nn.Module:
    """Build twice [convolution of 64, ReLU, max pooling, dropout 0.25], flattened to a dense layer of 128.

    At 224 px the flattened maps have 56 · 56 · 64 = 200,704 values. Weights start as Glorot's.

    Args:
        size_px: Height and width of the pictures.

    Returns:
        A network from float32 N×3×H×W to N×128.
    """
    network = nn.Sequential(
        *convolve(3, 64), nn.MaxPool2d(2), nn.Dropout(0.25),
        *convolve(64, 64), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Flatten(),
        *connect(64 * count_cells(size_px, poolings=2), 128),
    )  # fmt: skip
    start_glorot(network)
    return network

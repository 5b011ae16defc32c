"""The small CNN of the reference system R3, for pictures of any size."""

from torch import nn

from secondlook.training.zoo.blocks import convolve

# "A small CNN" is all that the reference says; this is the plainest of its kind that gives a map.
WIDTHS = (32, 64, 128, 256)


def build_r3_cnn(_size_px: tuple[int, int]) -> nn.Module:
    """Build four blocks of [convolution, ReLU, batch norm, max pooling], to be averaged over the picture.

    Returns:
        A network from float32 N×3×H×W to feature maps N×256×h×w, their sides a sixteenth of the picture's.
    """
    layers: list[nn.Module] = []
    width = 3
    for channels in WIDTHS:
        layers += [*convolve(width, channels), nn.BatchNorm2d(channels), nn.MaxPool2d(2)]
        width = channels
    return nn.Sequential(*layers)

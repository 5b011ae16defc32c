"""The seven-class reference system R5: MobileNetV2 followed by stacked convolution blocks."""

from torch import nn

from secondlook.training.recipe import Model
from secondlook.training.zoo.pretrained import build_timm

WIDTHS = (256, 128)


def build_mobilenetv2_blocks(model: Model) -> tuple[nn.Module, int]:
    """Build MobileNetV2 with two blocks of convolution, batch norm, ReLU, max pooling and dropout behind it.

    Pooling rounds sizes up, so that a class activation map of more than one cell is left.

    Returns:
        The backbone, and its number of feature maps.

    Raises:
        RecipeError: The weights cannot be had or do not fit.
    """
    backbone, width = build_timm(model)
    blocks: list[nn.Module] = []
    for channels in WIDTHS:
        blocks += [
            nn.Conv2d(width, channels, kernel_size=3, padding=1),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.MaxPool2d(2, ceil_mode=True),
            nn.Dropout(model.dropout),
        ]
        width = channels
    return nn.Sequential(backbone, *blocks), width

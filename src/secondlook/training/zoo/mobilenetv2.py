"""The seven-class reference system R5: MobileNetV2 followed by stacked convolution blocks."""

from typing import Any

from torch import nn

from secondlook.training.sections import Model
from secondlook.training.zoo.pretrained import build_timm

WIDTHS = (256, 128)


def build_mobilenetv2_blocks(model: Model, size_px: tuple[int, int]) -> nn.Module:
    """Build MobileNetV2 with two blocks of convolution, batch norm, ReLU, max pooling and dropout behind it.

    Pooling rounds sizes up, so that a class activation map of more than one cell is left.

    Args:
        model: The recipe's network; its name is that of any timm network with feature maps.
        size_px: Height and width of the pictures.

    Raises:
        RecipeError: The weights cannot be had or do not fit.
    """
    backbone = build_timm(model, size_px)
    blocks: list[nn.Module] = []
    width: Any = backbone.num_features
    for channels in WIDTHS:
        blocks += [
            nn.Conv2d(width, channels, kernel_size=3, padding=1),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.MaxPool2d(2, ceil_mode=True),
            nn.Dropout(model.dropout),
        ]
        width = channels
    return nn.Sequential(backbone, *blocks)

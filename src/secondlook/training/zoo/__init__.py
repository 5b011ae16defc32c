"""Network families: each file builds a backbone that turns pictures into feature maps."""

from collections.abc import Callable
from pathlib import Path

from torch import nn

from secondlook.training.earlier import start_from_run
from secondlook.training.recipe import Model
from secondlook.training.zoo.classifier import Classifier
from secondlook.training.zoo.mobilenetv2 import build_mobilenetv2_blocks
from secondlook.training.zoo.pretrained import build_timm

FAMILIES: dict[str, Callable[[Model], tuple[nn.Module, int]]] = {
    "timm": build_timm,
    "mobilenetv2_blocks": build_mobilenetv2_blocks,
}


def build_network(model: Model, *, classes: int) -> Classifier:
    """Build a recipe's network with a linear head over averaged feature maps.

    Raises:
        RecipeError: The name is unknown, or the weights cannot be had or do not fit.
    """
    earlier = Path(model.weights)
    if not earlier.is_dir():
        backbone, width = FAMILIES[model.family](model)
        return Classifier(backbone, width=width, classes=classes, dropout=model.dropout)
    backbone, width = FAMILIES[model.family](model.model_copy(update={"weights": "none"}))
    network = Classifier(backbone, width=width, classes=classes, dropout=model.dropout)
    start_from_run(network, earlier)
    return network

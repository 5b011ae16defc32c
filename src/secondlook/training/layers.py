"""Which layers of a network learn in a stage, and at which rates."""

from typing import Any

from timm.models import group_parameters
from torch import nn

from secondlook.errors import RecipeError
from secondlook.training.sections import nearest
from secondlook.training.zoo.classifier import Classifier


def prepare_stage(network: Classifier, trainable: str) -> None:
    """Put the network into training mode; what the stage freezes neither learns, drops nor counts statistics.

    Args:
        network: Its layers follow each other in the order in which they were defined.
        trainable: As in a recipe's stage.

    Raises:
        RecipeError: The network has no such layer, or fewer layers.
    """
    first = find_first(network, trainable)
    for index, module in enumerate(network.modules()):
        module.training = index + sum(1 for _ in module.modules()) > first
        for weight in module.parameters(recurse=False):
            weight.requires_grad_(index >= first)


def find_first(network: Classifier, trainable: str) -> int:
    """Return the number of the first module that learns, as ``network.modules()`` counts them.

    Raises:
        RecipeError: The network has no such layer, or fewer layers.
    """
    names = [name for name, _ in network.named_modules()]
    if trainable == "all":
        return 0
    if trainable == "head":
        return 1 + sum(1 for _ in network.backbone.modules())
    kind, _, value = trainable.partition(":")
    if kind == "last":
        layers = [
            number
            for number, module in enumerate(network.modules())
            if any(True for _ in module.parameters(recurse=False))
        ]
        if int(value) > len(layers):
            raise RecipeError(
                f"Expected at most {len(layers)} layers in stages.trainable, got {trainable}; the network has no more "
                "that hold weights."
            )
        return layers[-int(value)]
    full = value if value.split(".")[0] in {"backbone", "head"} else f"backbone.{value}"
    if full not in names:
        known = [name.removeprefix("backbone.") for name in names[2:]]
        raise RecipeError(
            f"Expected the name of a layer in stages.trainable, got {trainable}; the nearest is "
            f"from:{nearest(value, known)}. The network's parts are {', '.join(list_parts(network))}."
        )
    return names.index(full)


def list_parts(network: Classifier) -> list[str]:
    """Return the names of the backbone's parts that hold weights, and the head."""
    parts = [name for name, part in network.backbone.named_children() if any(True for _ in part.parameters())]
    return [*parts, "head"]


def measure_depths(network: Classifier) -> dict[str, int]:
    """Return by weight how many layers stand between its own and the head, counted from 1; the head's are 0."""
    layers = number_layers(network.backbone)
    ranks = {layer: rank for rank, layer in enumerate(sorted(set(layers.values()), reverse=True), start=1)}
    depths = {f"backbone.{name}": ranks[layer] for name, layer in layers.items()}
    return depths | {f"head.{name}": 0 for name, _ in network.head.named_parameters()}


def number_layers(module: nn.Module) -> dict[str, int]:
    """Return by weight the number of its layer from the input on: timm's groups, else one for each part."""
    matcher: Any = getattr(module, "group_matcher", None)
    if matcher is not None:
        groups: dict[str, int] = group_parameters(module, matcher(coarse=False), reverse=True)
        return groups
    parts = list(module.named_children())
    if not parts or any(True for _ in module.parameters(recurse=False)):
        return {name: 0 for name, _ in module.named_parameters()}
    layers: dict[str, int] = {}
    for prefix, part in parts:
        start = 1 + max(layers.values(), default=-1)
        layers |= {f"{prefix}.{name}": start + number for name, number in number_layers(part).items()}
    return layers

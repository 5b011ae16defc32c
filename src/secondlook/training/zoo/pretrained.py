"""Backbones by timm, with weights from its hub, from a local file, or from nowhere."""

from pathlib import Path
from typing import Any

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from secondlook.errors import RecipeError
from secondlook.training.recipe import Model, nearest

HEADS = ("head.", "fc.", "classifier.", "head_drop.")


def build_timm(model: Model) -> tuple[nn.Module, int]:
    """Build a timm backbone without pooling and head.

    Returns:
        The backbone, and its number of feature maps.

    Raises:
        RecipeError: timm knows no such network, or the weights cannot be had or do not fit.
    """
    if model.name not in timm.list_models():
        close = nearest(model.name, timm.list_models())
        raise RecipeError(f"Expected the name of a timm network, got {model.name!r}; the nearest is {close!r}.")
    options: dict[str, Any] = {"num_classes": 0, "global_pool": ""}
    if model.drop_path:
        options["drop_path_rate"] = model.drop_path
    backbone = create_network(model.name, pretrained=model.weights == "hub", options=options)
    if model.weights not in {"none", "hub"}:
        load_weights(backbone, Path(model.weights))
    return backbone, measure_width(backbone, model.name)


def create_network(name: str, *, pretrained: bool, options: dict[str, Any]) -> nn.Module:
    """Create a timm network.

    Raises:
        RecipeError: Its hub weights were asked for and cannot be had.
    """
    try:
        network: nn.Module = timm.create_model(name, pretrained=pretrained, **options)
    except Exception as error:  # timm and its hub raise many kinds; without the hub, any fault is a bug and must show
        if not pretrained:
            raise
        raise RecipeError(
            f"The hub weights of {name} cannot be had here ({type(error).__name__}). Connect to the internet, give "
            "the path of a downloaded safetensors file as model.weights, or train from scratch with "
            "--set model.weights=none."
        ) from error
    return network


def load_weights(network: nn.Module, path: Path) -> None:
    """Load weights from a safetensors file; those of another head are left out.

    Raises:
        RecipeError: The file is missing, damaged, or holds another network.
    """
    try:
        weights = load_file(path)
    except (OSError, SafetensorError) as error:
        raise RecipeError(f"Expected weights as a safetensors file; {path.name} cannot be read: {error}") from error
    weights = {key.removeprefix("backbone."): value for key, value in weights.items()}
    weights = {key: value for key, value in weights.items() if not key.startswith(HEADS)}
    own = network.state_dict()
    wrong = sorted(key for key in own if key not in weights or weights[key].shape != own[key].shape)
    wrong = [key for key in wrong if not key.endswith("num_batches_tracked")]
    if wrong:
        raise RecipeError(
            f"Expected the weights of this very network in {path.name}; {len(wrong)} of {len(own)} tensors are "
            f"missing or have another shape, first {wrong[0]!r}."
        )
    network.load_state_dict(weights, strict=False)


def measure_width(backbone: nn.Module, name: str) -> int:
    """Return the number of feature maps, measured on a blank picture.

    Raises:
        RecipeError: The network gives no spatial feature maps.
    """
    training = backbone.training
    with torch.no_grad():
        features = backbone.eval()(torch.zeros(1, 3, 64, 64))
    backbone.train(training)
    if features.ndim != 4:
        raise RecipeError(f"Expected a network with spatial feature maps; {name} gives {tuple(features.shape)}.")
    return int(features.shape[1])

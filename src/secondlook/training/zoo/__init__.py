"""Network families: each file builds a backbone that turns pictures into feature maps or features."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import torch
from torch import nn

from secondlook.errors import RecipeError
from secondlook.imaging.resize import read_size
from secondlook.training.earlier import start_from_run
from secondlook.training.families import FAMILIES
from secondlook.training.recipe import Recipe
from secondlook.training.sections import Model
from secondlook.training.zoo.blocks import start_glorot
from secondlook.training.zoo.classifier import IMAGENET, Classifier, Colours
from secondlook.training.zoo.pretrained import (
    check_name,
    explain_size,
    find_colours,
    load_weights,
    takes_one_size,
)


def build_network(recipe: Recipe, *, classes: int, fresh: bool = False) -> Classifier:
    """Build a recipe's network.

    Args:
        recipe: What to build; networks that take pictures of one size are built for the export's.
        classes: Number of classes.
        fresh: Leave out the weights that the recipe starts from, since others will be loaded.

    Raises:
        RecipeError: The name is unknown, the sizes do not suit it, or the weights cannot be had or do not fit.
    """
    model = recipe.model.model_copy(update={"weights": "none"}) if fresh else recipe.model
    earlier = Path(model.weights)
    from_run = earlier.is_dir()
    backbone = build_backbone(model.model_copy(update={"weights": "none"}) if from_run else model, recipe)
    width, spatial = measure_features(backbone, recipe)
    network = Classifier(
        backbone,
        width=width,
        classes=classes,
        dropout=model.dropout,
        head=model.head,
        spatial=spatial,
        colours=choose_colours(model),
    )
    if model.family == "r1_cnn":  # its backbone starts so by itself, before weights of a file are loaded
        start_glorot(network.head)
    if from_run:
        start_from_run(network, earlier)
    return network


def build_backbone(model: Model, recipe: Recipe) -> nn.Module:
    """Build the network without its head.

    Raises:
        RecipeError: As for :func:`build_network`.
    """
    size_px = read_size(recipe.export.input_size_px)
    build = find_builder(model.family)
    if FAMILIES[model.family].on_timm:
        check_name(model.name)
        if takes_one_size(model.name):
            try:
                recipe.require_one_size(model.name)
            except ValueError as error:
                raise RecipeError(f"Expected one size of pictures: {error}.") from error
        return build(model, size_px)
    if model.weights == "hub":
        raise RecipeError(
            f"Expected a network of timm for the hub's weights; {model.family} is trained from scratch. Set "
            "model.weights=none."
        )
    backbone = build(size_px)
    if model.weights != "none":
        load_weights(backbone, Path(model.weights))
    return backbone


def find_builder(family: str) -> Callable[..., nn.Module]:
    """Return the function that builds the backbones of a family."""
    module, _, name = FAMILIES[family].builder.partition(".")
    builder: Callable[..., nn.Module] = getattr(import_module(f"{__name__}.{module}"), name)
    return builder


def choose_colours(model: Model) -> Colours | None:
    """Return mean and deviation that pixels are standardised by, or None where the training pictures tell them.

    Raises:
        RecipeError: The hub's weights want others.
    """
    fixed = {"imagenet": IMAGENET, "half": ((0.5,) * 3, (0.5,) * 3), "none": ((0.0,) * 3, (1.0,) * 3)}
    if model.normalise == "data":
        return None
    if model.normalise == "network":
        return find_colours(model.name)
    if model.weights == "hub" and fixed[model.normalise] != find_colours(model.name):
        raise RecipeError(
            f"Expected the normalisation that the hub weights of {model.name} were trained with, got "
            f"{model.normalise}. Set model.normalise=network."
        )
    return fixed[model.normalise]


@torch.no_grad()
def measure_features(backbone: nn.Module, recipe: Recipe) -> tuple[int, bool]:
    """Look at blank pictures of all the recipe's sizes.

    Returns:
        The number of features, and whether at the export's size they are maps of more than one cell.

    Raises:
        RecipeError: The network cannot take pictures of one of these sizes.
    """
    training, device = backbone.training, next(backbone.parameters()).device
    backbone.eval()
    name = recipe.model.name if FAMILIES[recipe.model.family].on_timm else recipe.model.family
    for chosen in (*(stage.size_px for stage in recipe.stages), recipe.export.input_size_px):
        size_px = read_size(chosen)
        with explain_size(name, size_px):
            features = backbone(torch.zeros(1, 3, *size_px, device=device))
    backbone.train(training)
    return features.shape[1], features.ndim == 4 and features.shape[2:].numel() > 1

"""Further runs whose networks look beside a run's own, in one graph."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from secondlook.conditions import find_task
from secondlook.data.manifest import Manifest, read_manifest
from secondlook.errors import RecipeError
from secondlook.training.earlier import read_answering_weights, require_unseen
from secondlook.training.ensemble import average_graphs
from secondlook.training.export import render_graph
from secondlook.training.loss import count_prior
from secondlook.training.origin import describe_run
from secondlook.training.reading import read_recipe
from secondlook.training.recipe import Recipe
from secondlook.training.zoo import build_network


def require_members(recipe: Recipe, manifest: Manifest) -> None:
    """Check that the further runs can look beside this one; better said before training than after.

    Raises:
        RecipeError: A run is not there, or is for other labels or pictures framed otherwise.
        DatasetError: One has learned from a group that is measured here.
    """
    for name in recipe.export.members:
        folder = Path(name)
        if not (folder / "recipe.yaml").is_file():
            raise RecipeError(
                f"Expected run folders as export.members, found none at {folder.name}. Train that run first, or leave "
                "it out with --set export.members=[]."
            )
        other = read_recipe(folder / "recipe.yaml")
        if (other.task, other.data.resize) != (recipe.task, recipe.data.resize):
            raise RecipeError(
                f"Expected the run {folder.name} of export.members to be for the task {recipe.task} with pictures "
                f"resized by {recipe.data.resize}; it is for {other.task} with {other.data.resize}."
            )
        require_unseen(manifest, folder)


def render_members(network: nn.Module, recipe: Recipe, manifest: Manifest) -> bytes:
    """Return one graph of a run's own network and those of its further runs.

    Args:
        network: The run's own, trained.
        recipe: Its ``export`` is that of all members.
        manifest: What the run learned from.

    Raises:
        RecipeError: A further run holds no whole checkpoint.
        BundleError: A graph does not give what torch gives, or the graphs do not fit together.
    """
    graphs = [render_graph(network, recipe, log_prior=count_log_prior(manifest))]
    for folder in map(Path, recipe.export.members):
        other = read_recipe(folder / "recipe.yaml").model_copy(update={"export": recipe.export})
        look = build_network(other, classes=len(find_task(other.task).keys), fresh=True)
        look.load_state_dict(read_answering_weights(folder))
        graphs.append(render_graph(look, other, log_prior=count_log_prior(read_manifest(folder / "split.csv"))))
    return graphs[0] if len(graphs) == 1 else average_graphs(graphs, recipe)


def count_log_prior(manifest: Manifest) -> NDArray[np.float32]:
    """Return the log share of each label in what is learned from, float32 K."""
    keys = find_task(manifest.task).keys
    learned = [keys.index(label) for label in manifest.select("train").frame["label"]]
    return count_prior(np.array(learned, dtype=np.int64), len(keys))


def describe_members(recipe: Recipe) -> Iterator[str]:
    """Yield where the weights of each further run come from, in words."""
    for name in recipe.export.members:
        yield f"beside it looks {describe_run(Path(name))}"

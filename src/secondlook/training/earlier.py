"""Weights of an earlier run as the start of another, if what it learned from is not what the other is measured on."""

from collections.abc import Iterator
from pathlib import Path

from torch import Tensor, nn

from secondlook.conditions import find_task
from secondlook.data.manifest import Manifest, read_manifest
from secondlook.errors import DatasetError, RecipeError
from secondlook.training.checkpoint import load_checkpoint
from secondlook.training.reading import read_recipe
from secondlook.training.recipe import Recipe


def read_answering_weights(folder: Path) -> dict[str, Tensor]:
    """Return the weights of the network that a run answers with: trained, and blended with its start where it says so.

    Raises:
        RecipeError: The folder, or that of the run that it is blended with, holds no whole checkpoint.
    """
    weights, file = read_trained_weights(folder), folder / "recipe.yaml"
    recipe = read_recipe(file) if file.is_file() else None
    return weights if recipe is None else blend_with_start(weights, recipe)


def read_trained_weights(folder: Path) -> dict[str, Tensor]:
    """Return the weights that a run has learned: its best epoch's or its last, averaged where it was.

    Raises:
        RecipeError: The folder holds no whole checkpoint.
    """
    packed = load_checkpoint(folder / "checkpoints", warn=lambda _sentence: None)
    if packed is None:
        raise RecipeError(
            f"Expected the folder of an earlier run as model.weights; {folder.name} holds no whole checkpoint. Train "
            "that run first, or set model.weights=none."
        )
    best: dict[str, Tensor] | None = packed.get("best")
    recipe = folder / "recipe.yaml"
    if best is not None and recipe.is_file() and read_recipe(recipe).keep == "best":
        return best
    average: dict[str, Tensor] | None = packed["average"]
    if average is None:
        weights: dict[str, Tensor] = packed["network"]
        return weights
    return {key.removeprefix("module."): value for key, value in average.items() if key.startswith("module.")}


def start_from_run(network: nn.Module, folder: Path) -> None:
    """Load an earlier run's weights into a network; a head that differs is left as it is, and so are its colours.

    Raises:
        RecipeError: The folder holds no whole checkpoint, or the run's backbone is another.
    """
    weights, own = read_answering_weights(folder), network.state_dict()
    wanted = {key for key in own.keys() | weights.keys() if key.startswith("backbone.")}
    wrong = sorted(key for key in wanted if not fits(key, weights, own))
    if wrong:
        raise RecipeError(
            f"Expected the network of the earlier run {folder.name}; {len(wrong)} tensors are missing, too many or of "
            f"another shape, first {wrong[0]!r}. Give that run's network as model.name."
        )
    head = {key for key in own.keys() | weights.keys() if key.startswith("head.")}
    if all(fits(key, weights, own) for key in head):
        wanted |= head
    network.load_state_dict({key: weights[key] for key in wanted}, strict=False)


def blend_with_start(weights: dict[str, Tensor], recipe: Recipe) -> dict[str, Tensor]:
    """Return weights and statistics moved towards those of the earlier run that training started from.

    What was learned anew is kept in part, and so is what would be forgotten: Wortsman et al. 2022, "Robust fine-tuning
    of zero-shot models", doi 10.48550/arXiv.2109.01903.

    Args:
        weights: Trained.
        recipe: Of that training; ``export.start_share`` is the earlier run's share in the result, 0 for none.

    Raises:
        RecipeError: The earlier run holds no whole checkpoint, or its network is another, its head included.
    """
    share = recipe.export.start_share
    if not share:
        return weights
    folder = Path(recipe.model.weights)
    start = read_answering_weights(folder)
    wrong = sorted(key for key in weights.keys() | start.keys() if not fits(key, start, weights))
    if wrong:
        raise RecipeError(
            f"Expected the same network and classes in the earlier run {folder.name}, to blend both; {len(wrong)} "
            f"tensors are missing, too many or of another shape, first {wrong[0]!r}. Set export.start_share=0."
        )
    return {
        key: value.lerp(start[key].to(value), share) if value.is_floating_point() else value
        for key, value in weights.items()
    }


def fits(key: str, weights: dict[str, Tensor], own: dict[str, Tensor]) -> bool:
    """Return whether both hold a tensor of this name and shape."""
    return key in own and key in weights and own[key].shape == weights[key].shape


def require_unseen(manifest: Manifest, folder: Path) -> None:
    """Check that neither an earlier run nor those that it started from learned from a group that is measured here.

    Groups of tasks that look at other kinds of pictures are other groups, whatever their names.

    Raises:
        DatasetError: One has, or does not say what it has learned from.
    """
    rows = manifest.frame["split"].isin(["calibration", "test"])
    measured = set(manifest.frame.loc[rows, "group"])
    for run in trace_runs(folder):
        file = run / "split.csv"
        if not file.is_file():
            raise DatasetError(f"Expected split.csv in the run folder {run.name}, to see what it has learned from.")
        earlier = read_manifest(file)
        learned = set(earlier.frame.loc[earlier.frame["split"] == "train", "group"])
        seen = sorted(measured & learned)
        if seen and find_task(earlier.task).kind == find_task(manifest.task).kind:
            raise DatasetError(
                f"Expected no group of calibration and test among those that the run {run.name} has learned from. "
                "Train both with the same split.",
                seen,
            )


def trace_runs(folder: Path) -> Iterator[Path]:
    """Yield the folder of a run, that of the run whose weights it started from, and so on.

    Raises:
        DatasetError: A run on the way is not there any more.
    """
    told: set[Path] = set()
    while folder.resolve() not in told:
        told.add(folder.resolve())
        yield folder
        recipe = folder / "recipe.yaml"
        weights = read_recipe(recipe).model.weights if recipe.is_file() else "none"
        before = Path(weights)
        if weights in ("none", "hub") or before.suffix == ".safetensors":
            return
        if not before.is_dir():
            raise DatasetError(
                f"Expected the run folder {before.name}, which {folder.name} started from, to see what it has learned "
                "from. Bring it back, or train it again."
            )
        folder = before

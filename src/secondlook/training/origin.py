"""Where a network's starting weights come from, in words that its bundle carries on."""

import hashlib
from pathlib import Path

import timm

from secondlook.errors import RecipeError
from secondlook.training.reading import read_recipe
from secondlook.training.sections import Model

ORIGIN_FILE = "weights.txt"


def describe_origin(model: Model) -> str:
    """Return in words where the weights come from, an earlier run's own origin included.

    Raises:
        RecipeError: The weights' file is not there, or the earlier run's folder holds no recipe.
    """
    path = Path(model.weights)
    if model.weights == "none":
        return "drawn at random"
    if model.weights == "hub":
        facts = timm.get_pretrained_cfg(model.name)
        identity, licence = (facts.hf_hub_id, facts.license) if facts is not None else (model.name, None)
        return f"timm's hub, {identity}, licence {licence or 'not stated'}"
    if path.is_dir():
        return describe_run(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RecipeError(
            "Expected model.weights to name a safetensors file or the folder of an earlier run, by a path from the "
            f"current folder; {path.name} cannot be read: {error.strerror}. Check the path, or train that run first; "
            "--set model.weights=none starts from scratch."
        ) from error
    return f"the file {path.name} (SHA-256 {hashlib.sha256(content).hexdigest()})"


def describe_run(folder: Path) -> str:
    """Return a run and where its own weights came from, in words.

    Raises:
        RecipeError: The folder holds no recipe.
    """
    recipe = read_recipe(folder / "recipe.yaml")
    file = folder / ORIGIN_FILE
    before = file.read_text(encoding="utf-8").strip() if file.is_file() else describe_origin(recipe.model)
    return f"the run {recipe.name} (recipe {recipe.fingerprint()[:12]}), which started from: {before}"

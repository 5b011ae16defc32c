"""Backbones by timm, with weights from its hub, from a local file, or from nowhere."""

from pathlib import Path
from typing import Any

import timm
import torch
from huggingface_hub import constants, get_session, try_to_load_from_cache
from safetensors import SafetensorError
from safetensors.torch import load
from torch import nn

from secondlook.errors import RecipeError
from secondlook.training.recipe import Model, nearest

HEADS = ("head.", "fc.", "classifier.")
WEIGHTS_FILE = "model.safetensors"
HUB_TIMEOUT_S = 5


def build_timm(model: Model) -> tuple[nn.Module, int]:
    """Build a timm backbone without pooling and head.

    Returns:
        The backbone, and its number of feature maps.

    Raises:
        RecipeError: timm knows no such network, or the weights cannot be had or do not fit.
    """
    check_name(model.name)
    options: dict[str, Any] = {"num_classes": 0, "global_pool": ""}
    if model.drop_path:
        options["drop_path_rate"] = model.drop_path
    if model.weights == "hub":
        options |= {"pretrained": True, "pretrained_cfg_overlay": find_hub_weights(model.name)}
    try:
        backbone: nn.Module = timm.create_model(model.name, **options)
    except TypeError as error:  # some networks take fewer options
        raise RecipeError(
            f"Expected a network without fixed pooling, with stochastic depth where model.drop_path is not 0; "
            f"{model.name} is none: {error}."
        ) from error
    except Exception as error:  # a download fails in many ways; without one, any fault is a bug and must show
        if model.weights != "hub":
            raise
        raise describe_unreachable(model.name, error) from error
    if model.weights not in {"none", "hub"}:
        load_weights(backbone, Path(model.weights))
    return backbone, measure_width(backbone, model.name)


def check_name(name: str) -> None:
    """Check that timm knows a network, by its name or by name and tag of pretrained weights.

    Raises:
        RecipeError: It does not.
    """
    names = timm.list_models()
    if name in names:
        return
    tagged = timm.list_models(pretrained=True)
    if name not in tagged:
        close = nearest(name, tagged if "." in name else names)
        raise RecipeError(f"Expected the name of a timm network, got {name!r}; the nearest is {close!r}.")


def find_hub_weights(name: str) -> dict[str, str]:
    """Return where timm finds a network's hub weights: in the hub's local cache, or nothing where it may fetch them.

    The hub is asked once and briefly, since timm would otherwise try for most of a minute, offline.

    Raises:
        RecipeError: The network has no hub weights, or they are not in the cache and the hub cannot be reached.
    """
    facts = timm.get_pretrained_cfg(name)
    if facts is None or not facts.hf_hub_id:
        raise RecipeError(f"Expected a network with weights on timm's hub; {name} has none. Set model.weights=none.")
    cached = try_to_load_from_cache(facts.hf_hub_id, WEIGHTS_FILE)
    if isinstance(cached, str):
        return {"file": cached}
    try:
        get_session().head(constants.ENDPOINT, timeout=HUB_TIMEOUT_S)
    except Exception as error:  # its HTTP client, which differs between versions, raises many kinds
        raise describe_unreachable(name, error) from error
    return {}


def describe_unreachable(name: str, error: Exception) -> RecipeError:
    """Return the error of hub weights that cannot be fetched."""
    return RecipeError(
        f"Expected to fetch the hub weights of {name}; the hub does not give them ({type(error).__name__}). Connect to "
        "the internet, give the path of a downloaded safetensors file as model.weights, or train from scratch with "
        "--set model.weights=none."
    )


def load_weights(network: nn.Module, path: Path) -> None:
    """Load weights from a safetensors file; those of another head are left out.

    Raises:
        RecipeError: The file is missing, damaged, or holds another network.
    """
    try:
        content = path.read_bytes()
        weights = load(content)
    except (OSError, SafetensorError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise RecipeError(
            f"Expected weights as a safetensors file; {path.name} cannot be read ({reason}). Fetch it again, or set "
            "model.weights=none."
        ) from error
    weights = {key.removeprefix("backbone."): value for key, value in weights.items()}
    own = network.state_dict()
    kept = {key: value for key, value in weights.items() if key in own}
    wrong = [key for key in own if key not in weights or weights[key].shape != own[key].shape]
    wrong = [key for key in wrong if not key.endswith("num_batches_tracked")]
    wrong += [key for key in weights if key not in own and not key.startswith(HEADS)]
    if wrong:
        raise RecipeError(
            f"Expected the weights of this very network in {path.name}; {len(wrong)} tensors are missing, too many or "
            f"of another shape, first {wrong[0]!r}. Give the network of these weights as model.name."
        )
    network.load_state_dict(kept, strict=False)


def measure_width(backbone: nn.Module, name: str) -> int:
    """Return the number of feature maps, measured on a blank picture.

    Raises:
        RecipeError: The network takes pictures of one size alone, or gives no spatial feature maps.
    """
    training = backbone.training
    try:
        with torch.no_grad():
            features = backbone.eval()(torch.zeros(1, 3, 64, 64))
    except (AssertionError, RuntimeError, ValueError) as error:
        raise RecipeError(f"Expected a network for pictures of any size; {name} refuses 64 pixels: {error}.") from error
    backbone.train(training)
    widths = {getattr(backbone, attribute, None) for attribute in ("num_features", "head_hidden_size")}
    if features.ndim != 4 or features.shape[1] not in widths:
        shape = tuple(features.shape)
        raise RecipeError(f"Expected a network with spatial feature maps N×width×h×w; {name} gives {shape}.")
    return int(features.shape[1])

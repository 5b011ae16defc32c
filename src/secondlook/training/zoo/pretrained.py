"""Backbones by timm, with weights from its hub, from a local file, or from nowhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import timm
import torch
from huggingface_hub import constants, get_session, try_to_load_from_cache
from safetensors import SafetensorError
from safetensors.torch import load
from timm.models.vgg import ConvMlp
from torch import Tensor, nn

from secondlook.errors import RecipeError
from secondlook.training.sections import Model, nearest
from secondlook.training.zoo.classifier import IMAGENET, Colours

HEADS = ("head.", "fc.", "classifier.", "pre_logits.", "mean", "deviation")
WEIGHTS_FILE = "model.safetensors"
HUB_TIMEOUT_S = 5


class ChannelsFirst(nn.Module):
    """A network whose feature maps N×h×w×width come out as N×width×h×w."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        """Return feature maps N×width×h×w of pictures N×3×H×W."""
        features: Tensor = self.network(pixels).permute(0, 3, 1, 2)
        return features


def build_timm(model: Model, size_px: tuple[int, int]) -> nn.Module:
    """Build a timm network without its head, and without pooling where it has feature maps.

    Args:
        model: The recipe's network.
        size_px: Height and width of the pictures; counts for networks that take pictures of one size alone.

    Raises:
        RecipeError: The size does not suit the network, or the weights cannot be had or do not fit.
    """
    options: dict[str, Any] = {"num_classes": 0}
    if model.drop_path:
        options["drop_path_rate"] = model.drop_path
    if takes_one_size(model.name):
        options["img_size"] = size_px
    if model.weights == "hub":
        options |= {"pretrained": True, "pretrained_cfg_overlay": find_hub_weights(model.name)}
    try:
        network: nn.Module = timm.create_model(model.name, **options)
    except (TypeError, AssertionError) as error:  # some networks take fewer options, or not every size
        raise RecipeError(
            f"Expected a network that pictures of {size_px[0]}×{size_px[1]} px suit, with stochastic depth where "
            f"model.drop_path is not 0; {model.name} is none: {error}."
        ) from error
    except Exception as error:  # a download fails in many ways; without one, any fault is a bug and must show
        if model.weights != "hub":
            raise
        raise describe_unreachable(model.name, error) from error
    if hasattr(network, "pre_logits") and isinstance(network.pre_logits, ConvMlp):
        network.pre_logits = nn.Identity()  # VGG's first two dense layers belong to the head that is left out
    if model.weights not in {"none", "hub"}:
        load_weights(network, Path(model.weights))
    return leave_maps(network, size_px)


@torch.no_grad()
def leave_maps(network: Any, size_px: tuple[int, int]) -> nn.Module:
    """Return a timm network that ends in feature maps N×width×h×w where it has them, else in pooled features.

    Raises:
        RecipeError: The network takes no pictures of this size.
    """
    device = next(network.parameters()).device
    training = network.training
    with explain_size(network.pretrained_cfg["architecture"], size_px):
        features = network.eval().forward_features(torch.zeros(1, 3, *size_px, device=device))
    if features.ndim == 4:
        network.reset_classifier(0, global_pool="")
        last_first = features.shape[1] != network.num_features == features.shape[3]
        network = ChannelsFirst(network) if last_first else network
    module: nn.Module = network.train(training)
    return module


@contextmanager
def explain_size(name: str, size_px: tuple[int, int]) -> Iterator[None]:
    """Turn a network's failure on pictures of a size into a sentence.

    Raises:
        RecipeError: It has failed.
    """
    try:
        yield
    except (AssertionError, RuntimeError, ValueError) as error:
        raise RecipeError(
            f"Expected pictures of a size that {name} takes; {size_px[0]}×{size_px[1]} px it refuses: {error}."
        ) from error


def takes_one_size(name: str) -> bool:
    """Return whether a network of timm is built for pictures of one size."""
    facts = timm.get_pretrained_cfg(name)
    return facts is not None and bool(facts.fixed_input_size)


def find_colours(name: str) -> Colours:
    """Return mean and deviation of red, green and blue that timm states for a network's weights."""
    facts = timm.get_pretrained_cfg(name)
    return (tuple(facts.mean), tuple(facts.std)) if facts is not None else IMAGENET


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
            f"Expected weights as a safetensors file, or the folder of an earlier run; {path.name} cannot be read "
            f"({reason}). Fetch or train it again, or set model.weights=none."
        ) from error
    weights = {key.removeprefix("backbone."): value for key, value in weights.items()}
    own = network.state_dict()
    kept = {key: value for key, value in weights.items() if key in own}
    wrong = [key for key in own if key not in weights or weights[key].shape != own[key].shape]
    wrong = [key for key in wrong if not key.endswith("num_batches_tracked")]
    heads = (*HEADS, *name_heads(network))
    wrong += [key for key in weights if key not in own and not key.startswith(heads)]
    if wrong:
        raise RecipeError(
            f"Expected the weights of this very network in {path.name}; {len(wrong)} tensors are missing, too many or "
            f"of another shape, first {wrong[0]!r}. Give the network of these weights as model.name."
        )
    network.load_state_dict(kept, strict=False)


def name_heads(network: nn.Module) -> list[str]:
    """Return the beginnings of the names of a timm network's own head."""
    facts: Any = getattr(network, "pretrained_cfg", {})
    named = facts.get("classifier") or ()
    return [f"{name}." for name in ([named] if isinstance(named, str) else named)]

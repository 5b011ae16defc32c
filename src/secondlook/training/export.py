"""From a trained network to a draft bundle: one ONNX graph, compared with torch before it counts."""

import datetime
import hashlib
import io
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import secondlook
from secondlook.conditions import find_task
from secondlook.data.files import replace_file
from secondlook.errors import BundleError
from secondlook.imaging.resize import read_size
from secondlook.inference.bundle import BundleFacts
from secondlook.inference.schema import MapKind
from secondlook.inference.session import Session
from secondlook.training.recipe import Recipe
from secondlook.training.sections import VIEWS
from secondlook.training.storage import round_weights, store_weights
from secondlook.training.views import average_maps, frame_view
from secondlook.training.zoo.classifier import Classifier

OPSET = 18
TOLERANCE = 1e-3
CHECKED_PICTURES = 5


class Served(nn.Module):
    """What becomes the graph: normalisation, views, network and averaging.

    Args:
        network: The trained network.
        views: Numbers, as in ``VIEWS``, of the square's symmetries that are averaged.
        shift: float32 K, added to the logits; makes those of a network that has learnt class shares even.
        scales: Magnification of each view; 1 for all where there are none.
    """

    shift: Tensor

    def __init__(
        self,
        network: Classifier,
        *,
        views: Sequence[int],
        shift: NDArray[np.float32],
        scales: Sequence[float] = (),
    ) -> None:
        super().__init__()
        self.network = network
        self.views = views
        self.scales = scales or (1.0,) * len(views)
        self.register_buffer("shift", torch.from_numpy(shift))

    @property
    def outputs(self) -> list[str]:
        """What the graph gives: a map only where the network has one."""
        return ["logits", "embedding", "map"] if self.network.spatial else ["logits", "embedding"]

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return logits N×K, embedding N×D and, where there is one, map N×K×h×w of pictures uint8 N×H×W×3."""
        pixels = image.permute(0, 3, 1, 2).to(torch.float32) / 255
        framed = [frame_view(pixels, scale) for scale in self.scales]
        answers = [self.look(one, view) for one, view in zip(framed, self.views, strict=True)]
        logits, embedding, *maps = zip(*answers, strict=True)
        logits, embedding = (sum(parts[1:], parts[0]) / len(parts) for parts in (logits, embedding))
        return (logits + self.shift, embedding, *(average_maps(parts, self.scales) for parts in maps))

    def look(self, pixels: Tensor, view: int) -> tuple[Tensor, ...]:
        """Answer for one of the square's symmetries, a map turned back."""
        dims = [dim for dim, bit in ((3, 1), (2, 2)) if view & bit]
        turned = pixels.flip(dims) if dims else pixels
        if view & 4:
            turned = turned.transpose(2, 3)
        logits, embedding, *maps = self.network.explain(turned)
        if view & 4:
            maps = [activation.transpose(2, 3) for activation in maps]
        return (logits, embedding, *(activation.flip(dims) for activation in maps))


def render_graph(network: nn.Module, recipe: Recipe, *, log_prior: NDArray[np.float32]) -> bytes:
    """Return the ONNX graph of a network, as the recipe's `export` wants it.

    Args:
        network: The trained network; its weights are rounded to what the graph stores.
        recipe: Its loss says how the logits are to be read, its `export` says size, views and storage.
        log_prior: float32 K, log class shares in training.

    Raises:
        BundleError: The graph does not give what torch gives.
    """
    classifier = require_classifier(network)
    shift = -log_prior if recipe.loss.balance == "none" else np.zeros_like(log_prior)
    classifier = classifier.cpu().eval()
    round_weights(classifier, recipe.export.weights)
    views = [VIEWS.index(view) for view in recipe.export.views]
    served = Served(classifier, views=views, shift=shift.astype(np.float32), scales=recipe.export.scales).eval()
    size = read_size(recipe.export.input_size_px)
    model = trace_graph(served, outputs=served.outputs, size_px=size)
    store_weights(model, recipe.export.weights)
    content = model.SerializeToString(deterministic=True)
    compare_graph(served, content, size_px=size)
    return bytes(content)


def require_classifier(network: nn.Module) -> Classifier:
    """Return the network, if it is one that can be exported."""
    if not isinstance(network, Classifier):
        raise TypeError(f"Expected a Classifier, got {type(network).__name__}.")
    return network


def write_draft(
    content: bytes,
    recipe: Recipe,
    folder: Path,
    *,
    data_fingerprint: str,
    weights: str,
    map_kind: MapKind,
    leak: str = "none",
    members: int = 1,
) -> None:
    """Write a draft bundle: ``bundle.json``, ``model.onnx``, and ``reference.npz`` with the stored pair.

    Args:
        content: The graph.
        recipe: The recipe that it was trained by.
        folder: Where the draft goes; files of an earlier one are replaced.
        data_fingerprint: Of the manifest, split included.
        weights: Where the weights started from, in words.
        map_kind: What the graph's map is.
        leak: ``none``, or the note that marks every figure.
        members: How many networks the graph averages.
    """
    probe = draw_probe(read_size(recipe.export.input_size_px))
    logits = Session(content).run(probe[None]).logits[0]
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / "model.onnx", content)
    arrays = io.BytesIO()
    np.savez_compressed(arrays, probe_image=probe, probe_logits=logits)
    replace_file(folder / "reference.npz", arrays.getvalue())
    facts = describe_bundle(
        recipe,
        content,
        data_fingerprint=data_fingerprint,
        leak=leak,
        weights=weights,
        map_kind=map_kind,
        members=members,
    )
    replace_file(folder / "bundle.json", (facts.model_dump_json(indent=2) + "\n").encode())


def describe_bundle(
    recipe: Recipe, graph: bytes, *, data_fingerprint: str, leak: str, weights: str, map_kind: MapKind, members: int
) -> BundleFacts:
    """Return the facts of a new bundle."""
    data = recipe.data
    return BundleFacts.model_validate(
        {
            "schema_version": 1,
            "name": recipe.name,
            "version": datetime.datetime.now(tz=datetime.UTC).strftime("%Y.%m.%d"),
            "task": recipe.task,
            "labels": find_task(recipe.task).keys,
            "input_size_px": recipe.export.input_size_px,
            "resize": recipe.data.resize,
            "created": datetime.datetime.now(tz=datetime.UTC).date(),
            "licence": recipe.export.licence,
            "training": {
                "recipe": recipe.name,
                "recipe_sha256": recipe.fingerprint(),
                "data": " + ".join(
                    [data.source or Path(str(data.manifest)).stem, *(further.source for further in data.further)]
                ),
                "data_fingerprint": data_fingerprint,
                "secondlook_version": secondlook.__version__,
                "weights": weights,
                "leak": leak,
            },
            "graph": {
                "sha256": hashlib.sha256(graph).hexdigest(),
                "views": len(recipe.export.views),
                "scales": recipe.export.scales,
                "map": map_kind,
                "members": members,
            },
        }
    )


def trace_graph(served: nn.Module, *, outputs: Sequence[str], size_px: tuple[int, int]) -> onnx.ModelProto:
    """Return the ONNX graph of a network, its batch size dynamic."""
    example = torch.zeros(2, *size_px, 3, dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own internals
        program = torch.onnx.export(
            served,
            (example,),
            input_names=["image"],
            output_names=list(outputs),
            dynamic_shapes={"image": {0: torch.export.Dim("pictures")}},
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
            external_data=False,
        )
    if program is None:
        raise BundleError("Expected a graph from torch's exporter, got none. Install another version of torch.")
    model: onnx.ModelProto = program.model_proto
    for node in model.graph.node:
        del node.metadata_props[:]  # source paths of the machine that exported
        node.doc_string = ""
    del model.metadata_props[:]
    return model


def compare_graph(served: Served, content: bytes, *, size_px: tuple[int, int]) -> None:
    """Compare the graph, as it is served, with torch on random pictures and the probe.

    Raises:
        BundleError: They differ by more than ``TOLERANCE`` of the output's own spread.
    """
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (CHECKED_PICTURES, *size_px, 3), dtype=np.uint8)
    images[0] = draw_probe(size_px)
    with torch.no_grad():
        wanted = [part.numpy() for part in served(torch.from_numpy(images))]
    outputs = Session(content).run(images)
    for name, expected in zip(served.outputs, wanted, strict=True):
        got = getattr(outputs, name)
        if got.shape != expected.shape:
            raise BundleError(f"The exported graph's {name} has the shape {got.shape}, torch's {expected.shape}.")
        difference = float(np.abs(got - expected).max())
        allowed = TOLERANCE * max(1.0, float(expected.std()))
        if not difference <= allowed:
            raise BundleError(
                f"The exported graph's {name} differs from torch's by {difference:.2g}, more than {allowed:.2g}. "
                "Export with weights: fp32, or report the network and the versions that `secondlook doctor` prints."
            )


def draw_probe(size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the picture of the stored input → output pair: uint8 H×W×3, a dark disc on a graded ground."""
    height, width = size_px
    rows, columns = np.mgrid[0:height, 0:width] / np.array(size_px)[:, None, None]
    disc = (rows - 0.5) ** 2 + (columns - 0.45) ** 2 < 0.06
    ground = np.stack([200 + 30 * rows, 150 + 40 * columns, 130 + 30 * rows], axis=-1)
    return np.where(disc[..., None], ground * np.array([0.45, 0.35, 0.35]), ground).astype(np.uint8)

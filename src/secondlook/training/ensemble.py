"""Several bundles' graphs as one: logits and maps averaged, embeddings side by side.

The networks of an ensemble have learned different features, so that an average of their embeddings would mean nothing
by itself; side by side they keep what each of them tells apart. The outlier limit is fitted on these embeddings.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, compose, helper, numpy_helper

from secondlook.errors import BundleError
from secondlook.imaging.resize import read_size
from secondlook.inference.bundle import read_facts
from secondlook.inference.session import Outputs, Session
from secondlook.training.export import draw_probe, write_draft
from secondlook.training.recipe import Recipe

# The outlier score costs the square of the embedding's length for every picture, and its cube to fit.
MOST_FEATURES = 2048
MOST_BYTES = 2**30
TOLERANCE = 1e-4


def export_ensemble(members: Sequence[Path], recipe: Recipe, folder: Path, *, data_fingerprint: str, leak: str) -> None:
    """Write the draft of a bundle that averages other bundles of the same recipe.

    Args:
        members: The bundles' folders.
        recipe: The recipe that all were trained by.
        folder: Where the draft goes; files of an earlier one are replaced.
        data_fingerprint: Of the manifest, split included.
        leak: ``none``, or the note that marks every figure.

    Raises:
        BundleError: The graphs do not fit together, or the merged one does not give their average.
    """
    graphs = [(member / "model.onnx").read_bytes() for member in members]
    if sum(map(len, graphs)) > MOST_BYTES:
        raise BundleError(
            f"Expected graphs of at most 1 GiB together, these {len(graphs)} have {sum(map(len, graphs)) / 2**30:.1f}. "
            "Store their weights as float16 (--set export.weights=fp16), or train fewer folds."
        )
    own = read_facts(members[0])
    write_draft(
        average_graphs(graphs, recipe),
        recipe,
        folder,
        data_fingerprint=data_fingerprint,
        leak=leak,
        weights=own.training.weights,
        map_kind=own.graph.map,
        members=len(graphs),
    )


def average_graphs(graphs: Sequence[bytes], recipe: Recipe) -> bytes:
    """Return one graph that averages several, once it has been seen to.

    Raises:
        BundleError: The graphs do not fit together, or the merged one does not give their average.
    """
    content = merge_graphs(graphs)
    compare_members(content, graphs, draw_probe(read_size(recipe.export.input_size_px)))
    return content


def merge_graphs(graphs: Sequence[bytes]) -> bytes:
    """Return one ONNX graph that runs several on the same picture.

    Args:
        graphs: Graphs of bundles; input size, labels and map size are the same.

    Returns:
        A graph whose logits and maps are the means of theirs, and whose embedding holds theirs one after the other;
        where these would have more than ``MOST_FEATURES`` features together, each is first turned and cut by a random
        orthonormal matrix, which keeps distances nearly as they are (Johnson and Lindenstrauss 1984,
        doi 10.1090/conm/026/737400).

    Raises:
        BundleError: The graphs do not fit together.
    """
    models = [
        compose.add_prefix(onnx.load_from_string(graph), f"member{number}.", rename_inputs=False)
        for number, graph in enumerate(graphs)
    ]
    lengths = [read_length(model) for model in models]
    first = models[0]
    if any(list_versions(model) != list_versions(first) for model in models):
        raise BundleError("Expected graphs of one ONNX version; export all members again with the same torch.")
    merged = onnx.ModelProto()
    merged.CopyFrom(first)
    graph = merged.graph
    for model in models[1:]:
        graph.node.extend(model.graph.node)
        graph.initializer.extend(model.graph.initializer)
        graph.value_info.extend(model.graph.value_info)
        merged.functions.extend(model.functions)
    embeddings = shorten_embeddings(graph, lengths)
    outputs = {output.name.partition(".")[2]: output for output in first.graph.output}
    averaged = [name for name in ("logits", "map") if name in outputs]
    for name in averaged:
        parts = [f"member{number}.{name}" for number in range(len(models))]
        graph.node.append(helper.make_node("Mean", parts, [name]))
        outputs[name].name = name
    graph.node.append(helper.make_node("Concat", embeddings, ["embedding"], axis=1))
    outputs["embedding"].name = "embedding"
    outputs["embedding"].type.tensor_type.shape.dim[1].dim_value = sum(keep_features(lengths))
    del graph.output[:]
    graph.output.extend(outputs[name] for name in ("logits", "embedding", *averaged[1:]))
    onnx.checker.check_model(merged)
    return bytes(merged.SerializeToString(deterministic=True))


def list_versions(model: onnx.ModelProto) -> list[tuple[str, int]]:
    """Return the operator sets that a graph is written in."""
    return sorted((opset.domain, opset.version) for opset in model.opset_import)


def read_length(model: onnx.ModelProto) -> int:
    """Return the number of features in a member's embedding."""
    output = next(output for output in model.graph.output if output.name.endswith(".embedding"))
    return int(output.type.tensor_type.shape.dim[1].dim_value)


def keep_features(lengths: Sequence[int]) -> list[int]:
    """Return how many features of each member are kept."""
    if sum(lengths) <= MOST_FEATURES:
        return list(lengths)
    return [min(length, MOST_FEATURES // len(lengths)) for length in lengths]


def shorten_embeddings(graph: onnx.GraphProto, lengths: Sequence[int]) -> list[str]:
    """Add to a graph what shortens its members' embeddings, and return the names of the short ones."""
    names = []
    for number, (length, kept) in enumerate(zip(lengths, keep_features(lengths), strict=True)):
        name = f"member{number}.embedding"
        if kept < length:
            turn = numpy_helper.from_array(draw_turn(length, kept, seed=number), name=f"{name}.turn.half")
            graph.initializer.append(turn)
            graph.node.append(helper.make_node("Cast", [turn.name], [f"{name}.turn"], to=TensorProto.FLOAT))
            graph.node.append(helper.make_node("MatMul", [name, f"{name}.turn"], [f"{name}.short"]))
            name = f"{name}.short"
        names.append(name)
    return names


def draw_turn(length: int, kept: int, *, seed: int) -> NDArray[np.float16]:
    """Return float16 length×kept, random orthonormal columns."""
    normal = np.random.default_rng(seed).normal(size=(length, kept))
    columns, _ = np.linalg.qr(normal)
    return columns.astype(np.float16)


def compare_members(content: bytes, graphs: Sequence[bytes], probe: NDArray[np.uint8]) -> None:
    """Compare the merged graph with its members, run one by one, on the probe and a random picture.

    Raises:
        BundleError: It does not give their average.
    """
    noise = np.random.default_rng(0).integers(0, 256, probe.shape, dtype=np.uint8)
    images = np.stack([probe, noise])
    got = Session(content).run(images)
    outputs: list[Outputs] = [Session(graph).run(images) for graph in graphs]
    for name in ("logits", "map") if got.map is not None else ("logits",):
        wanted = np.mean([getattr(output, name) for output in outputs], axis=0)
        difference = float(np.abs(getattr(got, name) - wanted).max())
        if not difference <= TOLERANCE * max(1.0, float(np.abs(wanted).max())):
            raise BundleError(f"The merged graph's {name} differs from the members' average by {difference:.2g}.")

"""Weights stored small in a graph: as float16, or as whole numbers of one byte with a factor for each output channel.

Arithmetic stays float32: ONNX Runtime widens them once, when it opens the graph. Networks are rounded before they are
exported and measured, so that what is stored loses nothing more.
"""

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper
from torch import nn

from secondlook.training.sections import Storage

SMALLEST_STORED = 64
LARGEST = 127
# A factor keeps 16 bits of its own, so that its product with a number of 7 bits is exact in float32's 24.
FACTOR_BITS = np.int32(~0xFF)


@torch.no_grad()
def round_weights(network: nn.Module, storage: Storage) -> None:
    """Round the large weights of a network to what their storage can hold.

    Args:
        network: Changed in place.
        storage: ``int8`` rounds tensors of two and more dimensions to whole multiples of their output channel's factor,
            and all others as ``fp16`` does.
    """
    if storage == "fp32":
        return
    for weight in network.parameters():
        if weight.numel() < SMALLEST_STORED:
            continue
        if storage == "int8" and weight.dim() >= 2:
            whole, factor = part_weight(weight.detach().numpy())
            weight.copy_(torch.from_numpy(whole * factor))
        else:
            weight.copy_(weight.half().float())


def find_factors(weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return each output channel's factor, float32 O×1…: its largest weight is 127 of them; 1 where all are 0."""
    largest = np.abs(weight).max(axis=tuple(range(1, weight.ndim)), keepdims=True) / np.float32(LARGEST)
    short: NDArray[np.float32] = (largest.astype(np.float32).view(np.int32) & FACTOR_BITS).view(np.float32)
    return np.where(short > 0, short, np.float32(1))


def part_weight(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return a weight as whole numbers, int8 of its shape, and their factors, whose product comes nearest to it."""
    factor = find_factors(weight)
    return np.round(weight / factor).clip(-LARGEST, LARGEST).astype(np.int8), factor


def store_weights(model: onnx.ModelProto, storage: Storage) -> None:
    """Store the large float32 weights of a graph small, those that lose nothing by it; the others stay as they are."""
    if storage == "fp32":
        return
    stored: list[TensorProto] = []
    opening: list[NodeProto] = []
    for tensor in model.graph.initializer:
        small = None
        if tensor.data_type == TensorProto.FLOAT:
            small = shrink(tensor.name, numpy_helper.to_array(tensor), storage)
        stored.extend([tensor] if small is None else small[0])
        opening.extend([] if small is None else small[1])
    del model.graph.initializer[:]
    model.graph.initializer.extend(stored)
    made = {node.output[0] for node in opening}
    known = [value for value in model.graph.value_info if value.name not in made]
    del model.graph.value_info[:]
    model.graph.value_info.extend(known)
    nodes = [*opening, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)


def shrink(
    name: str, values: NDArray[np.float32], storage: Storage
) -> tuple[list[TensorProto], list[NodeProto]] | None:
    """Return small tensors for a large one and the nodes that make it of them again; None where it would change.

    Args:
        name: The tensor's name in the graph.
        values: float32, any shape.
        storage: ``fp16`` or ``int8``.
    """
    if values.size < SMALLEST_STORED:
        return None
    if storage == "int8" and values.ndim >= 2:
        whole, factor = part_weight(values)
        if np.array_equal(whole * factor, values):
            return (
                [numpy_helper.from_array(whole, f"{name}.whole"), numpy_helper.from_array(factor, f"{name}.factor")],
                [
                    helper.make_node("Cast", [f"{name}.whole"], [f"{name}.wide"], to=TensorProto.FLOAT),
                    helper.make_node("Mul", [f"{name}.wide", f"{name}.factor"], [name]),
                ],
            )
    with np.errstate(over="ignore"):
        half = values.astype(np.float16)
    if not np.array_equal(half.astype(np.float32), values):
        return None
    return (
        [numpy_helper.from_array(half, f"{name}.half")],
        [helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT)],
    )

"""Weights stored small: what comes out of the graph is what was rounded, to the last bit."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from secondlook.inference.graph import count_parameters, shuffle_weights
from secondlook.training.sections import Storage
from secondlook.training.storage import LARGEST, find_factors, round_weights, store_weights


def make_network() -> nn.Module:
    """Return layers of several shapes, one with a channel of zeros and one with tiny weights."""
    torch.manual_seed(5)
    network = nn.Sequential(nn.Conv2d(16, 64, 3), nn.BatchNorm2d(64), nn.Conv2d(64, 32, 3, groups=4), nn.Linear(32, 7))
    with torch.no_grad():
        network[0].weight[4] = 0
        network[2].weight[1] *= 1e-9
        network[1].weight.uniform_(-2, 2)
    return network


def read_weights(network: nn.Module) -> dict[str, NDArray[np.float32]]:
    return {name: value.detach().numpy().copy() for name, value in network.named_parameters()}


def make_graph(weights: dict[str, NDArray[np.float32]]) -> onnx.ModelProto:
    """Return a graph that gives its weights as they are."""
    nodes = [helper.make_node("Identity", [name], [f"{name}.out"]) for name in weights]
    outputs = [
        helper.make_tensor_value_info(f"{name}.out", TensorProto.FLOAT, value.shape) for name, value in weights.items()
    ]
    tensors = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "weights", [], outputs, tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def open_weights(content: bytes) -> list[NDArray[np.float32]]:
    return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"]).run(None, {})


@pytest.mark.parametrize(("storage", "smaller"), [("fp16", 0.55), ("int8", 0.4)])
def test_a_graph_gives_rounded_weights_back_to_the_last_bit(storage: Storage, smaller: float) -> None:
    network = make_network()
    before = read_weights(network)
    round_weights(network, storage)
    rounded = read_weights(network)
    model = make_graph(rounded)
    whole = len(model.SerializeToString())
    store_weights(model, storage)
    content = model.SerializeToString()
    assert len(content) < smaller * whole
    for got, (name, wanted) in zip(open_weights(content), rounded.items(), strict=True):
        np.testing.assert_array_equal(got, wanted)
        assert np.abs(wanted - before[name]).max() <= np.abs(before[name]).max() / 200, name
    counted = count_parameters(content)
    assert sum(value.size for value in rounded.values()) <= counted < 1.1 * sum(map(np.size, rounded.values()))


def test_fp32_changes_nothing() -> None:
    network = make_network()
    before = read_weights(network)
    round_weights(network, "fp32")
    model = make_graph(read_weights(network))
    content = model.SerializeToString()
    store_weights(model, "fp32")
    assert model.SerializeToString() == content
    for got, wanted in zip(open_weights(content), before.values(), strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_every_channel_has_a_factor_of_its_own_and_keeps_its_largest_weight() -> None:
    weight = make_network()[0].weight.detach().numpy()
    weight[7] *= 1e-4
    factor = find_factors(weight)
    assert factor.shape == (64, 1, 1, 1)
    assert factor[4] == 1, "a channel of zeros"
    used = np.arange(64) != 4
    np.testing.assert_allclose(np.abs(weight[used]).max(axis=(1, 2, 3)) / factor[used, 0, 0, 0], LARGEST, rtol=1e-4)


def test_weights_that_would_change_stay_as_they_are() -> None:
    weights = read_weights(make_network())
    model = make_graph(weights)
    store_weights(model, "int8")
    for got, wanted in zip(open_weights(model.SerializeToString()), weights.values(), strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_weights_of_one_byte_are_shuffled_too() -> None:
    network = make_network()
    round_weights(network, "int8")
    model = make_graph(read_weights(network))
    store_weights(model, "int8")
    content = model.SerializeToString()
    shuffled = shuffle_weights(content, seed=1)
    assert len(shuffled) == len(content)
    for got, kept in zip(open_weights(shuffled)[:1], open_weights(content)[:1], strict=True):
        assert not np.array_equal(got, kept)

import numpy as np
import onnx
import pytest
from google.protobuf.descriptor import Descriptor
from onnx import TensorProto, helper, numpy_helper

from secondlook.errors import BundleError
from secondlook.inference.graph import DATA_LOCATION, EXTERNAL_DATA, MESSAGES, refuse_external_data
from tests.bundles import make_model


def make_external(name: str = "weights.bin", *, location: bool = True, entry: bool = True) -> TensorProto:
    tensor = TensorProto(name="outside", data_type=TensorProto.FLOAT, dims=[4])
    if location:
        tensor.data_location = TensorProto.EXTERNAL
    if entry:
        tensor.external_data.add(key="location", value=name)
    return tensor


def test_a_graph_with_all_weights_inside_is_accepted() -> None:
    refuse_external_data(make_model().SerializeToString())


@pytest.mark.parametrize("form", [{"location": False}, {"entry": False}, {}])
@pytest.mark.parametrize("name", ["weights.bin", "../../secret", "/etc/passwd", "*/_ORT_MEM_ADDR_/*"])
def test_an_initializer_outside_the_file_is_refused(name: str, form: dict[str, bool]) -> None:
    model = onnx.ModelProto.FromString(make_model().SerializeToString())
    model.graph.initializer.append(make_external(name, **form))
    with pytest.raises(BundleError, match="outside it"):
        refuse_external_data(model.SerializeToString())


def hide_in_constant(model: onnx.ModelProto, tensor: TensorProto) -> None:
    model.graph.node.append(helper.make_node("Constant", [], ["hidden"], value=tensor))


def hide_in_branch(model: onnx.ModelProto, tensor: TensorProto) -> None:
    inner = helper.make_graph([], "inner", [], [], [tensor])
    model.graph.node.append(helper.make_node("If", ["c"], ["d"], then_branch=inner, else_branch=inner))


def hide_in_sparse(model: onnx.ModelProto, tensor: TensorProto) -> None:
    model.graph.sparse_initializer.add().values.CopyFrom(tensor)


def hide_in_function(model: onnx.ModelProto, tensor: TensorProto) -> None:
    node = helper.make_node("Constant", [], ["y"], value=tensor)
    model.functions.append(helper.make_function("here", "F", [], ["y"], [node], [helper.make_opsetid("", 17)]))


def hide_in_training(model: onnx.ModelProto, tensor: TensorProto) -> None:
    model.training_info.add().algorithm.initializer.append(tensor)


@pytest.mark.parametrize("hide", [hide_in_constant, hide_in_branch, hide_in_sparse, hide_in_function, hide_in_training])
def test_no_place_hides_an_outside_tensor(hide) -> None:
    model = onnx.ModelProto.FromString(make_model().SerializeToString())
    hide(model, make_external())
    with pytest.raises(BundleError, match="outside it"):
        refuse_external_data(model.SerializeToString())


def test_every_path_of_the_format_to_a_tensor_is_walked() -> None:
    reaching = find_paths(onnx.ModelProto.DESCRIPTOR)
    assert {name: set(fields) for name, fields in MESSAGES.items()} == reaching
    numbers = TensorProto.DESCRIPTOR.fields_by_name
    assert (numbers["external_data"].number, numbers["data_location"].number) == (EXTERNAL_DATA, DATA_LOCATION)


def find_paths(root: Descriptor) -> dict[str, set[int]]:
    """Return by message the numbers of the fields through which a tensor can be reached."""
    messages, waiting = {}, [root]
    while waiting:
        message = waiting.pop()
        messages[message.name] = message
        waiting += [f.message_type for f in message.fields if f.message_type and f.message_type.name not in messages]
    reaching = {"TensorProto"}
    while True:
        more = {
            name
            for name, message in messages.items()
            if any(field.message_type and field.message_type.name in reaching for field in message.fields)
        }
        if more <= reaching:
            break
        reaching |= more
    fields = {
        name.removesuffix("Proto"): {
            field.number
            for field in messages[name].fields
            if field.message_type and field.message_type.name in reaching
        }
        for name in reaching
    }
    return {name: numbers for name, numbers in fields.items() if numbers}


@pytest.mark.parametrize("data", [b"not a graph at all", b"\x3a\xff\xff\xff\xff\x0f", b"\xff" * 40, b"\x3b\x00"])
def test_bytes_that_are_no_graph_are_refused(data: bytes) -> None:
    with pytest.raises(BundleError, match="damaged or something else"):
        refuse_external_data(data)


def test_deep_nesting_needs_no_stack() -> None:
    inner = helper.make_graph([], "inner", [], [], [make_external()])
    for _ in range(30):
        inner = helper.make_graph([helper.make_node("If", ["c"], ["d"], then_branch=inner)], "inner", [], [])
    model = helper.make_model(inner)
    with pytest.raises(BundleError, match="outside it"):
        refuse_external_data(model.SerializeToString())


def test_weights_that_look_like_fields_are_left_alone() -> None:
    model = onnx.ModelProto.FromString(make_model().SerializeToString())
    model.graph.initializer.append(numpy_helper.from_array(np.arange(4096, dtype="uint8"), "bytes"))
    refuse_external_data(model.SerializeToString())

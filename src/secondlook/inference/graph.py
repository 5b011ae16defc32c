"""Find out, without the onnx package, whether an ONNX graph keeps data outside its own file; count or shuffle weights.

ONNX files are protocol buffers. A tensor with ``data_location`` EXTERNAL or with ``external_data`` names a file (or,
in ONNX Runtime, a memory address) to read; a bundle must never do so. Every place where the format allows a tensor
is walked: initializers, sparse ones, attributes, subgraphs, functions and training information.
Field numbers: onnx.proto of ONNX 1.17.
"""

from collections.abc import Iterator

import numpy as np

from secondlook.errors import BundleError

# Message → field number → the message in that field. Fields that hold no tensor at any depth are skipped.
MESSAGES: dict[str, dict[int, str]] = {
    "Model": {7: "Graph", 20: "TrainingInfo", 25: "Function"},
    "TrainingInfo": {1: "Graph", 2: "Graph"},
    "Function": {7: "Node", 11: "Attribute"},
    "Graph": {1: "Node", 5: "Tensor", 15: "SparseTensor"},
    "Node": {5: "Attribute"},
    "Attribute": {5: "Tensor", 6: "Graph", 10: "Tensor", 11: "Graph", 22: "SparseTensor", 23: "SparseTensor"},
    "SparseTensor": {1: "Tensor", 2: "Tensor"},
}
DIMS, DATA_TYPE, FLOAT_DATA, RAW_DATA, EXTERNAL_DATA, DATA_LOCATION = 1, 2, 4, 9, 13, 14
GRAPH, INITIALIZER = 7, 5
WIDTHS = {1: 4, 3: 1, 10: 2, 11: 8, 16: 2}  # bytes of one number: float, int8, float16, double, bfloat16
FEWEST_SHUFFLED = 8  # fewer are constants such as the channels' means or the factors of a resize
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def refuse_external_data(model: bytes) -> None:
    """Check that every tensor of an ONNX file lies in the file itself.

    Raises:
        BundleError: A tensor points elsewhere, or the bytes are no ONNX file.
    """
    try:
        external = any(_points_outside(tensor) for tensor in _find_tensors(model))
    except (IndexError, ValueError) as error:
        raise BundleError(
            "Expected an ONNX graph in model.onnx; the file is damaged or something else. Fetch the bundle again."
        ) from error
    if external:
        raise BundleError(
            "Expected all weights inside model.onnx; the graph points to data outside it, which a bundle may not do. "
            "Export it as one file."
        )


def count_parameters(model: bytes) -> int:
    """Return how many numbers an ONNX graph stores as weights, statistics and constants.

    They are those with a fraction, and those of one byte, which are weights too (``secondlook.training.storage``).

    Raises:
        BundleError: The bytes are no ONNX file.
    """
    try:
        return sum(_count_values(tensor) for tensor in _find_tensors(model))
    except (IndexError, ValueError) as error:
        raise BundleError("Expected an ONNX graph in model.onnx; the file is damaged or something else.") from error


def shuffle_weights(model: bytes, *, seed: int) -> bytes:
    """Return a graph in which every weight stands at a random place of its own tensor: it has learnt nothing.

    The spread of each layer's weights stays, so that the numbers stay within range. It is the randomisation test of
    Adebayo et al. 2018, doi 10.48550/arXiv.1810.03292, with the weights' own distribution.

    Args:
        model: An ONNX file.
        seed: Seed of the shuffling.

    Raises:
        BundleError: The bytes are no ONNX file.
    """
    shuffled = bytearray(model)
    generator = np.random.default_rng(seed)
    try:
        for tensor in _find_initializers(memoryview(shuffled)):
            fields = {field: value for field, _, value in _read_fields(tensor)}
            kind = _read_varint(fields[DATA_TYPE], 0)[0] if DATA_TYPE in fields else 0
            data = fields.get(RAW_DATA, fields.get(FLOAT_DATA))
            if kind in WIDTHS and data is not None and len(data) >= FEWEST_SHUFFLED * WIDTHS[kind]:
                generator.shuffle(np.frombuffer(data, dtype=f"u{WIDTHS[kind]}"))
    except (IndexError, ValueError) as error:
        raise BundleError("Expected an ONNX graph in model.onnx; the file is damaged or something else.") from error
    return bytes(shuffled)


def _find_initializers(model: memoryview) -> Iterator[memoryview]:
    for field, _, graph in _read_fields(model):
        if field == GRAPH:
            yield from (value for number, _, value in _read_fields(graph) if number == INITIALIZER)


def _count_values(tensor: memoryview) -> int:
    count, kind = 1, 0
    for field, _, value in _read_fields(tensor):
        if field == DATA_TYPE:
            kind = _read_varint(value, 0)[0]
        elif field == DIMS:
            position = 0
            while position < len(value):  # one dimension, or all of them in one field
                size, position = _read_varint(value, position)
                count *= size
    return count if kind in WIDTHS else 0


def _find_tensors(model: bytes) -> Iterator[memoryview]:
    waiting = [("Model", memoryview(model))]
    while waiting:
        kind, message = waiting.pop()
        if kind == "Tensor":
            yield message
            continue
        for field, wire, value in _read_fields(message):
            child = MESSAGES[kind].get(field)
            if child is not None and wire == BYTES:
                waiting.append((child, value))


def _points_outside(tensor: memoryview) -> bool:
    return any(
        field == EXTERNAL_DATA or (field == DATA_LOCATION and bytes(value) != b"\0")
        for field, _, value in _read_fields(tensor)
    )


def _read_fields(message: memoryview) -> Iterator[tuple[int, int, memoryview]]:
    """Yield number, wire type and raw value of each field."""
    position = 0
    while position < len(message):
        tag, position = _read_varint(message, position)
        field, wire = tag >> 3, tag & 7
        if wire == VARINT:
            _, end = _read_varint(message, position)
        elif wire == BYTES:
            size, position = _read_varint(message, position)
            end = position + size
        elif wire in (FIXED64, FIXED32):
            end = position + (8 if wire == FIXED64 else 4)
        else:
            raise ValueError(f"unknown wire type {wire}")
        if end > len(message):
            raise ValueError("a field runs past its message")
        yield field, wire, message[position:end]
        position = end


def _read_varint(message: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, position
    raise ValueError("a number longer than ten bytes")

"""Run a bundle's ONNX graph on one core; ONNX Runtime lives here alone."""

import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakValueDictionary

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from secondlook.errors import BundleError
from secondlook.inference.graph import refuse_external_data

OUTPUTS = ("logits", "embedding", "map")
RANKS = {"logits": 2, "embedding": 2, "map": 4}
SIGNATURES = [{name: ("tensor(float)", RANKS[name]) for name in names} for names in (OUTPUTS, OUTPUTS[:2])]


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the graph says about N pictures.

    Attributes:
        logits: float32 N×K, before any prior and temperature.
        embedding: float32 N×D.
        map: float32 N×K×h×w, what each place that the network saw says for each class, row 0 at the top; None where
            the graph gives none.
    """

    logits: NDArray[np.float32]
    embedding: NDArray[np.float32]
    map: NDArray[np.float32] | None


class Session:
    """One ONNX Runtime session: sequential, without spinning threads; safe to call from several threads.

    Args:
        model: The graph, as a file or as its bytes.
        threads: Threads within one operator.

    Raises:
        BundleError: The graph cannot be read, points outside its file, or has other inputs and outputs.
    """

    def __init__(self, model: Path | bytes, *, threads: int = 1) -> None:
        data = model if isinstance(model, bytes) else model.read_bytes()
        refuse_external_data(data)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's own classes have no common parent
            raise BundleError(
                "Expected an ONNX graph in model.onnx; ONNX Runtime cannot load it. Export or fetch the bundle again."
            ) from error
        self.size_px = check_signature(self._session)  # height and width
        self.has_map = len(self._session.get_outputs()) == len(OUTPUTS)

    def run(self, images: NDArray[np.uint8]) -> Outputs:
        """Run the graph.

        Args:
            images: uint8 N×H×W×3, RGB, of the bundle's input size.

        Returns:
            Logits, embeddings and maps of the N pictures; each is exactly what the picture gives alone.

        Raises:
            BundleError: The graph fails on this input.
        """
        if images.dtype != np.uint8 or images.shape[1:] != (*self.size_px, 3) or not len(images):
            height, width = self.size_px
            raise ValueError(f"Expected uint8 N×{height}×{width}×3 with N > 0, got {images.dtype} {images.shape}.")
        # One by one: matrix products round differently with the number of rows, and a batch must equal singles.
        rows = [self._run_one(images[number : number + 1]) for number in range(len(images))]
        logits, embedding, *maps = (np.concatenate(parts) for parts in zip(*rows, strict=True))
        return Outputs(logits, embedding, maps[0] if maps else None)

    def _run_one(self, image: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        try:
            outputs: list[NDArray[np.float32]] = self._session.run(
                OUTPUTS if self.has_map else OUTPUTS[:2], {"image": image}
            )
        except Exception as error:
            raise BundleError(
                "The bundle's graph fails on a picture of its own input size; export it again."
            ) from error
        return outputs


def check_signature(session: onnxruntime.InferenceSession) -> tuple[int, int]:
    """Return the input's height and width in pixels.

    Raises:
        BundleError: Inputs or outputs are not those of a bundle.
    """
    inputs = session.get_inputs()
    shape = list(inputs[0].shape) if len(inputs) == 1 else []
    fixed = len(shape) == 4 and isinstance(shape[1], int) and isinstance(shape[2], int) and shape[3] == 3
    dynamic = bool(shape) and not isinstance(shape[0], int)
    if len(inputs) != 1 or inputs[0].name != "image" or inputs[0].type != "tensor(uint8)" or not (fixed and dynamic):
        raise BundleError(
            "Expected a graph with one input `image`, uint8 N×H×W×3 with a free N; model.onnx has another. "
            "Export it again."
        )
    found = {output.name: (output.type, len(output.shape)) for output in session.get_outputs()}
    if found not in SIGNATURES:
        raise BundleError(
            "Expected a graph with the float32 outputs logits N×K, embedding N×D and, if it has one, map N×K×h×w; "
            "model.onnx has others. Export it again."
        )
    return int(shape[1]), int(shape[2])


_sessions: WeakValueDictionary[str, Session] = WeakValueDictionary()
_lock = threading.Lock()


def share_session(data: bytes) -> Session:
    """Return this process's one session for a graph with these bytes; it ends with the last bundle that uses it.

    Raises:
        BundleError: As for ``Session``.
    """
    key = hashlib.sha256(data).hexdigest()
    with _lock:
        session = _sessions.get(key) or Session(data)
        _sessions[key] = session
        return session

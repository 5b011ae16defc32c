"""The small network that says which pixels are lesion: a graph and its facts in one folder."""

import datetime
import hashlib
import threading
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from pydantic import PositiveInt, ValidationError

from secondlook.errors import BundleError
from secondlook.imaging.resize import resize_picture
from secondlook.inference.graph import refuse_external_data
from secondlook.inference.schema import Schema, Sha256, Side

FACTS, GRAPH = "outline.json", "outline.onnx"
SHIPPED = Path(__file__).parents[1] / "bundles" / "outline"


class OutlineFacts(Schema):
    """``outline.json``: what the network takes, and what it learned from."""

    schema_version: Literal[1]
    version: str
    input_size_px: tuple[Side, Side]
    graph_sha256: Sha256
    created: datetime.date
    licence: str
    data_fingerprint: Sha256
    pictures: PositiveInt
    groups: PositiveInt
    secondlook_version: str


class Outliner:
    """Says of each place of a picture how likely it is lesion; safe to use from several threads.

    Args:
        folder: Folder with ``outline.json`` and ``outline.onnx``.

    Raises:
        BundleError: One of them is missing, damaged, or does not fit the other.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self.facts = OutlineFacts.model_validate_json((folder / FACTS).read_bytes())
            graph = (folder / GRAPH).read_bytes()
        except (OSError, ValidationError) as error:
            raise BundleError(
                f"Expected {FACTS} and {GRAPH} of an outline network in {folder.name!r}; one is missing or does not "
                "follow the schema. Train it again with `secondlook outline train`."
            ) from error
        if hashlib.sha256(graph).hexdigest() != self.facts.graph_sha256:
            raise BundleError(
                f"{GRAPH} is not the graph that {FACTS} describes. Fetch or train the outline network again."
            )
        self._session = open_graph(graph)

    def score(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return how likely each place is lesion: float32 h×w in 0…1 over the whole picture, row 0 at the top.

        Args:
            pixels: uint8 H×W×3, RGB.
        """
        image = resize_picture(pixels, self.facts.input_size_px, resize="stretch")
        (shares,) = self._session.run(["lesion"], {"image": image[None]})
        return np.asarray(shares[0], dtype=np.float32)


def open_graph(graph: bytes) -> onnxruntime.InferenceSession:
    """Return a session of one thread that does not spin.

    Raises:
        BundleError: ONNX Runtime cannot load the graph, or it points outside its file.
    """
    refuse_external_data(graph)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own classes have no common parent
        raise BundleError(
            f"Expected an ONNX graph in {GRAPH}; ONNX Runtime cannot load it. Fetch or train it again."
        ) from error


_lock = threading.Lock()


@cache
def _load(folder: Path) -> Outliner:
    return Outliner(folder)


def load_outliner(folder: Path = SHIPPED) -> Outliner:
    """Return this process's one outline network of a folder; the shipped one by default.

    Raises:
        BundleError: As for ``Outliner``.
    """
    with _lock:
        return _load(folder)

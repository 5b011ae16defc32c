"""Where a picture speaks for a label, for graphs without a map: hide one part after the other and look what is lost."""

import threading
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from secondlook.inference.session import Session

CELLS = 7


def measure_occlusion(session: Session, image: NDArray[np.uint8], *, cells: int = CELLS) -> NDArray[np.float32]:
    """Return by how much each label's logit drops when a part of the picture takes the picture's mean colour.

    Zeiler and Fergus 2014, doi 10.1007/978-3-319-10590-1_53.

    Args:
        session: The graph.
        image: uint8 H×W×3, RGB, of the graph's input size.
        cells: Number of parts along each side.

    Returns:
        float32 K×cells×cells, row 0 at the top.
    """
    logits = session.run(image[None]).logits[0]
    colour = np.rint(image.mean(axis=(0, 1))).astype(np.uint8)
    rows, columns = (np.rint(np.linspace(0, side, cells + 1)).astype(int) for side in image.shape[:2])
    drops = np.empty((len(logits), cells, cells), np.float32)
    for row in range(cells):
        for column in range(cells):
            hidden = image.copy()
            hidden[rows[row] : rows[row + 1], columns[column] : columns[column + 1]] = colour
            drops[:, row, column] = logits - session.run(hidden[None]).logits[0]
    return drops


class OcclusionHeatmaps(Mapping[str, NDArray[np.float32]]):
    """Heatmaps by label that are computed when the first is asked for, since they take half a hundred runs.

    Args:
        session: The graph.
        image: uint8 H×W×3, RGB, of the graph's input size.
        labels: In the order of the logits.
    """

    def __init__(self, session: Session, image: NDArray[np.uint8], labels: Sequence[str]) -> None:
        self._session, self._image, self._labels = session, image, tuple(labels)
        self._heatmaps: dict[str, NDArray[np.float32]] = {}
        self._lock = threading.Lock()

    def __getitem__(self, label: str) -> NDArray[np.float32]:
        """Return one label's heatmap, float32 h×w in 0…1."""
        with self._lock:
            if not self._heatmaps:
                maps = scale_maps(measure_occlusion(self._session, self._image))
                self._heatmaps = dict(zip(self._labels, maps, strict=True))
        return self._heatmaps[label]

    def __iter__(self) -> Iterator[str]:
        return iter(self._labels)

    def __len__(self) -> int:
        return len(self._labels)


def scale_maps(maps: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Return one heatmap per label, float32 h×w in 0…1: where the picture speaks for it, against the mean of all.

    A value added to all labels changes no probability, so it is taken away; what speaks against the label counts as
    nothing; the strongest place is one.

    Args:
        maps: float32 K×h×w, class activation (Zhou et al. 2016, doi 10.1109/CVPR.2016.319) or loss by occlusion.
    """
    evidence = np.maximum(maps - maps.mean(axis=0), 0)
    peaks = evidence.max(axis=(1, 2), keepdims=True)
    return list((evidence / np.maximum(peaks, np.finfo(np.float32).tiny)).astype(np.float32))

"""Find the lesion in a photograph: one function per method, all with one signature."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from secondlook.errors import InputError
from secondlook.explanation.segmentation.clusters import segment_by_clusters
from secondlook.explanation.segmentation.network import OutlineNetwork
from secondlook.explanation.segmentation.preparation import Pixels
from secondlook.explanation.segmentation.regions import Mask
from secondlook.explanation.segmentation.threshold import ColourRange, segment_by_threshold
from secondlook.explanation.segmentation.walk import segment_by_walk

__all__ = [
    "DEFAULT",
    "METHODS",
    "ColourRange",
    "Mask",
    "Method",
    "OutlineNetwork",
    "Pixels",
    "Segment",
    "find_method",
    "segment_lesion",
]

Segment = Callable[[Pixels], Mask]


@dataclass(frozen=True, slots=True)
class Method:
    """A way to find the lesion.

    Attributes:
        segment: From uint8 H×W×3 RGB to bool H×W; no pixel is true where no lesion is found.
        summary: What it does, in one sentence.
        learned: Whether it learned from masks, so that its figure counts only on pictures that it has not seen.
    """

    segment: Segment
    summary: str
    learned: bool = False


METHODS: Final[Mapping[str, Method]] = {
    "network": Method(OutlineNetwork(), "A small U-Net that learned from masks drawn by experts.", learned=True),
    "walk": Method(segment_by_walk, "Colour models of lesion and skin, joined by a random walk."),
    "kmeans": Method(segment_by_clusters, "The darker of two clusters of colours."),
    "otsu": Method(segment_by_threshold, "What is darker than Otsu's automatic threshold."),
}
DEFAULT: Final = "network"


def find_method(name: str) -> Method:
    """Return a method by name.

    Raises:
        InputError: There is none of that name.
    """
    try:
        return METHODS[name]
    except KeyError:
        raise InputError(f"Expected a method, one of {', '.join(METHODS)}; got {name[:40]!r}.") from None


def segment_lesion(pixels: Pixels, *, method: str = DEFAULT) -> Mask:
    """Return which pixels are lesion; none where no lesion is found.

    Args:
        pixels: uint8 H×W×3, RGB.
        method: A name in ``METHODS``.

    Returns:
        bool H×W.

    Raises:
        InputError: There is no such method.
    """
    return find_method(method).segment(pixels)

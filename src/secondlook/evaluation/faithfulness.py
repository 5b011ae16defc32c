"""Whether a heatmap tells the truth: measures of one map on one picture, as pure functions."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from secondlook.evaluation.metrics import compute_share
from secondlook.imaging.resize import find_box

Pixels = NDArray[np.uint8]
Heat = NDArray[np.float32]
Floats = NDArray[np.float64]
Answer = Callable[[Pixels], float]
Box = tuple[float, float, float, float]

BLUR = 1 / 12  # of the shorter side: nothing of a lesion's structure is left
CENTRE_SPREAD = 0.25  # of each side


def trace_deletion(answer: Answer, image: Pixels, heat: Heat, *, steps: int) -> Floats:
    """Take the hottest parts away first and see how soon the answer falls.

    What is taken away gets the picture's mean colour (Petsiuk, Das, Saenko 2018, doi 10.48550/arXiv.1806.07421).

    Args:
        answer: From a picture to the probability of the label that the map speaks for.
        image: uint8 H×W×3, RGB, of the network's input size.
        heat: float32 H×W.
        steps: Number of equal parts in which the picture is taken away.

    Returns:
        float64 steps+1, the answer with none, 1/steps, … all of the picture gone.
    """
    blank = np.broadcast_to(np.rint(image.mean(axis=(0, 1))).astype(np.uint8), image.shape)
    return _trace_replacement(answer, image, blank, heat, steps)


def trace_insertion(answer: Answer, image: Pixels, heat: Heat, *, steps: int) -> Floats:
    """Put the hottest parts first into a blurred copy of the picture and see how soon the answer rises.

    Args:
        answer: As for :func:`trace_deletion`.
        image: uint8 H×W×3, RGB, of the network's input size.
        heat: float32 H×W.
        steps: Number of equal parts in which the picture is put back.

    Returns:
        float64 steps+1, the answer with none, 1/steps, … all of the picture there.
    """
    radius = BLUR * min(image.shape[:2])
    blurred = np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(radius)))
    return _trace_replacement(answer, blurred, image, heat, steps)


def _trace_replacement(answer: Answer, start: Pixels, end: Pixels, heat: Heat, steps: int) -> Floats:
    order = np.argsort(-heat.ravel(), kind="stable")
    picture, target = start.reshape(-1, 3).copy(), end.reshape(-1, 3)
    answers = [answer(start)]
    for part in np.array_split(order, steps):
        picture[part] = target[part]
        answers.append(answer(picture.reshape(start.shape)))
    return np.array(answers)


def measure_area(curve: Floats) -> float:
    """Return the area under a curve whose points stand at equal distances over 0…1."""
    return float((curve[1:] + curve[:-1]).mean() / 2)


def measure_heat_inside(heat: Heat, mask: NDArray[np.bool_]) -> float:
    """Return which share of a map's heat lies inside a mask; NaN for a map without heat.

    Chance is the mask's own share of the picture: what an even map gives.

    Args:
        heat: float32 H×W, not negative.
        mask: bool H×W.
    """
    return float(compute_share(heat[mask].sum(dtype=np.float64), heat.sum(dtype=np.float64)))


def hits_inside(heat: Heat, mask: NDArray[np.bool_]) -> bool:
    """Tell whether the hottest place lies inside a mask (the pointing game; Zhang et al. 2018).

    Their doi is 10.1007/s11263-017-1059-x.
    """
    return bool(mask.ravel()[heat.argmax()])


def correlate_ranks(first: Heat, second: Heat) -> float:
    """Return Spearman's correlation of two maps of one shape, ties at their mean rank; 0 where one of them is even."""
    ranks = [_rank(values.ravel().astype(np.float64)) for values in (first, second)]
    centred = [rank - rank.mean() for rank in ranks]
    spread = np.sqrt((centred[0] ** 2).sum() * (centred[1] ** 2).sum())
    return float((centred[0] * centred[1]).sum() / spread) if spread else 0.0


def _rank(values: Floats) -> Floats:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[place])


def draw_centre(cells: tuple[int, int]) -> Heat:
    """Return a map that knows nothing but that photographers centre what they take: a round Gaussian, h×w in 0…1."""
    rows, columns = (((np.arange(count) + 0.5) / count - 0.5) / CENTRE_SPREAD for count in cells)
    return np.exp(-(rows[:, None] ** 2 + columns**2) / 2).astype(np.float32)


def align_mask(
    mask: NDArray[np.bool_], picture: tuple[int, int], *, seen: Box, size: tuple[int, int]
) -> NDArray[np.bool_]:
    """Return a mask on the grid of the network's input.

    A mask of other proportions than the picture is one of the whole frame, of which the picture is the central part.

    Args:
        mask: bool H×W, of the picture or of the frame that it was cut from, at any size.
        picture: Width and height of the picture in pixels.
        seen: Left, top, right and lower edge of what the network saw, as shares of the picture's width and height.
        size: Height and width of the network's input.

    Returns:
        bool height×width.
    """
    left, top, right, bottom = find_box(mask.shape[1], mask.shape[0], size_px=(picture[1], picture[0]))
    edges = np.interp((seen[0], seen[2]), (0, 1), (left, right)), np.interp((seen[1], seen[3]), (0, 1), (top, bottom))
    # Sums of floats may end a hair outside of the mask.
    (west, east), (north, south) = (np.clip(pair, 0, side) for pair, side in zip(edges, mask.shape[::-1], strict=True))
    box = (float(west), float(north), float(east), float(south))
    cover = Image.fromarray(mask.astype(np.uint8) * 255).resize((size[1], size[0]), Image.Resampling.BOX, box=box)
    return np.asarray(cover) > 127

"""Segmentation by colour models of lesion and skin, and a random walk that respects edges."""

import numpy as np
from numpy.typing import NDArray

from secondlook.explanation.lab import convert_to_lab
from secondlook.explanation.segmentation.preparation import (
    HAIR_PX,
    Pixels,
    balance_colours,
    enlarge_mask,
    find_dark_corners,
    remove_hairs,
    shrink_picture,
)
from secondlook.explanation.segmentation.regions import Mask, choose_lesion
from secondlook.explanation.segmentation.threshold import find_threshold

Floats = NDArray[np.float64]

# Chosen on the splits train and calibration of HAM10000: see docs/outlines.md.
WALK_PX = 64
ROUNDS = 5
PLACE_SPREAD, PLACE_WEIGHT = 0.28, 0.5
MOST_EVIDENCE = 7.0
LIGHTER_COUNTS = 0.2
OWN_OPINION = 0.1
LEAST_VARIANCE = 4.0
LEAST_TIE = 1e-4
STEPS, ENOUGH = 120, 1e-6


def segment_by_walk(pixels: Pixels) -> Mask:
    """Model the colours of lesion and skin in turn with where each lies, until both agree.

    What differs most from the skin at the border of the picture begins as lesion. Then, a few times over: one normal
    distribution of colours (L*a*b*) for the lesion and one for the skin, with a prior for the middle of the picture,
    say of each pixel how likely it is lesion; a random walk with these priors makes neighbours of like colour agree
    (Grady 2005, doi 10.1109/CVPR.2005.239). The alternation is that of Rother, Kolmogorov, Blake 2004 (GrabCut),
    doi 10.1145/1015706.1015720.

    Args:
        pixels: uint8 H×W×3, RGB.

    Returns:
        bool H×W.
    """
    small = shrink_picture(remove_hairs(shrink_picture(pixels, longer_side_px=HAIR_PX)), longer_side_px=WALK_PX)
    inside = ~find_dark_corners(small)
    colours = convert_to_lab(balance_colours(small)).astype(np.float64)
    place = weigh_place(*inside.shape)
    if inside.sum() < 16:
        return np.zeros(pixels.shape[:2], dtype=bool)
    ties = tie_neighbours(colours)
    lesion = start_lesion(colours, inside, place).astype(np.float64)
    likely = np.clip(0.9 * place, 0.02, 0.98)
    expected = PLACE_WEIGHT * np.log(likely / (1 - likely))
    for _ in range(ROUNDS):
        weights = lesion * inside, (1 - lesion) * inside
        if min(part.sum() for part in weights) < 1:
            break
        evidence = np.subtract(*(score_colours(colours, part) for part in weights))
        opinion = 1 / (1 + np.exp(-(np.clip(evidence, -MOST_EVIDENCE, MOST_EVIDENCE) + expected)))
        lesion = np.clip(walk_randomly(np.where(inside, opinion, 0.0), ties), 0, 1)
    return enlarge_mask(choose_lesion(lesion > 0.5, radius_px=1.0), pixels.shape[:2])


def weigh_place(height: int, width: int) -> Floats:
    """Return float64 H×W, 1 in the middle of the picture and falling off as a Gaussian."""
    down = (np.arange(height) + 0.5) / height - 0.5
    across = (np.arange(width) + 0.5) / width - 0.5
    return np.asarray(np.exp(-(down[:, None] ** 2 + across[None, :] ** 2) / (2 * PLACE_SPREAD**2)))


def start_lesion(colours: Floats, inside: Mask, place: Floats) -> Mask:
    """Return what differs most from the skin around, by Otsu's threshold; what is lighter than skin counts less."""
    border = inside & (place < np.quantile(place[inside], 0.3))
    difference = colours - np.median(colours[border], axis=0)
    difference = difference * np.where(difference[..., :1] > 0, LIGHTER_COUNTS, 1.0)
    distance = np.sqrt((difference**2).sum(axis=2)) * (0.3 + 0.7 * place)
    most = distance[inside].max()
    levels = np.asarray(np.clip(distance / max(most, 1e-9) * 255, 0, 255), dtype=np.uint8)
    return (levels > find_threshold(levels[inside])) & inside


def score_colours(colours: Floats, weights: Floats) -> Floats:
    """Return the log-likelihood of each colour under the normal distribution of the weighted colours, but a constant.

    Args:
        colours: float64 H×W×3.
        weights: float64 H×W, not all zero.

    Returns:
        float64 H×W.
    """
    share = weights / weights.sum()
    apart = colours - np.einsum("hw,hwc->c", share, colours)
    spread = np.einsum("hw,hwc,hwd->cd", share, apart, apart) + LEAST_VARIANCE * np.eye(3)
    squares = np.einsum("hwc,cd,hwd->hw", apart, np.linalg.inv(spread), apart)
    return np.asarray(-0.5 * (squares + np.linalg.slogdet(spread)[1]))


def tie_neighbours(colours: Floats) -> tuple[Floats, Floats]:
    """Return how strongly each pixel is tied to its right and to its lower neighbour: by likeness of colour."""
    right = ((colours[:, 1:] - colours[:, :-1]) ** 2).sum(axis=2)
    lower = ((colours[1:] - colours[:-1]) ** 2).sum(axis=2)
    usual = (right.sum() + lower.sum()) / max(right.size + lower.size, 1) + 1e-6
    return np.exp(-right / usual) + LEAST_TIE, np.exp(-lower / usual) + LEAST_TIE


def walk_randomly(opinion: Floats, ties: tuple[Floats, Floats]) -> Floats:
    """Return how likely a walk that begins at each pixel ends in lesion, by conjugate gradients.

    It minimises the squared differences between neighbours, weighted by their ties, plus those from the opinion.

    Args:
        opinion: float64 H×W, how likely each pixel is lesion by itself.
        ties: As from :func:`tie_neighbours`.

    Returns:
        float64 H×W.
    """
    answer = opinion.copy()
    residual = OWN_OPINION * opinion - _pull(answer, ties)
    direction = residual.copy()
    left = float((residual**2).sum())
    for _ in range(STEPS):
        if left < ENOUGH * opinion.size:
            break
        pulled = _pull(direction, ties)
        step = left / float((direction * pulled).sum())
        answer += step * direction
        residual -= step * pulled
        rest = float((residual**2).sum())
        direction = residual + rest / left * direction
        left = rest
    return answer


def _pull(values: Floats, ties: tuple[Floats, Floats]) -> Floats:
    """Return the Laplacian of the ties, plus the weight of the own opinion, applied to the values."""
    result = OWN_OPINION * values
    flow = ties[0] * (values[:, 1:] - values[:, :-1])
    result[:, 1:] += flow
    result[:, :-1] -= flow
    flow = ties[1] * (values[1:] - values[:-1])
    result[1:] += flow
    result[:-1] -= flow
    return result

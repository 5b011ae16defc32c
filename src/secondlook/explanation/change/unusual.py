"""The ugly duckling: the lesion that differs from the patient's other ones.

Moles of one person resemble each other; one that does not deserves a closer look, whatever it looks like by itself
(Grob, Bonerandi 1998, doi 10.1001/archderm.134.1.103-a). Here a lesion is what a model's embedding makes of its
picture. What that is worth was measured on lesions of different people only: docs/timeline.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

LEAST_LESIONS: Final = 5
# Of moles among moles one in twenty lies as far out, whether there are five or twenty.
LIMIT: Final = 2.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How far one lesion lies from the others.

    Attributes:
        ratio: Its middle distance to the others over their middle distance to one another; 1 for one of many.
        rank: 1 for the one that lies furthest out.
    """

    ratio: float
    rank: int

    @property
    def stands_out(self) -> bool:
        """Whether few moles among moles lie as far out."""
        return self.ratio >= LIMIT


def find_standings(embeddings: Mapping[str, NDArray[np.floating]]) -> dict[str, Standing]:
    """Return how far each of a patient's lesions lies from the others; nothing where there are fewer than five.

    Args:
        embeddings: float D for each lesion, all from the same graph.
    """
    if len(embeddings) < LEAST_LESIONS:
        return {}
    points = np.stack([np.asarray(one, np.float64) for one in embeddings.values()])
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    ratios = [measure_ratio(distances, row) for row in range(len(points))]
    order = np.argsort(np.argsort([-ratio for ratio in ratios], kind="stable"))
    return {key: Standing(ratio, int(place) + 1) for key, ratio, place in zip(embeddings, ratios, order, strict=True)}


def measure_ratio(distances: NDArray[np.float64], row: int) -> float:
    """Return a lesion's median distance to the others over the median of theirs to one another, without it.

    Args:
        distances: float64 N×N.
        row: Which lesion.
    """
    others = [each for each in range(len(distances)) if each != row]
    usual = np.median([_measure_middle(distances, each, [one for one in others if one != each]) for each in others])
    return _measure_middle(distances, row, others) / max(float(usual), 1e-9)


def _measure_middle(distances: NDArray[np.float64], row: int, others: Sequence[int]) -> float:
    return float(np.median(distances[row, others]))

"""A router that knows drawn lesions, chests and knees, and finds pages and noise to be none of them."""

from functools import cache
from pathlib import Path

import numpy as np

from secondlook.conditions import TASKS
from secondlook.evaluation.outliers import choose_limit
from secondlook.evaluation.routing import fit_gaussian, write_router
from secondlook.inference.router import Gaussian, RoutedTask, describe_picture
from tests.bundles import DRAWN, fingerprint

LEARNED, HELD_OUT = 56, 14
SIZES = ((240, 180), (200, 200))
# Drawn X-rays are all alike; what is none lies a thousand times as far.
SLACK = {"photograph": 1.6, "radiograph": 4.0}


def build_router(folder: Path) -> Path:
    """Write the router into the folder, and return it."""
    fitted = {task: fit_drawn(task) for task in DRAWN}
    routed = [
        RoutedTask(task=task, limit=limit, data_fingerprint=fingerprint(task), pictures=LEARNED, groups=LEARNED)
        for task, (_, limit) in fitted.items()
    ]
    write_router(folder, [gaussian for gaussian, _ in fitted.values()], routed)
    return folder


@cache
def fit_drawn(task: str) -> tuple[Gaussian, float]:
    """Return what drawn pictures of a task look like, and a limit somewhat beyond all that were held out."""
    learned, held_out = (
        np.stack([describe_drawn(task, seed) for seed in range(first, first + count)])
        for first, count in ((5000, LEARNED), (6000, HELD_OUT))
    )
    gaussian = fit_gaussian(learned)
    return gaussian, SLACK[TASKS[task].kind] * choose_limit(np.array([gaussian.score(row) for row in held_out]))


def describe_drawn(task: str, seed: int) -> np.ndarray:
    """Return the facts of a drawn picture of the task, the labels taking turns."""
    labels = TASKS[task].keys
    return describe_picture(
        np.asarray(DRAWN[task].draw(seed, labels[seed % len(labels)], size=SIZES[seed % len(SIZES)]))
    )

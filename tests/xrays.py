"""Seeded drawn X-rays: chests without and with pneumonia, knees of each grade; they are no model of disease.

As in the drawings of lesions, a small network can tell the labels apart: clouds whiten a lung, and the gap between the
bones of a knee narrows with its grade while spurs grow at its edges.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from tests.drawing import draw_cloud

CHEST_SIZE = (400, 320)
KNEE_SIZE = (320, 320)

Floats = NDArray[np.floating[Any]]


def draw_chest(seed: int, label: str = "normal", *, size: tuple[int, int] = CHEST_SIZE) -> Image.Image:
    """Draw a child's chest from the front: an RGB picture of ``size`` (width, height), grey as X-rays are."""
    rng = np.random.default_rng([seed, ["normal", "pneumonia"].index(label)])
    across, down = _make_grid(size)
    across = across + rng.normal(0, 0.015)
    body = _soften(0.43 + 0.05 * np.sin(3 * down) - np.abs(across), 0.02)
    grey = 18 + 128 * body * (0.92 + 0.16 * np.abs(across))
    lungs = np.zeros_like(grey)
    for side in (-1, 1):
        lean = 0.035 * side * (down - 0.5)
        lung = np.hypot((across - side * 0.205 - lean) / 0.155, (down - 0.47) / (0.33 - 0.02 * side))
        lungs = np.maximum(lungs, _soften(1 - lung, 0.07))
    grey -= 96 * lungs * rng.uniform(0.9, 1.05)
    grey += 30 * _soften(0.035 - np.abs(across), 0.015) * body  # the spine
    heart = np.hypot((across - 0.055) / 0.15, (down - 0.6) / 0.18)
    grey += 74 * _soften(1 - heart, 0.12) * np.maximum(lungs, 0.25)
    ribs = np.sin(2 * np.pi * (down * 9.5 - 2.2 * np.abs(across) + 0.4 * np.abs(across) ** 2))
    grey += 15 * np.maximum(ribs, 0) * body * _soften(0.86 - down, 0.05)
    clavicles = np.abs(down - 0.17 - 0.35 * (np.abs(across) - 0.1) * 0.25)
    grey += 34 * _soften(0.014 - clavicles, 0.008) * _soften(0.36 - np.abs(across), 0.04)
    if label == "pneumonia":
        grey += 95 * lungs * (1 - 0.7 * _soften(1 - heart, 0.12)) * _draw_clouds(rng, across, down)
    return _finish(rng, grey, size)


def draw_knee(seed: int, label: str = "0", *, size: tuple[int, int] = KNEE_SIZE) -> Image.Image:
    """Draw a knee from the front, of a grade after Kellgren and Lawrence: an RGB picture of ``size``, in greys."""
    grade = int(label)
    rng = np.random.default_rng([seed, grade])
    across, down = _make_grid(size)
    across = across + rng.normal(0, 0.01)
    gap = (0.034 - 0.0065 * grade) * rng.uniform(0.95, 1.05)
    middle = 0.5 + rng.normal(0, 0.008) + 0.012 * np.cos(7 * across)
    # The inner half of the joint narrows first.
    narrowed = gap * (1 - 0.12 * grade * _soften(across, 0.05))
    spur = 0.008 * max(0, grade - 1)
    flare = np.exp(-((np.abs(down - middle) / 0.14) ** 4))
    width = 0.13 + 0.125 * flare + spur * np.exp(-(np.abs(down - middle) ** 2) / 0.0006)
    bone = _soften(width - np.abs(across), 0.012)
    joint = _soften(narrowed - np.abs(down - middle), 0.006)
    notch = _soften(0.045 - np.hypot(across, (down - middle + 0.05) / 1.6), 0.012)
    flesh = _soften(0.36 - np.abs(across) + 0.03 * np.cos(4 * down), 0.03)
    grey = 12 + 46 * flesh
    shaft = 0.85 + 0.3 * _soften(np.abs(across) - width + 0.035, 0.012)
    grey += 98 * bone * shaft * (1 - 0.95 * joint) * (1 - 0.45 * notch)
    edge = np.abs(np.abs(down - middle) - narrowed - 0.012)
    grey += (14 + 15 * grade) * bone * _soften(0.010 + 0.004 * grade - edge, 0.006)
    kneecap = np.hypot(across / 0.10, (down - 0.34) / 0.10)
    grey += 13 * _soften(1 - kneecap, 0.08)
    fibula = _soften(0.035 - np.abs(across + 0.235), 0.01) * _soften(down - 0.64, 0.02)
    grey += 62 * fibula
    return _finish(rng, grey, size)


def _draw_clouds(rng: np.random.Generator, across: Floats, down: Floats) -> Floats:
    """Return float32 H×W in 0…1: a few soft patches, mottled."""
    clouds = np.zeros_like(across)
    for side in rng.permutation([-1, 1])[: rng.integers(1, 3)]:
        for _ in range(2):
            left, top = side * rng.uniform(0.15, 0.27), rng.uniform(0.4, 0.68)
            reach = rng.uniform(0.08, 0.13)
            clouds = np.maximum(clouds, np.exp(-((across - left) ** 2 + (down - top) ** 2) / (2 * reach**2)))
    mottle = draw_cloud(rng, across.shape[::-1], cells=16)
    return np.clip(clouds * (0.85 + 0.25 * mottle), 0, 1).astype(np.float32)


def _make_grid(size: tuple[int, int]) -> tuple[Floats, Floats]:
    """Return float32 H×W: places from the middle to the sides (−0.5…0.5), and from top to bottom (0…1)."""
    width, height = size
    down, across = np.mgrid[:height, :width].astype(np.float32)
    return (across + 0.5) / width - 0.5, (down + 0.5) / height


def _soften(depth: Floats, edge: float) -> Floats:
    """Return float32 H×W in 0…1: one where the depth is above nothing, with a soft edge."""
    return np.asarray(1 / (1 + np.exp(np.clip(-4 * depth / edge, -60, 60))), dtype=np.float32)


def _finish(rng: np.random.Generator, grey: Floats, size: tuple[int, int]) -> Image.Image:
    """Return the picture with uneven exposure and grain."""
    grey = grey * rng.uniform(0.93, 1.05) + 4 * draw_cloud(rng, size, cells=5)
    grey += rng.normal(0, 5, grey.shape)
    image = Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.6))
    return image.filter(ImageFilter.UnsharpMask(2, 80)).convert("RGB")

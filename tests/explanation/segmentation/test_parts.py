"""Otsu's threshold, k-means, colour spaces and preparation, against independent implementations."""

import numpy as np
import pytest
from PIL import Image, ImageDraw
from sklearn.cluster import KMeans

from secondlook.explanation.lab import convert_to_lab
from secondlook.explanation.segmentation.clusters import find_clusters
from secondlook.explanation.segmentation.preparation import (
    balance_colours,
    enlarge_mask,
    find_dark_corners,
    remove_hairs,
    shrink_picture,
)
from secondlook.explanation.segmentation.threshold import find_threshold
from secondlook.explanation.segmentation.walk import OWN_OPINION, tie_neighbours, walk_randomly
from tests.explanation.segmentation.drawing import draw_ellipse


@pytest.mark.parametrize("seed", range(5))
def test_otsu_separates_as_a_search_over_all_thresholds_does(seed: int) -> None:
    generator = np.random.default_rng(seed)
    levels = np.concatenate([generator.normal(60, 15, 300), generator.normal(150 + 10 * seed, 20, 500)])
    levels = np.clip(levels, 0, 255).astype(np.uint8)

    def measure_within(threshold: int) -> float:
        parts = levels[levels <= threshold], levels[levels > threshold]
        return sum(part.var() * part.size for part in parts if part.size)

    within = [measure_within(threshold) for threshold in range(256)]
    assert within[find_threshold(levels)] == pytest.approx(min(within))


def test_clusters_are_those_of_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    points = np.concatenate([generator.normal(place, 3, (200, 3)) for place in ((20, 5, 5), (70, 20, 10))])
    wanted = KMeans(2, n_init=5, random_state=0).fit(points).cluster_centers_
    found = find_clusters(points.astype(np.float32), clusters=2)
    assert np.allclose(found, wanted[wanted[:, 0].argsort()], atol=0.01)


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [  # Lindbloom's calculator, D65
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
        ((0, 255, 0), (87.73, -86.18, 83.18)),
        ((119, 119, 119), (50.03, 0, 0)),
    ],
)
def test_colours_in_lab_are_those_of_the_tables(rgb: tuple[int, int, int], lab: tuple[float, ...]) -> None:
    assert convert_to_lab(np.array(rgb, np.uint8)) == pytest.approx(lab, abs=0.3)


def test_a_walk_solves_its_equations() -> None:
    generator = np.random.default_rng(0)
    colours, opinion = generator.normal(size=(5, 6, 3)) * 20, generator.random((5, 6))
    right, lower = tie_neighbours(colours)
    count = opinion.size
    number = np.arange(count).reshape(opinion.shape)
    system = np.eye(count) * OWN_OPINION
    for one, other, tie in (
        (number[:, :-1], number[:, 1:], right),
        (number[:-1], number[1:], lower),
    ):
        for a, b, weight in zip(one.ravel(), other.ravel(), tie.ravel(), strict=True):
            system[a, a] += weight
            system[b, b] += weight
            system[a, b] -= weight
            system[b, a] -= weight
    wanted = np.linalg.solve(system, OWN_OPINION * opinion.ravel()).reshape(opinion.shape)
    assert np.allclose(walk_randomly(opinion, (right, lower)), wanted, atol=0.02)


def test_hairs_go_and_the_lesion_stays() -> None:
    pixels, drawn = draw_ellipse(seed=1)
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    lines = [(5, 10, 190, 30), (20, 140, 60, 5), (150, 3, 170, 145)]
    for line in lines:
        draw.line(line, fill=(60, 45, 40), width=2)
    hairy = np.asarray(image)
    clean = remove_hairs(hairy)

    def measure_error(changed: np.ndarray) -> float:
        return float(np.abs(changed.astype(int) - pixels)[~drawn].mean())

    assert measure_error(clean) < 0.3 * measure_error(hairy)
    assert np.abs(clean.astype(int) - pixels)[drawn].mean() < 3


def test_a_coloured_lamp_is_taken_out() -> None:
    pixels, _ = draw_ellipse()
    lamp = np.clip(pixels * np.array([1.0, 0.8, 0.7]), 0, 255).astype(np.uint8)

    def compare_channels(one: np.ndarray) -> np.ndarray:
        means = one.reshape(-1, 3).mean(axis=0)
        return means / means.sum()

    assert np.abs(compare_channels(pixels) - compare_channels(lamp)).max() > 0.05
    same = [compare_channels(balance_colours(one)) for one in (pixels, lamp)]
    assert np.allclose(*same, atol=0.005)


def test_the_rim_of_a_dermatoscope_is_found_and_a_dark_lesion_is_not() -> None:
    pixels, _ = draw_ellipse()
    pixels[70:80, 95:105] = 10
    pixels[:20, :20] = 5
    dark = find_dark_corners(pixels)
    assert dark[0, 0]
    assert dark.sum() == 400


def test_masks_come_back_at_their_size() -> None:
    _, drawn = draw_ellipse((450, 600), radii_px=(120, 150))
    small = shrink_picture(np.repeat(drawn[..., None], 3, axis=2).astype(np.uint8) * 255)
    assert max(small.shape) == 128
    back = enlarge_mask(small[..., 0] > 127, drawn.shape)
    assert np.mean(back == drawn) > 0.99

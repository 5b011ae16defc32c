"""The compact search finds what comparing every number finds."""

import numpy as np
import pytest

from secondlook.explanation.nearest import DirectionIndex


def draw(count: int, dimensions: int = 48, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, dimensions)).astype(np.float32)


def find_exact(points: np.ndarray, query: np.ndarray) -> np.ndarray:
    cosines: np.ndarray = points @ query / np.linalg.norm(points, axis=1) / np.linalg.norm(query)
    return cosines


@pytest.mark.parametrize("near", [1.0, 0.05, 0.001])
def test_it_finds_the_nearest_of_all(near: float) -> None:
    centre = draw(1, seed=5)
    points = centre + near * draw(3000)  # close together, so that the upper bytes alone cannot tell
    index = DirectionIndex(48)
    index.put(list(range(1000)), points[:1000])
    index.put(list(range(1000, 3000)), points[1000:])
    for query in centre + near * draw(5, seed=9):
        found = index.find_nearest(query, 10)
        exact = find_exact(points, query)
        best = np.sort(exact)[::-1][:10]
        assert [cosine for _, cosine in found] == pytest.approx(best, abs=1e-4)
        assert [exact[key] for key, _ in found] == pytest.approx(best, abs=1e-4)


def test_a_key_is_replaced_and_left_out() -> None:
    points = draw(20)
    index = DirectionIndex(48)
    index.put(list(range(20)), points)
    index.put([3], points[7:8])
    assert {key for key, _ in index.find_nearest(points[7], 2)} == {3, 7}
    index.drop([7, 99])
    assert len(index) == 19
    assert index.find_nearest(points[7], 19)[0][0] == 3
    assert 7 not in {key for key, _ in index.find_nearest(points[7], 20)}
    assert len(index.find_nearest(points[7], 50)) == 19


def test_of_none_there_is_none() -> None:
    index = DirectionIndex(4)
    assert index.find_nearest(np.ones(4), 3) == []
    index.put([1], np.ones((1, 4)))
    index.drop([1])
    assert index.find_nearest(np.ones(4), 3) == []

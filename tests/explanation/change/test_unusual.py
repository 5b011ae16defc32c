"""The lesion that differs from the others is found; too few are refused."""

import numpy as np
import pytest

from secondlook.explanation.change.unusual import LEAST_LESIONS, LIMIT, find_standings


def draw_points(count: int, seed: int = 0) -> dict[str, np.ndarray]:
    points = np.random.default_rng(seed).normal(0, 1, (count, 64))
    return {f"lesion{number}": point for number, point in enumerate(points)}


def test_one_far_from_the_others_stands_out() -> None:
    lesions = draw_points(7) | {"odd": np.full(64, 3.0)}
    standings = find_standings(lesions)
    assert standings["odd"].rank == 1
    assert standings["odd"].stands_out
    assert [key for key, one in standings.items() if one.stands_out] == ["odd"]
    assert sorted(one.rank for one in standings.values()) == list(range(1, 9))


def test_the_ratio_is_that_of_the_distances() -> None:
    corners = {str(number): row for number, row in enumerate(np.eye(5) * 3)}  # every two lie as far apart
    apart = find_standings(corners | {"away": np.full(5, 20.0)})
    assert apart["away"].ratio == pytest.approx(np.linalg.norm(np.full(5, 20.0) - np.eye(5)[0] * 3) / (3 * 2**0.5))


def test_one_of_many_does_not_stand_out() -> None:
    standings = find_standings(draw_points(12, seed=3))
    assert all(0.7 < one.ratio < LIMIT for one in standings.values())


def test_fewer_than_five_lesions_say_nothing() -> None:
    assert find_standings(draw_points(LEAST_LESIONS - 1)) == {}
    assert find_standings({}) == {}


def test_pictures_that_are_all_the_same_do_not_break_it() -> None:
    standings = find_standings({str(number): np.ones(8) for number in range(6)})
    assert not any(one.stands_out for one in standings.values())

"""Growth and change of colour are found with their error; what is within it is none."""

import numpy as np
import pytest
from scipy import stats

from secondlook.explanation.change.appearance import (
    AREA_LIMITS,
    COLOUR_LIMITS,
    STATED_PAIRS,
    Appearance,
    AreaChange,
    ColourChange,
    Noise,
    judge_area,
    judge_colour,
    measure_appearance,
    measure_change,
    pool_noise,
)
from secondlook.explanation.segmentation.preparation import Pixels
from tests.drawing import draw_noise
from tests.explanation.change.drawing import draw_changed


def measure(pixels: Pixels) -> Appearance:
    found = measure_appearance(pixels)
    assert found is not None
    return found


def compare_areas(one: Appearance, other: Appearance, *, magnification: float, noise: Noise) -> AreaChange:
    found = judge_area(measure_change(one, other), magnification=magnification, noise=noise)
    assert found is not None
    return found


def compare_colours(one: Appearance, other: Appearance, *, noise: Noise) -> ColourChange | None:
    return judge_colour(measure_change(one, other), noise=noise)


def test_growth_beyond_the_error_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = (measure(draw_changed(monkeypatch, 1, growth=growth)) for growth in (1.0, 1.4))
    change = compare_areas(before, after, magnification=1.0, noise=pool_noise())
    assert change.ratio == pytest.approx(1.4, rel=0.06)
    assert change.beyond_noise
    assert change.low < 1.4 < change.high


def test_growth_within_the_error_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = (measure(draw_changed(monkeypatch, 1, growth=growth)) for growth in (1.0, 1.06))
    change = compare_areas(before, after, magnification=1.0, noise=pool_noise())
    assert change.ratio == pytest.approx(1.06, rel=0.04)
    assert not change.beyond_noise


def test_magnification_is_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = measure(draw_changed(monkeypatch, 1))
    assert compare_areas(seen, seen, magnification=1.5, noise=pool_noise()).ratio == pytest.approx(1 / 1.5**2)


def test_a_darker_lesion_is_told_by_how_much(monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = (measure(draw_changed(monkeypatch, 1, darker=darker)) for darker in (0, 40))
    change = compare_colours(before, after, noise=pool_noise())
    assert change is not None
    assert change.beyond_noise
    assert -25 < change.lighter < -10
    same = compare_colours(before, before, noise=pool_noise())
    assert same is not None
    assert same.distance == 0
    assert not same.beyond_noise


def test_a_warmer_lamp_changes_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    before = draw_changed(monkeypatch, 1)
    warm = np.clip(before * np.array([1.0, 0.96, 0.9]), 0, 255).astype(np.uint8)
    change = compare_colours(measure(before), measure(warm), noise=pool_noise())
    assert change is not None
    assert not change.beyond_noise


def test_without_a_lesion_there_is_nothing_to_measure() -> None:
    plain = np.full((120, 160, 3), (210, 165, 145), np.uint8)
    assert measure_appearance(plain) is None


def test_own_pairs_move_the_error_and_two_alike_do_not_remove_it() -> None:
    stated = pool_noise()
    calm = pool_noise([0.001], [0.2])
    wild = pool_noise([0.5, 0.4], [25.0, 30.0])
    assert 0.4 * stated.log_area < calm.log_area < stated.log_area < wild.log_area
    assert 0.4 * stated.colour < calm.colour < stated.colour < wild.colour
    assert (stated.pairs, calm.pairs, wild.pairs) == (0, 1, 2)


def test_many_own_pairs_have_the_last_word() -> None:
    spread = 0.02
    own = np.random.default_rng(0).normal(0, spread, 400)
    channels = np.random.default_rng(1).normal(0, 1.5, (400, 3))
    noise = pool_noise(own, np.linalg.norm(channels, axis=1))
    assert noise.log_area == pytest.approx(1.96 * spread, rel=0.15)
    assert noise.colour == pytest.approx(1.5 * stats.chi2.ppf(0.95, 3) ** 0.5, rel=0.15)


def test_the_limits_are_those_of_student_and_fisher() -> None:
    freedom = np.arange(STATED_PAIRS, STATED_PAIRS + len(AREA_LIMITS))
    assert pytest.approx(stats.t.ppf(0.975, freedom), abs=1e-3) == AREA_LIMITS
    assert pytest.approx(np.sqrt(3 * stats.f.ppf(0.95, 3, freedom)), abs=1e-3) == COLOUR_LIMITS


def test_noise_shows_no_colour_without_skin() -> None:
    found = measure_appearance(np.asarray(draw_noise(1, size=(200, 150))))
    assert found is None or found.colour is None or np.isfinite(found.colour).all()


def test_no_area_is_told_of_a_lesion_that_goes_on_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = draw_changed(monkeypatch, 1)
    cut = measure(whole[:, 200:])
    assert cut.cut
    change = measure_change(measure(whole), cut)
    assert judge_area(change, magnification=1.0, noise=pool_noise()) is None

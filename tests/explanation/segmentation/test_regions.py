"""Regions of masks, against SciPy's."""

import numpy as np
import pytest
from scipy import ndimage

from secondlook.explanation.segmentation.regions import choose_lesion, fill_holes, label_regions, smooth_mask


@pytest.mark.parametrize("seed", range(6))
def test_regions_are_those_of_scipy(seed: int) -> None:
    generator = np.random.default_rng(seed)
    mask = ndimage.gaussian_filter(generator.normal(size=(40, 57)), seed / 3) > 0
    wanted, count = ndimage.label(mask)
    found = label_regions(mask)
    assert found.max() == count > 1
    # The same partition, whatever the numbers.
    pairs = {(int(one), int(other)) for one, other in zip(found.ravel(), wanted.ravel(), strict=True)}
    assert len(pairs) == count + 1


@pytest.mark.parametrize("level", [False, True])
def test_a_mask_of_one_value_has_one_region_or_none(level: bool) -> None:
    assert set(np.unique(label_regions(np.full((5, 6), level)))) == {int(level)}


@pytest.mark.parametrize("seed", range(4))
def test_holes_are_filled_as_scipy_fills_them(seed: int) -> None:
    mask = np.random.default_rng(seed).random((30, 41)) < 0.6
    assert np.array_equal(fill_holes(mask), ndimage.binary_fill_holes(mask))


def test_the_large_region_in_the_middle_is_the_lesion() -> None:
    mask = np.zeros((60, 80), dtype=bool)
    mask[20:40, 30:50] = True  # in the middle
    mask[:30, :20] = True  # larger, in a corner
    mask[28:32, 38:42] = False
    chosen = choose_lesion(mask, radius_px=0)
    assert chosen[30, 40]
    assert not chosen[5, 5]
    assert chosen.sum() == 400


def test_specks_go_and_large_shapes_stay() -> None:
    mask = np.zeros((60, 80), dtype=bool)
    mask[20:40, 30:50] = True
    mask[5, 5] = True
    smooth = smooth_mask(mask, 2.0)
    assert not smooth[:15, :15].any()
    assert abs(int(smooth.sum()) - 400) < 40


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_nothing_and_everything_are_no_lesion(share: float) -> None:
    assert not choose_lesion(np.full((50, 50), share > 0)).any()

import math
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from secondlook.training.augment import augment_batch
from secondlook.training.augment.affine import draw_affine, resample
from secondlook.training.sections import Augmentation
from tests.training.augment.drawing import seeded

SIDE = 65
COUNT = 200


def mark(right: float, down: float) -> Tensor:
    """Return uint8 1×S×S×3: black, with a soft white dot this far from the centre (in half sides)."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    centre = (np.array([right, down]) + 1) * SIDE / 2 - 0.5
    dot = 255 * np.exp(-((columns - centre[0]) ** 2 + (rows - centre[1]) ** 2) / 8)
    return torch.from_numpy(np.repeat(dot[None, :, :, None], 3, axis=3).astype(np.uint8))


def find_marks(right: float, down: float, *, count: int = COUNT, seed: int = 0, **changes: Any) -> np.ndarray:
    """Augment the dot often and return N×2: where it is, right and down of the centre (in half sides)."""
    images = mark(right, down).expand(count, -1, -1, -1)
    pixels = augment_batch(images, Augmentation.model_validate(changes), size_px=(SIDE, SIDE), generator=seeded(seed))
    weights = pixels[:, 0].numpy()
    places = (np.arange(SIDE) + 0.5) * 2 / SIDE - 1
    total = weights.sum(axis=(1, 2))
    return np.stack([(weights.sum(axis=1) @ places) / total, (weights.sum(axis=2) @ places) / total], axis=1)


def test_flips_mirror_half_of_the_pictures() -> None:
    places = find_marks(0.5, 0.25, flip_horizontal=True)
    assert np.abs(places[:, 1] - 0.25).max() < 0.01
    assert np.abs(np.abs(places[:, 0]) - 0.5).max() < 0.01
    assert 0.35 < (places[:, 0] < 0).mean() < 0.65
    places = find_marks(0.5, 0.25, flip_vertical=True)
    assert np.abs(places[:, 0] - 0.5).max() < 0.01
    assert 0.35 < (places[:, 1] < 0).mean() < 0.65


def test_rotation_keeps_the_distance_and_stays_within_its_limit() -> None:
    places = find_marks(0.5, 0.0, rotation_degrees=40)
    degrees = np.degrees(np.arctan2(places[:, 1], places[:, 0]))
    assert np.abs(np.hypot(*places.T) - 0.5).max() < 0.01
    assert -40.5 < degrees.min() < -35
    assert 35 < degrees.max() < 40.5
    assert np.histogram(degrees, bins=4, range=(-40, 40))[0].min() > COUNT / 8


def test_zoom_magnifies_about_the_centre() -> None:
    assert find_marks(0.3, -0.2, zoom=(2, 2)) == pytest.approx(np.tile([0.6, -0.4], (COUNT, 1)), abs=0.01)
    places = find_marks(0.4, 0.0, zoom=(0.8, 1.6))[:, 0] / 0.4
    assert 0.79 < places.min() < 0.85
    assert 1.5 < places.max() < 1.61
    assert (places < math.sqrt(0.8 * 1.6)).mean() == pytest.approx(0.5, abs=0.1)  # log-uniform


def test_stretch_widens_one_axis_as_it_narrows_the_other() -> None:
    places = find_marks(0.4, 0.4, stretch=1.44) / 0.4
    assert places.prod(axis=1) == pytest.approx(np.ones(COUNT), abs=0.03)
    ratios = places[:, 0] / places[:, 1]
    assert 1 / 1.46 < ratios.min() < 1 / 1.35
    assert 1.35 < ratios.max() < 1.46


def test_shift_moves_by_up_to_its_share_of_the_side() -> None:
    places = find_marks(0.0, 0.0, shift=0.1)
    for moved in places.T:
        assert -0.21 < moved.min() < -0.17
        assert 0.17 < moved.max() < 0.21
    assert abs(np.corrcoef(places.T)[0, 1]) < 0.25


def test_shear_slants_columns_alone() -> None:
    places = find_marks(0.0, 0.5, shear=0.3)
    assert np.abs(places[:, 1] - 0.5).max() < 0.01
    assert 0.13 < places[:, 0].max() < 0.155
    assert -0.155 < places[:, 0].min() < -0.13


def test_all_together_are_the_product_of_their_matrices() -> None:
    recipe = Augmentation(
        rotation_degrees=180,
        flip_horizontal=True,
        flip_vertical=True,
        zoom=(0.8, 1.5),
        stretch=1.3,
        shear=0.2,
        shift=0.1,
    )
    matrices = draw_affine(COUNT, recipe, seeded(3)).double().numpy()
    draws = torch.rand(COUNT, 8, generator=seeded(3)).double().numpy()
    for matrix, draw in zip(matrices, draws, strict=True):
        angle = math.pi * (2 * draw[0] - 1)
        zoom = 0.8 * (1.5 / 0.8) ** draw[1]
        stretch = 1.3 ** (draw[2] - 0.5)
        scaled = np.diag([stretch / zoom, 1 / stretch / zoom])
        turned = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        slanted = np.array([[1, 0.2 * (2 * draw[3] - 1)], [0, 1]])
        flipped = np.diag([-1.0 if draw[4] < 0.5 else 1.0, -1.0 if draw[5] < 0.5 else 1.0])
        product = scaled @ turned @ slanted
        np.testing.assert_allclose(matrix[:, :2], product @ flipped, atol=1e-5)
        np.testing.assert_allclose(matrix[:, 2], 0.2 * (2 * draw[6:] - 1), atol=1e-6)


def test_resampling_is_that_of_pillow() -> None:
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 256, (9, 9), dtype=np.uint8)).resize(
        (SIDE, SIDE), Image.Resampling.BICUBIC
    )
    pixels = torch.from_numpy(np.asarray(picture, dtype=np.float32)).expand(1, 3, SIDE, SIDE)
    matrix = torch.tensor([[[0.5, 0.3, 0.1], [-0.2, 0.6, -0.15]]])
    (a, b, c), (d, e, f) = matrix[0].double().numpy()
    half = SIDE / 2  # Pillow's coordinates start at the corner and count pixels, torch's at the centre in half sides
    data = (a, b, half * (1 + c - a - b), d, e, half * (1 + f - d - e))
    expected = picture.convert("F").transform((SIDE, SIDE), Image.Transform.AFFINE, data, Image.Resampling.BILINEAR)
    got = resample(pixels, matrix, (SIDE, SIDE))[0, 0].numpy()
    inside = np.s_[2:-2, 2:-2]
    np.testing.assert_allclose(got[inside], np.asarray(expected)[inside], atol=0.5)


def test_beyond_the_border_pictures_are_mirrored() -> None:
    pixels = torch.rand(1, 3, 16, 16, generator=seeded())
    shifted = resample(pixels, torch.tensor([[[1.0, 0, 1.0], [0, 1, 0]]]), (16, 16))
    torch.testing.assert_close(shifted[..., 8:], pixels[..., 8:].flip(-1))

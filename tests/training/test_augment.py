import math
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from secondlook.training.augment import (
    augment_batch,
    draw_affine,
    erase_rectangles,
    lose_resolution,
    mix_pictures,
    resample,
    shift_colour,
)
from secondlook.training.recipe import Augmentation

SIDE = 65
COUNT = 200


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


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


def test_without_changes_the_picture_comes_back() -> None:
    images = torch.randint(0, 256, (3, 20, 20, 3), dtype=torch.uint8, generator=seeded())
    pixels = augment_batch(images, Augmentation(), size_px=(20, 20), generator=seeded())
    torch.testing.assert_close(pixels, images.permute(0, 3, 1, 2) / 255, atol=1e-6, rtol=0)


def test_without_changes_a_smaller_size_is_the_picture_resized() -> None:
    ramp = torch.linspace(0, 255, 40).byte()[None, None, :, None].expand(1, 40, 40, 3)
    pixels = augment_batch(ramp, Augmentation(), size_px=(20, 20), generator=seeded())
    expected = ramp[0, 0, :, 0].float().view(20, 2).mean(dim=1) / 255
    torch.testing.assert_close(pixels[0, 1, 7], expected, atol=1e-3, rtol=0)


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


def test_colours_change_within_their_limits_each_picture_by_its_own() -> None:
    grey = torch.full((COUNT, 3, 4, 4), 0.5)
    for name, factor in (("brightness", 0.2), ("white_balance", 0.1)):
        changed = shift_colour(grey, Augmentation.model_validate({name: factor}), seeded())[:, :, 0, 0] / 0.5
        assert 1 - factor <= changed.min() < 1 - 0.9 * factor
        assert 1 + 0.9 * factor < changed.max() <= 1 + factor
        spread = changed.std(dim=1).mean()
        assert spread == pytest.approx(0.0, abs=1e-6) if name == "brightness" else spread > 0.02
    gamma = torch.log(shift_colour(grey, Augmentation(gamma=1.5), seeded())[:, 0, 0, 0]) / math.log(0.5)
    assert 1 / 1.5 - 1e-5 <= gamma.min() < 0.72
    assert 1.4 < gamma.max() <= 1.5 + 1e-5


def test_contrast_keeps_a_pictures_mean_and_saturation_its_grey() -> None:
    pixels = torch.rand(COUNT, 3, 8, 8, generator=seeded())
    changed = shift_colour(pixels, Augmentation(contrast=0.3), seeded())
    torch.testing.assert_close(changed.mean(dim=(1, 2, 3)), pixels.mean(dim=(1, 2, 3)))
    ratio = changed.std(dim=(1, 2, 3)) / pixels.std(dim=(1, 2, 3))
    assert 0.7 <= ratio.min() < 0.75
    assert 1.25 < ratio.max() <= 1.3
    changed = shift_colour(pixels, Augmentation(saturation=0.4), seeded())
    torch.testing.assert_close(changed.mean(dim=1), pixels.mean(dim=1))
    ratio = (changed - changed.mean(dim=1, keepdim=True)).norm(dim=1) / (
        pixels - pixels.mean(dim=1, keepdim=True)
    ).norm(dim=1)
    assert 0.59 < ratio.min() < 0.65
    assert 1.35 < ratio.max() < 1.41


def test_blur_takes_fine_detail_from_its_share_of_batches() -> None:
    board = (torch.arange(32)[:, None] + torch.arange(32)) % 2
    pixels = board.float().expand(4, 3, 32, 32)
    assert lose_resolution(pixels, seeded()).std() < 0.5 * pixels.std()
    smooth = torch.full((4, 3, 32, 32), 0.3)
    torch.testing.assert_close(lose_resolution(smooth, seeded()), smooth)
    images = (pixels.permute(0, 2, 3, 1) * 255).byte()
    blurred = [
        float(augment_batch(images, Augmentation(blur=0.3), size_px=(32, 32), generator=seeded(seed)).std()) < 0.45
        for seed in range(100)
    ]
    assert 0.18 < np.mean(blurred) < 0.42


def test_noise_is_within_its_limit_and_the_result_within_0_and_1() -> None:
    images = torch.full((COUNT, 16, 16, 3), 128, dtype=torch.uint8)
    spread = augment_batch(images, Augmentation(noise=0.1), size_px=(16, 16), generator=seeded()).std(dim=(1, 2, 3))
    assert spread.min() < 0.01
    assert 0.085 < spread.max() < 0.11
    wild = Augmentation(noise=0.9, brightness=0.9, contrast=0.9)
    pixels = augment_batch(images, wild, size_px=(16, 16), generator=seeded())
    assert 0 <= pixels.min() <= pixels.max() <= 1


def test_erasing_greys_one_rectangle_in_its_share_of_pictures() -> None:
    pixels = torch.rand(400, 3, 40, 40, generator=seeded())
    erased = erase_rectangles(pixels, 0.3, seeded(1))
    changed = (erased != pixels).any(dim=1)
    touched = changed.flatten(1).any(dim=1)
    assert 0.22 < touched.float().mean() < 0.38
    for picture, where, before in zip(erased[touched], changed[touched], pixels[touched], strict=True):
        rows, columns = where.any(dim=1).nonzero()[:, 0], where.any(dim=0).nonzero()[:, 0]
        box = picture[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        torch.testing.assert_close(box, before.mean().expand_as(box))
        assert 3 <= len(rows) <= 17
        assert 3 <= len(columns) <= 17
        assert where.sum() == len(rows) * len(columns)


def test_mixup_blends_pictures_and_targets_by_one_weight() -> None:
    count = 8
    pixels = torch.arange(count, dtype=torch.float32).view(count, 1, 1, 1).expand(count, 3, 2, 2)
    targets = torch.eye(count)
    weights = []
    for seed in range(200):
        mixed, shares = mix_pictures(pixels, targets, alpha=0.4, generator=seeded(seed))
        torch.testing.assert_close(shares.sum(dim=1), torch.ones(count))
        torch.testing.assert_close(mixed[:, 0, 0, 0], shares @ torch.arange(count, dtype=torch.float32))
        assert (shares.diagonal() >= 0.5 - 1e-6).all()
        weights.append(float(shares.diagonal().min()))
    # E max(w, 1-w) of Beta(0.4, 0.4), by integration
    w = np.linspace(1e-6, 1 - 1e-6, 200_001)
    density = (w * (1 - w)) ** -0.6
    assert np.mean(weights) == pytest.approx((np.maximum(w, 1 - w) * density).sum() / density.sum(), abs=0.03)


def test_one_generator_decides_everything() -> None:
    images = torch.randint(0, 256, (6, 24, 24, 3), dtype=torch.uint8, generator=seeded())
    recipe = Augmentation(
        rotation_degrees=90,
        zoom=(0.8, 1.2),
        shift=0.1,
        brightness=0.2,
        saturation=0.2,
        gamma=1.3,
        blur=0.5,
        noise=0.1,
        erase=0.5,
    )
    torch.manual_seed(1)
    first = augment_batch(images, recipe, size_px=(24, 24), generator=seeded(5))
    torch.manual_seed(2)
    second = augment_batch(images, recipe, size_px=(24, 24), generator=seeded(5))
    assert torch.equal(first, second)
    assert not torch.equal(first, augment_batch(images, recipe, size_px=(24, 24), generator=seeded(6)))

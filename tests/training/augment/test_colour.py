import math

import numpy as np
import pytest
import torch

from secondlook.training.augment import augment_batch
from secondlook.training.augment.colour import erase_rectangles, lose_resolution, shift_colour, shift_window
from secondlook.training.sections import Augmentation
from tests.training.augment.drawing import seeded

COUNT = 200


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


def test_noise_is_within_its_limit_and_the_result_within_0_and_1() -> None:
    images = torch.full((COUNT, 16, 16, 3), 128, dtype=torch.uint8)
    spread = augment_batch(images, Augmentation(noise=0.1), size_px=(16, 16), generator=seeded()).std(dim=(1, 2, 3))
    assert spread.min() < 0.01
    assert 0.085 < spread.max() < 0.11
    wild = Augmentation(noise=0.9, brightness=0.9, contrast=0.9)
    pixels = augment_batch(images, wild, size_px=(16, 16), generator=seeded())
    assert 0 <= pixels.min() <= pixels.max() <= 1


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


def test_brightness_may_be_a_range_of_factors() -> None:
    grey = torch.full((COUNT, 3, 4, 4), 0.3)
    factors = shift_colour(grey, Augmentation(brightness=(0.5, 2.0)), seeded())[:, 0, 0, 0] / 0.3
    assert 0.5 <= factors.min() < 0.55
    assert 1.9 < factors.max() <= 2.0
    both = [shift_colour(grey, Augmentation(brightness=value), seeded()) for value in (0.15, (0.85, 1.15))]
    assert torch.equal(*both)


def test_a_window_moves_and_widens_within_its_reach_and_cuts_off_what_lies_outside() -> None:
    ramp = torch.linspace(0, 1, 101).view(1, 1, 1, 101).expand(COUNT, 3, 2, 101)
    seen = shift_window(ramp, 0.4, seeded())
    assert 0 <= seen.min() <= seen.max() <= 1
    windows = []
    for line in seen[:, 0, 0]:
        start, end = ((line > 0) & (line < 1)).nonzero()[[0, -1], 0] / 100
        width = float((end - start) / (line[round(float(end) * 100)] - line[round(float(start) * 100)]))
        windows.append((width, float(start) + width * (0.5 - float(line[round(float(start) * 100)]))))
    widths, centres = np.array(windows).T
    assert 0.6 - 1e-3 <= widths.min() < 0.65
    assert 1.35 < widths.max() <= 1.4 + 1e-3
    assert 0.3 - 1e-3 <= centres.min() < 0.32
    assert 0.68 < centres.max() <= 0.7 + 1e-3
    assert abs(np.corrcoef(widths, centres)[0, 1]) < 0.2

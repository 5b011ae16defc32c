import numpy as np
import pytest
import torch

from secondlook.training.augment.mixing import cut_pictures, mix_batch, mix_pictures
from secondlook.training.sections import Augmentation
from tests.training.augment.drawing import seeded


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


def test_cutmix_gives_a_rectangle_of_another_picture_and_that_share_of_its_target() -> None:
    count = 8
    pixels = torch.arange(count, dtype=torch.float32).view(count, 1, 1, 1).expand(count, 3, 40, 60)
    shares = []
    for seed in range(60):
        mixed, targets = cut_pictures(pixels, torch.eye(count), alpha=1.0, generator=seeded(seed))
        torch.testing.assert_close(targets.sum(dim=1), torch.ones(count))
        for number, picture in enumerate(mixed[:, 0]):
            other = picture != number
            torch.testing.assert_close(targets[number, number], 1 - other.float().mean())
            if other.any():
                rows, columns = other.any(dim=1).nonzero()[:, 0], other.any(dim=0).nonzero()[:, 0]
                box = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
                assert box.unique().numel() == 1
                assert box.numel() == other.sum()
            shares.append(float(targets[number, number]))
    assert min(shares) >= 0.5 - 0.03
    assert np.mean(np.array(shares) < 0.75) > 0.15


def test_a_coin_decides_where_both_are_wanted_and_without_any_nothing_is_drawn() -> None:
    pixels, targets = torch.rand(4, 3, 8, 8, generator=seeded()), torch.eye(4)
    generator = seeded(1)
    assert mix_batch(pixels, targets, Augmentation(), generator=generator)[0] is pixels
    assert torch.equal(generator.get_state(), seeded(1).get_state())
    for recipe, mix in ((Augmentation(mixup=0.4), mix_pictures), (Augmentation(cutmix=0.4), cut_pictures)):
        got = mix_batch(pixels, targets, recipe, generator=seeded(1))
        expected = mix(pixels, targets, alpha=0.4, generator=seeded(1))
        assert all(torch.equal(one, other) for one, other in zip(got, expected, strict=True))
    cut = 0
    for seed in range(60):
        mixed, _ = mix_batch(pixels, targets, Augmentation(mixup=1, cutmix=1), generator=seeded(seed))
        cut += bool(torch.isin(mixed, pixels).all())
    assert 18 <= cut <= 42

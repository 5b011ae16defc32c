"""Training of the outline network on drawn lesions."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from secondlook.data.manifest import Manifest
from secondlook.data.masks import Masked, find_masks
from secondlook.explanation.segmentation import OutlineNetwork
from secondlook.training.outlines import SIZE_PX, change_pairs, measure_loss, train_outliner
from tests.explanation.segmentation.drawing import draw_ellipse, measure_jaccard

COUNT = 32


@pytest.fixture
def masked(tmp_path: Path) -> Masked:
    """Return drawn lesions with their masks."""
    generator = np.random.default_rng(0)
    for number in range(COUNT):
        centre, radii = generator.uniform(0.35, 0.65, 2), generator.uniform(20, 50, 2)
        pixels, mask = draw_ellipse(centre=(centre[0], centre[1]), radii_px=(radii[0], radii[1]), seed=number)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        Image.fromarray(mask).save(tmp_path / f"{number}_mask.png")
    names = [f"{number}.png" for number in range(COUNT)]
    return find_masks(Manifest(pd.DataFrame({"image": names, "label": "nv", "group": names}), tmp_path), tmp_path)


def test_a_few_epochs_teach_it_to_outline_and_tell_their_losses(masked: Masked, tmp_path: Path) -> None:
    told: list[str] = []
    options = {"epochs": 25, "fingerprint": "0" * 64, "licence": "CC0-1.0"}
    outliner = train_outliner(masked, tmp_path / "network", seed=1, tell=told.append, **options)
    losses = [float(sentence.rsplit(" ", 1)[1]) for sentence in told]
    assert len(losses) == 25
    assert losses[-1] < 0.8 * losses[0]
    assert outliner.facts.pictures == outliner.facts.groups == COUNT
    pixels, mask = draw_ellipse(centre=(0.45, 0.55), radii_px=(30, 40), seed=99)
    assert measure_jaccard(OutlineNetwork(tmp_path / "network")(pixels), mask) > 0.6


def test_the_loss_is_least_for_the_mask_itself() -> None:
    wanted = torch.zeros(2, 8, 8)
    wanted[:, 2:6, 2:6] = 1
    right, wrong = measure_loss(20 * (wanted - 0.5), wanted), measure_loss(20 * (0.5 - wanted), wanted)
    assert right < 0.01
    assert wrong > 5


def test_picture_and_mask_are_moved_alike() -> None:
    pixels, mask = draw_ellipse((SIZE_PX[0], SIZE_PX[1]), centre=(0.5, 0.4), radii_px=(12, 18))
    images = torch.from_numpy(pixels).permute(2, 0, 1)[None].repeat(16, 1, 1, 1)
    masks = torch.from_numpy(mask.astype(np.uint8) * 255)[None, None].repeat(16, 1, 1, 1)
    moved, wanted = change_pairs(images, masks, torch.Generator().manual_seed(0))
    for picture, drawn in zip(moved.numpy(), wanted.numpy() > 0.5, strict=True):
        brightness = picture.mean(axis=0)
        assert brightness[drawn].mean() + 0.1 < brightness[~drawn].mean()
    assert len({round(float(one.sum())) for one in wanted}) > 8

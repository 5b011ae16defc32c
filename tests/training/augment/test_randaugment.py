"""Each change against Pillow's own, and the choice among them."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps

from secondlook.training.augment import randaugment
from secondlook.training.augment.randaugment import CHANGES, apply_randaugment
from secondlook.training.sections import RandAugment
from tests.training.augment.drawing import seeded


def make_picture(side: int = 32) -> np.ndarray:
    rng = np.random.default_rng(0)
    small = Image.fromarray(rng.integers(30, 220, (6, 6, 3), dtype=np.uint8))
    return np.asarray(small.resize((side, side), Image.Resampling.BICUBIC))


def change(name: str, amount: float, picture: np.ndarray) -> np.ndarray:
    pixels = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 255
    changed = getattr(randaugment, name)(pixels, torch.full((1, 1, 1, 1), amount)).clamp(0, 1)
    return changed[0].permute(1, 2, 0).numpy() * 255


PILLOW = {
    "stretch_contrast": lambda picture, _: ImageOps.autocontrast(picture),
    "posterise": lambda picture, amount: ImageOps.posterize(picture, 8 - round(abs(amount) * 4)),
    "solarise": lambda picture, amount: ImageOps.solarize(picture, 255 - abs(amount) * 255),
    "brighten": lambda picture, amount: ImageEnhance.Brightness(picture).enhance(1 + 0.9 * amount),
    "enhance_contrast": lambda picture, amount: ImageEnhance.Contrast(picture).enhance(1 + 0.9 * amount),
    "enhance_colour": lambda picture, amount: ImageEnhance.Color(picture).enhance(1 + 0.9 * amount),
    "sharpen": lambda picture, amount: ImageEnhance.Sharpness(picture).enhance(1 + 0.9 * amount),
}
GREY_BY_LUMA = {"enhance_contrast": 12, "enhance_colour": 25}  # Pillow's grey weighs the channels, ours does not


@pytest.mark.parametrize("amount", [-0.6, 0.5])
@pytest.mark.parametrize("name", list(PILLOW))
def test_changes_are_those_of_pillow(name: str, amount: float) -> None:
    picture = make_picture()
    expected = np.asarray(PILLOW[name](Image.fromarray(picture), amount), dtype=float)
    got = change(name, amount, picture)
    np.testing.assert_allclose(got[1:-1, 1:-1], expected[1:-1, 1:-1], atol=GREY_BY_LUMA.get(name, 1.6))
    assert np.abs(got - picture).mean() > 0.5


def test_equalised_values_are_equally_frequent() -> None:
    got = change("equalise", 0.5, make_picture(64))
    counts = np.stack([np.histogram(got[..., channel], bins=8, range=(0, 255))[0] for channel in range(3)])
    assert counts.min() > 0.6 * 64 * 64 / 8
    expected = np.asarray(ImageOps.equalize(Image.fromarray(make_picture(64))), dtype=float)
    np.testing.assert_allclose(got, expected, atol=4)
    blank = np.full((8, 8, 3), 90, dtype=np.uint8)
    for name in ("equalise", "stretch_contrast"):
        np.testing.assert_allclose(change(name, 0.5, blank), blank)


@pytest.mark.parametrize(
    ("name", "matrix"),
    [
        ("turn", [np.cos(np.pi / 12), -np.sin(np.pi / 12), 0, np.sin(np.pi / 12), np.cos(np.pi / 12), 0]),
        ("shear_columns", [1, 0.15, 0, 0, 1, 0]),
        ("shear_rows", [1, 0, 0, 0.15, 1, 0]),
        ("shift_columns", [1, 0, 0.225 * 32, 0, 1, 0]),
        ("shift_rows", [1, 0, 0, 0, 1, 0.225 * 32]),
    ],
)
def test_places_move_as_pillow_moves_them(name: str, matrix: list[float]) -> None:
    picture = make_picture()
    a, b, c, d, e, f = matrix
    centred = (a, b, c + 16 * (1 - a - b), d, e, f + 16 * (1 - d - e))  # Pillow's coordinates start at the corner
    expected = Image.fromarray(picture).transform((32, 32), Image.Transform.AFFINE, centred, Image.Resampling.BILINEAR)
    got, inside = change(name, 0.5, picture), np.s_[9:-9, 9:-9]
    np.testing.assert_allclose(got[inside], np.asarray(expected, dtype=float)[inside], atol=2)
    assert np.abs(got - picture)[inside].mean() > 2


def test_every_change_is_drawn_equally_often_in_both_senses(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = np.zeros((len(CHANGES), 2))

    def watch(number: int):
        def count(pixels: torch.Tensor, amount: torch.Tensor) -> torch.Tensor:
            assert (amount.abs() == pytest.approx(0.7)) if len(amount) else True
            counts[number] += [int((amount < 0).sum()), int((amount > 0).sum())]
            return pixels

        return count

    monkeypatch.setattr(randaugment, "CHANGES", tuple(watch(number) for number in range(len(CHANGES))))
    pixels = torch.rand(1000, 3, 2, 2, generator=seeded())
    apply_randaugment(pixels, RandAugment(number=3, magnitude=7), seeded())
    assert counts.sum() == 3000
    assert 60 < counts.min() <= counts.max() < 160


def test_pictures_of_a_batch_change_each_by_its_own() -> None:
    pixels = torch.from_numpy(make_picture().copy()).permute(2, 0, 1)[None].float().expand(200, -1, -1, -1) / 255
    changed = apply_randaugment(pixels, RandAugment(number=1, magnitude=9), seeded())
    assert len({row.numpy().tobytes() for row in changed}) == 2 * len(CHANGES) - 5  # five have one sense alone

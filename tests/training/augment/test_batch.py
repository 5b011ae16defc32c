import pytest
import torch

from secondlook.training.augment import augment_batch
from secondlook.training.augment.mixing import mix_batch
from secondlook.training.sections import Augmentation
from tests.training.augment.drawing import seeded

FEATURES = {"hair": 0.5, "ruler": 0.5, "window": 0.3, "randaugment": {"number": 2}}


def test_without_changes_the_picture_comes_back() -> None:
    images = torch.randint(0, 256, (3, 20, 20, 3), dtype=torch.uint8, generator=seeded())
    pixels = augment_batch(images, Augmentation(), size_px=(20, 20), generator=seeded())
    torch.testing.assert_close(pixels, images.permute(0, 3, 1, 2) / 255, atol=1e-6, rtol=0)


def test_without_changes_a_smaller_size_is_the_picture_resized() -> None:
    ramp = torch.linspace(0, 255, 40).byte()[None, None, :, None].expand(1, 40, 40, 3)
    pixels = augment_batch(ramp, Augmentation(), size_px=(20, 20), generator=seeded())
    expected = ramp[0, 0, :, 0].float().view(20, 2).mean(dim=1) / 255
    torch.testing.assert_close(pixels[0, 1, 7], expected, atol=1e-3, rtol=0)


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


@pytest.mark.parametrize("name", list(FEATURES))
def test_a_feature_changes_pictures_within_0_and_1_and_one_generator_decides_it(name: str) -> None:
    images = torch.randint(0, 256, (12, 40, 30, 3), dtype=torch.uint8, generator=seeded())
    recipe = Augmentation.model_validate({name: FEATURES[name]})
    plain = augment_batch(images, Augmentation(), size_px=(36, 48), generator=seeded(5))
    torch.manual_seed(1)
    changed = augment_batch(images, recipe, size_px=(36, 48), generator=seeded(5))
    torch.manual_seed(2)
    assert torch.equal(changed, augment_batch(images, recipe, size_px=(36, 48), generator=seeded(5)))
    assert not torch.equal(changed, augment_batch(images, recipe, size_px=(36, 48), generator=seeded(6)))
    assert changed.shape == (12, 3, 36, 48)
    assert changed.dtype == torch.float32
    assert 0 <= changed.min() <= changed.max() <= 1
    assert (changed != plain).flatten(1).any(dim=1).sum() >= 3


def test_what_recipes_drew_before_features_were_added_is_unchanged() -> None:
    """Shipped weights are made again only if their recipe still draws the same numbers in the same order."""
    images = torch.randint(0, 256, (4, 24, 24, 3), dtype=torch.uint8, generator=seeded())
    recipe = Augmentation(rotation_degrees=90, brightness=0.2, blur=1, noise=0.1, erase=1)
    generator = seeded(5)
    augment_batch(images, recipe, size_px=(20, 20), generator=generator)
    again = seeded(5)
    for shape in ((4, 8), (4, 7, 1, 1), (), (), (4, 1, 1, 1)):
        torch.rand(shape, generator=again)
    torch.randn(4, 3, 20, 20, generator=again)
    torch.rand(4, 5, generator=again)
    assert torch.equal(generator.get_state(), again.get_state())


@pytest.mark.parametrize("mixing", [{"mixup": 0.3}, {"cutmix": 1.0, "mixup": 0.0}])
def test_pictures_stay_on_their_device(mixing: dict[str, float]) -> None:
    """The device "meta" computes nothing, but like a GPU it refuses to be mixed with tensors of the CPU."""
    recipe = Augmentation.model_validate({"preset": "skin", **FEATURES, **mixing, "randaugment": {"number": 3}})
    images = torch.zeros(64, 40, 40, 3, dtype=torch.uint8, device="meta")
    generator = seeded()
    pixels = augment_batch(images, recipe, size_px=(32, 36), generator=generator)
    pixels, targets = mix_batch(pixels, torch.zeros(64, 7, device="meta"), recipe, generator=generator)
    assert pixels.shape == (64, 3, 32, 36)
    assert pixels.is_meta
    assert targets.is_meta

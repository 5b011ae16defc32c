import pytest

from secondlook.training.presets import PRESETS
from secondlook.training.reading import read_recipe
from secondlook.training.sections import Augmentation


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_is_valid_and_changes_something(name: str) -> None:
    got = Augmentation.model_validate({"preset": name})
    assert got == Augmentation.model_validate(PRESETS[name])
    assert got != Augmentation()


def test_presets_are_what_the_reference_systems_tell() -> None:
    r1 = Augmentation.model_validate({"preset": "r1"})
    assert (r1.shear, r1.rotation_degrees, r1.brightness) == (0.2, 40, (0.5, 1.5))
    assert r1.flip_horizontal
    assert r1.flip_vertical
    dermoscopy = Augmentation.model_validate({"preset": "r2_dermoscopy"})
    assert (dermoscopy.rotation_degrees, dermoscopy.zoom, dermoscopy.shift) == (10, (0.9, 1.1), 0.1)
    assert not dermoscopy.flip_horizontal
    inception = Augmentation.model_validate({"preset": "r2_inceptionresnetv2"})
    assert (inception.rotation_degrees, inception.zoom, inception.shift) == (180, (0.9, 1.1), 0.1)
    assert inception.flip_vertical
    chest = Augmentation.model_validate({"preset": "r2_chest"})
    assert (chest.zoom, chest.flip_horizontal, chest.flip_vertical) == ((0.7, 1.3), True, False)


def test_the_preset_skin_is_what_the_recipe_of_the_second_run_takes() -> None:
    assert Augmentation.model_validate({"preset": "skin"}) == read_recipe("skin-sharp").augmentation


def test_xrays_are_never_turned_upside_down() -> None:
    xray = Augmentation.model_validate({"preset": "xray"})
    assert not xray.flip_vertical
    assert xray.rotation_degrees < 20
    assert xray.saturation == xray.white_balance == xray.hair == 0

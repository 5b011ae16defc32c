import re
from pathlib import Path

import numpy as np
import pytest

from secondlook.evaluation.stress.corruptions import CORRUPTIONS, LEVELS, Corruption
from secondlook.evaluation.stress.optics import DAYLIGHT_KELVIN, shift_white_balance
from secondlook.evaluation.stress.sample import seed_picture
from tests.drawing import draw_lesion
from tests.xrays import draw_chest

ISSUE = {
    "photograph": "defocus motion jpeg brightness contrast white_balance noise hair ruler ink bubbles vignette",
    "radiograph": "defocus motion jpeg exposure window rotation marker",
}
CASES = [pytest.param(kind, part, id=f"{kind}-{part.key}") for kind, parts in CORRUPTIONS.items() for part in parts]


def draw(kind: str, size: tuple[int, int] = (240, 180)) -> np.ndarray:
    image = draw_lesion(3, "mel", size=size) if kind == "photograph" else draw_chest(3, "pneumonia", size=size)
    return np.asarray(image.convert("RGB"))


def corrupt(part: Corruption, pixels: np.ndarray, level: int, seed: int = 0) -> np.ndarray:
    return part.change(pixels, part.levels[level], seed_picture(pixels, part.key, seed=seed))


def test_every_corruption_of_the_issue_is_there_at_five_levels() -> None:
    for kind, keys in ISSUE.items():
        assert [part.key for part in CORRUPTIONS[kind]] == keys.split()
        assert all(len(part.levels) == LEVELS == len(set(part.levels)) for part in CORRUPTIONS[kind])


def test_the_documentation_states_every_level() -> None:
    text = (Path(__file__).parents[3] / "docs" / "stress.md").read_text(encoding="utf-8")
    for parts in CORRUPTIONS.values():
        for part in parts:
            levels = ", ".join(f"{level:g}" for level in part.levels)
            assert re.search(rf"^\| {part.name} \|.*\| {re.escape(part.amount)} \| {levels} \|$", text, re.MULTILINE)


@pytest.mark.parametrize(("kind", "part"), CASES)
def test_the_stronger_the_level_the_further_from_the_picture(kind: str, part: Corruption) -> None:
    pixels = draw(kind)
    before = pixels.copy()
    changed = [corrupt(part, pixels, level) for level in range(LEVELS)]
    distances = [float(np.abs(image.astype(float) - pixels).mean()) for image in changed]
    assert all(image.shape == pixels.shape and image.dtype == np.uint8 for image in changed)
    assert distances[0] > 0
    assert distances == sorted(distances)
    assert distances[-1] > 1.5 * distances[0]
    assert np.array_equal(pixels, before)


@pytest.mark.parametrize(("kind", "part"), CASES)
def test_the_same_seed_gives_the_same_picture(kind: str, part: Corruption) -> None:
    pixels = draw(kind)
    assert np.array_equal(corrupt(part, pixels, 2), corrupt(part, pixels, 2))


@pytest.mark.parametrize("key", ["motion", "noise", "hair", "ruler", "ink", "bubbles"])
def test_another_seed_gives_another(key: str) -> None:
    pixels = draw("photograph")
    part = next(part for part in CORRUPTIONS["photograph"] if part.key == key)
    assert not np.array_equal(corrupt(part, pixels, 4), corrupt(part, pixels, 4, seed=1))


@pytest.mark.parametrize("key", ["vignette", "ink", "brightness", "contrast"])
def test_amounts_mean_the_same_at_every_size(key: str) -> None:
    part = next(part for part in CORRUPTIONS["photograph"] if part.key == key)
    changes = []
    for size in ((120, 90), (240, 180)):
        pixels = np.asarray(draw_lesion(3, "mel", size=(240, 180)).resize(size))
        changed = part.change(pixels, part.levels[3], np.random.default_rng(5))
        changes.append(np.abs(changed.astype(float) - pixels).mean())
    assert changes[1] == pytest.approx(changes[0], rel=0.35)


def test_defocus_turns_a_point_into_a_disc_of_the_stated_radius_and_keeps_its_light() -> None:
    part = CORRUPTIONS["photograph"][0]
    pixels = np.zeros((200, 300, 3), np.uint8)
    pixels[100, 150] = 255
    spread = part.change(pixels, 3.0, np.random.default_rng(0))[..., 0].astype(float)
    rows, columns = np.nonzero(spread)
    assert np.hypot(rows - 100, columns - 150).max() == pytest.approx(6, abs=1)
    assert ((spread / 255) ** 2.2).sum() == pytest.approx(1, rel=0.15)


def test_motion_blurs_along_one_line() -> None:
    part = CORRUPTIONS["photograph"][1]
    pixels = np.zeros((101, 101, 3), np.uint8)
    pixels[50, 50] = 255
    spread = part.change(pixels, 10.0, np.random.default_rng(1))[..., 0]
    rows, columns = np.nonzero(spread)
    values = np.linalg.svd(np.stack([rows - rows.mean(), columns - columns.mean()]))[1]
    assert values[1] < values[0] / 4


def test_light_that_the_camera_knows_changes_nothing_and_other_light_tints() -> None:
    grey = np.full((4, 4, 3), 120, np.uint8)
    assert np.array_equal(shift_white_balance(grey, 0, np.random.default_rng(0)), grey)

    class Warm:
        def choice(self, _signs: list[int]) -> int:
            return 1

    red, green, blue = shift_white_balance(grey, 120, Warm())[0, 0].astype(int)
    assert red > green == 120 > blue
    assert DAYLIGHT_KELVIN == 5500


def test_fewer_photons_mean_more_mottle_above_all_behind_bone() -> None:
    part = next(part for part in CORRUPTIONS["radiograph"] if part.key == "exposure")
    spreads = []
    for level in (40, 220):
        pixels = np.full((80, 80, 3), level, np.uint8)
        noisy = part.change(pixels, part.levels[-1], np.random.default_rng(0))
        assert (noisy[..., 0] == noisy[..., 2]).all(), "an X-ray stays grey"
        assert noisy.mean() == pytest.approx(level, abs=6)
        spreads.append(noisy.std())
    assert spreads[1] > 1.5 * spreads[0] > 1.5


def test_ink_covers_the_stated_share_and_spares_the_lesion() -> None:
    part = next(part for part in CORRUPTIONS["photograph"] if part.key == "ink")
    pixels = np.full((200, 200, 3), 200, np.uint8)
    for amount in part.levels:
        inked = (part.change(pixels, amount, np.random.default_rng(0)) != pixels).any(axis=2)
        assert amount - 0.5 < 100 * inked.mean() < amount + 4
        assert not inked[50:150, 70:130].any()


def test_a_turned_picture_has_no_black_corners() -> None:
    part = next(part for part in CORRUPTIONS["radiograph"] if part.key == "rotation")
    turned = part.change(np.full((60, 90, 3), 200, np.uint8), 20, np.random.default_rng(0))
    assert turned.min() > 195

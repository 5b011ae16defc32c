"""Pictures that were moved by known amounts are found again; those of another lesion are not."""

import numpy as np
import pytest

from secondlook.explanation.change.appearance import measure_appearance
from secondlook.explanation.change.confirmation import Registration, register_pictures
from secondlook.explanation.change.placement import Similarity
from secondlook.explanation.segmentation.preparation import Pixels
from tests.drawing import draw_lesion, draw_noise
from tests.explanation.change.drawing import SIZE, draw_changed, move_picture, place

CORNERS = np.array([[100.0, 90.0], [380.0, 90.0], [380.0, 270.0], [100.0, 270.0]])


def register(one: Pixels, other: Pixels) -> Registration:
    masks = [measure_appearance(pixels) for pixels in (one, other)]
    nothing = np.zeros((3, 4), dtype=bool)
    return register_pictures(
        one, other, lesions=(masks[0].lesion if masks[0] else nothing, masks[1].lesion if masks[1] else nothing)
    )


def measure_error(found: Similarity, true: Similarity) -> float:
    places = [np.stack(each.apply(*CORNERS.T)) for each in (found, true)]
    return float(np.hypot(*(places[0] - places[1])).max())


@pytest.mark.parametrize(
    ("turn", "scale", "shift"),
    [(0, 1, (12, -9)), (9, 1, (0, 0)), (-40, 1.2, (5, 5)), (90, 0.8, (0, 10)), (175, 1, (-20, 8)), (15, 1.6, (8, 8))],
)
def test_a_moved_picture_is_found_again(turn: float, scale: float, shift: tuple[float, float]) -> None:
    before = np.asarray(draw_lesion(1, "nv", size=SIZE))
    true = place(turn_degrees=turn, scale=scale, shift=shift)
    found = register(before, move_picture(before, true))
    assert found.trusted
    assert found.residual < 0.01
    assert measure_error(found.placement, true) < 6  # of 480 pixels
    assert found.placement.scale == pytest.approx(scale, rel=0.015)
    assert found.placement.turn_degrees == pytest.approx(turn, abs=0.7)


def test_another_size_of_the_same_picture_is_only_larger() -> None:
    before = draw_lesion(2, "mel", size=SIZE)
    found = register(np.asarray(before), np.asarray(before.resize((960, 720))))
    assert found.trusted
    assert found.placement.scale == pytest.approx(2, rel=0.01)


def test_another_light_and_the_rim_of_a_dermatoscope_do_not_matter() -> None:
    before = np.asarray(draw_lesion(3, "nv", size=SIZE))
    true = place(turn_degrees=-12, scale=0.95)
    dim = move_picture(before, true) * np.linspace(0.6, 1.0, SIZE[0])[None, :, None] * np.array([1.0, 0.95, 0.85])
    rows, columns = np.mgrid[: SIZE[1], : SIZE[0]]
    seen = np.hypot(columns - SIZE[0] / 2, rows - SIZE[1] / 2) < 235
    found = register(before, np.where(seen[..., None], dim, 8).astype(np.uint8))
    assert found.trusted
    assert measure_error(found.placement, true) < 6


@pytest.mark.parametrize("seed", [4, 5, 6])
def test_another_lesion_is_not_trusted(seed: int) -> None:
    one, other = (np.asarray(draw_lesion(each, "nv", size=SIZE)) for each in (seed, seed + 50))
    found = register(one, other)
    assert not found.trusted
    assert not found.scale_trusted


def test_noise_and_plain_skin_are_not_trusted() -> None:
    one = np.asarray(draw_lesion(1, "nv", size=SIZE))
    for other in (np.asarray(draw_noise(1, size=SIZE)), np.full((*SIZE[::-1], 3), (210, 165, 145), np.uint8)):
        assert not register(one, other).trusted
        assert not register(other, one).trusted


@pytest.mark.parametrize(("label", "seed", "growth"), [("nv", 1, 1.15), ("nv", 1, 1.4), ("mel", 3, 1.4)])
def test_a_lesion_that_grew_does_not_pass_for_one_taken_from_nearer(
    label: str, seed: int, growth: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = draw_changed(monkeypatch, seed, label)
    true = place(turn_degrees=10, scale=0.95)
    after = move_picture(draw_changed(monkeypatch, seed, label, growth=growth), true)
    found = register(before, after)
    assert found.scale_trusted
    assert found.placement.scale == pytest.approx(0.95, rel=0.015)


def test_a_placement_and_its_inverse_lead_back() -> None:
    there = place(turn_degrees=33, scale=1.7, shift=(20, -3))
    back = there.invert()
    assert np.stack(back.apply(*there.apply(*CORNERS.T))) == pytest.approx(CORNERS.T)
    doubled = there.rescale(2, 3)
    assert np.stack(doubled.apply(*(2 * CORNERS.T))) == pytest.approx(3 * np.stack(there.apply(*CORNERS.T)))

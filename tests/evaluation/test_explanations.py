import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from PIL import Image
from scipy.stats import spearmanr

from secondlook.data.manifest import Manifest
from secondlook.evaluation.evidence import OPTIONAL, list_skipped
from secondlook.evaluation.explanations import map_label, measure_explanations
from secondlook.evaluation.faithfulness import (
    align_mask,
    correlate_ranks,
    draw_centre,
    hits_inside,
    measure_area,
    measure_heat_inside,
    trace_deletion,
    trace_insertion,
)
from secondlook.evaluation.report.explanations import list_doubts
from secondlook.inference.graph import shuffle_weights
from secondlook.inference.predictor import load_predictor
from secondlook.inference.session import Session

SIDE = 24


def draw_spot() -> tuple[np.ndarray, np.ndarray]:
    """Return a picture with a dark spot in its upper left, and the spot's mask."""
    mask = np.zeros((SIDE, SIDE), bool)
    mask[3:9, 3:9] = True
    return np.where(mask[..., None], 20, 220).astype(np.uint8).repeat(3, axis=2), mask


def answer_spot(image: np.ndarray) -> float:
    """Answer by how dark the spot's place is against the rest."""
    _, mask = draw_spot()
    return float(image[~mask].mean() - image[mask].mean()) / 255


def test_a_true_map_falls_sooner_and_rises_sooner_than_a_false_one() -> None:
    image, mask = draw_spot()
    true, false = mask.astype(np.float32), (~mask).astype(np.float32)
    areas = {}
    for name, trace in (("deletion", trace_deletion), ("insertion", trace_insertion)):
        curves = [trace(answer_spot, image, heat, steps=16) for heat in (true, false)]
        assert all(len(curve) == 17 for curve in curves)
        assert curves[0][0] == pytest.approx(curves[1][0])
        assert curves[0][-1] == pytest.approx(curves[1][-1])
        areas[name] = [measure_area(curve) for curve in curves]
    assert areas["deletion"][0] < areas["deletion"][1] - 0.3
    assert areas["insertion"][0] > areas["insertion"][1] + 0.1


def test_deletion_ends_at_the_mean_colour_and_insertion_at_the_picture() -> None:
    image, mask = draw_spot()
    heat = mask.astype(np.float32)
    assert trace_deletion(answer_spot, image, heat, steps=4)[-1] == pytest.approx(0, abs=1e-2)
    assert trace_insertion(answer_spot, image, heat, steps=4)[-1] == pytest.approx(answer_spot(image))
    assert measure_area(np.array([1.0, 0.5, 0.0])) == 0.5


def test_an_even_map_has_as_much_heat_inside_as_the_mask_is_large() -> None:
    _, mask = draw_spot()
    assert measure_heat_inside(np.ones(mask.shape, np.float32), mask) == pytest.approx(mask.mean())
    assert measure_heat_inside(mask.astype(np.float32), mask) == 1
    assert np.isnan(measure_heat_inside(np.zeros(mask.shape, np.float32), mask))
    assert hits_inside(mask.astype(np.float32), mask)
    assert not hits_inside((~mask).astype(np.float32), mask)


def test_rank_correlation_is_spearmans() -> None:
    rng = np.random.default_rng(0)
    first = rng.random((6, 7)).astype(np.float32)
    second = np.maximum(first + rng.normal(0, 0.3, first.shape) - 0.4, 0).astype(np.float32)  # with ties at zero
    assert correlate_ranks(first, second) == pytest.approx(spearmanr(first.ravel(), second.ravel()).statistic)
    assert correlate_ranks(first, np.ones_like(first)) == 0


def test_the_centre_is_round_and_in_the_middle() -> None:
    heat = draw_centre((5, 5))
    assert heat.argmax() == 12
    assert np.allclose(heat, heat[::-1, ::-1])
    assert heat[0, 0] < 0.1 < heat[2, 2] == 1


@pytest.mark.parametrize("frame", [(600, 450), (200, 150)])
def test_a_mask_of_the_frame_is_cut_as_its_central_square_was(frame: tuple[int, int]) -> None:
    width, height = frame
    columns, rows = np.meshgrid(np.arange(width) / width, np.arange(height) / height)
    mask = (columns > 0.5) & (rows < 0.5)
    for picture, seen in (((224, 224), (0, 0, 1, 1)), ((200, 150), (0.125, 0, 0.875, 1))):
        aligned = align_mask(mask, picture, seen=seen, size=(64, 64))
        wanted = np.zeros((64, 64), bool)
        wanted[:32, 32:] = True
        assert (aligned != wanted).mean() < 0.03
    whole = align_mask(mask, (200, 150), seen=(0, 0, 1, 1), size=(30, 40))
    assert whole.shape == (30, 40)
    assert whole[:15, 20:].all()
    assert whole.mean() == pytest.approx(0.25, abs=0.03)


def test_shuffled_weights_keep_their_values_and_lose_their_places(tiny_bundle) -> None:
    data = (tiny_bundle / "model.onnx").read_bytes()
    before, after = (
        {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load_from_string(content).graph.initializer}
        for content in (data, shuffle_weights(data, seed=0))
    )
    for name, values in before.items():
        assert np.array_equal(np.sort(values.ravel()), np.sort(after[name].ravel()))
        assert np.array_equal(values, after[name]) == (values.size < 8)
    assert shuffle_weights(data, seed=0) == shuffle_weights(data, seed=0) != shuffle_weights(data, seed=1)
    image = np.zeros((64, 64, 3), np.uint8)
    maps = [map_label(Session(content), image, 4) for content in (data, shuffle_weights(data, seed=0))]
    assert maps[0].shape == maps[1].shape


@pytest.fixture(scope="module")
def found(tiny_bundle, drawn_manifest: Manifest, tmp_path_factory: pytest.TempPathFactory) -> dict:
    masks = tmp_path_factory.mktemp("masks")
    test = drawn_manifest.select("test")
    rows, columns = np.mgrid[0:150, 0:200]
    disc = np.hypot(rows - 75, columns - 100) < 35
    for path in test.paths()[::2]:
        Image.fromarray(disc.astype(np.uint8) * 255).save(masks / f"{path.stem}_mask.png")
    graph = (tiny_bundle / "model.onnx").read_bytes()
    return measure_explanations(load_predictor(tiny_bundle), graph, test, masks=masks, pictures=21, resamples=300)


def test_the_tiny_networks_maps_are_better_than_random(found: dict) -> None:
    assert found["sample"]["pictures"] == 21
    for curve in ("deletion", "insertion"):
        assert set(found[curve]["curves"]) == {"map", "random", "centre"}
        assert all(len(values) == found["steps"] + 1 for values in found[curve]["curves"].values())
    gain = found["deletion"]["random"]["value"] - found["deletion"]["map"]["value"]
    assert found["deletion"]["over_random"]["value"] == pytest.approx(gain, abs=2e-4)
    gain = found["insertion"]["map"]["value"] - found["insertion"]["centre"]["value"]
    assert found["insertion"]["over_centre"]["value"] == pytest.approx(gain, abs=2e-4)
    assert found["occlusion"]["map"]["value"] > 0.4 > abs(found["occlusion"]["random"]["value"])
    masks = found["masks"]
    assert 0 < masks["pictures"] < 21
    assert masks["over_chance"]["value"] == pytest.approx(masks["map"]["value"] - masks["chance"]["value"], abs=2e-4)
    assert masks["random"]["value"] == pytest.approx(masks["chance"]["value"], abs=0.08)


def test_a_report_names_every_check_in_which_the_map_is_no_better_than_chance(found: dict) -> None:
    better, unsure = {"value": 0.2, "lower": 0.1, "upper": 0.3}, {"value": 0.05, "lower": -0.1, "upper": 0.2}
    good = {
        **{curve: {"over_random": better, "over_centre": better} for curve in ("deletion", "insertion")},
        "masks": {"over_chance": better, "over_centre": better},
        "occlusion": {"gain": better},
        "shuffled_weights": {"map": better},
    }
    assert list_doubts(good) == []
    assert list_doubts(good | {"masks": {}}) == []
    assert (
        "no better than a random map"
        in list_doubts(good | {"deletion": {**good["deletion"], "over_random": unsure}})[0]
    )
    assert "no more than chance" in list_doubts(good | {"masks": {"over_chance": unsure, "over_centre": better}})[0]
    assert "centre" in list_doubts(good | {"masks": {"over_chance": better, "over_centre": unsure}})[0]
    assert "occlusion" in list_doubts(good | {"occlusion": {"gain": unsure}})[0]
    same = {"value": 0.6, "lower": 0.4, "upper": 0.8}
    assert "shuffled weights" in list_doubts(good | {"shuffled_weights": {"map": same}})[0]
    undefined = {"value": None, "lower": None, "upper": None}
    assert len(list_doubts(good | {"occlusion": {"gain": undefined}, "shuffled_weights": {"map": undefined}})) == 2


def test_without_masks_what_is_stored_of_them_is_not_compared(found: dict) -> None:
    class Held:
        def __init__(self, explanations: dict) -> None:
            self.content = {**{part: {} for part in OPTIONAL}, "measures": {}, "explanations": explanations}

        def model_dump(self, mode: str) -> dict:
            return self.content

    bare = found | {"masks": {}}
    assert list_skipped(Held(found), Held(bare)) == ["explanations.masks"]
    assert list_skipped(Held(found), Held({})) == ["explanations", "explanations.masks"]
    assert list_skipped(Held(found), Held(found)) == list_skipped(Held(bare), Held(found)) == []

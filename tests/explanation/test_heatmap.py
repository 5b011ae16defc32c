import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from secondlook.explanation.heatmap import find_part, place_heatmap, smooth_heatmap
from secondlook.inference.occlusion import measure_occlusion, scale_maps
from secondlook.inference.predictor import Predictor, load_predictor, read_input


@pytest.fixture(scope="module")
def predictor(tiny_bundle: Path) -> Predictor:
    return load_predictor(tiny_bundle)


def draw_moved(place: tuple[float, float], size: tuple[int, int]) -> bytes:
    """Return a PNG of skin with one dark melanoma at a place, given in shares of width and height."""
    width, height = size
    rows, columns = np.mgrid[0:height, 0:width]
    distance = np.hypot(columns - place[0] * width, rows - place[1] * height) / min(size)
    pixels = np.where((distance < 0.11)[..., None], (52, 36, 46), (225, 178, 160)).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def find_centre(heat: np.ndarray) -> tuple[float, float]:
    hot = heat * (heat > 0.5)
    rows, columns = np.indices(heat.shape) + 0.5
    return float((hot * columns).sum() / hot.sum()), float((hot * rows).sum() / hot.sum())


def find_telling_label(predictor: Predictor, size: tuple[int, int]) -> str:
    """Return the label that the lesion speaks for most, against the bare skin around it."""
    with_lesion, bare = (predictor.predict(draw_moved(place, size)) for place in ((0.5, 0.5), (9, 9)))
    gains = {label: with_lesion.probabilities[label] - bare.probabilities[label] for label in bare.probabilities}
    return max(gains, key=lambda label: gains[label])


@pytest.mark.parametrize("size", [(200, 150), (150, 200), (180, 180), (640, 400)])
@pytest.mark.parametrize("place", [(0.5, 0.5), (0.35, 0.3), (0.65, 0.4), (0.4, 0.7)])
def test_the_map_follows_the_lesion_over_the_original_picture(
    predictor: Predictor, size: tuple[int, int], place: tuple[float, float]
) -> None:
    prediction = predictor.predict(draw_moved(place, size))
    label = find_telling_label(predictor, size)
    heat = place_heatmap(prediction.heatmaps[label], size, seen=prediction.seen)
    assert heat.shape == (size[1], size[0])
    assert find_centre(heat) == pytest.approx((place[0] * size[0], place[1] * size[1]), abs=min(size) / 8)


@pytest.mark.parametrize("place", [(0.35, 0.3), (0.6, 0.65)])
def test_occlusion_finds_the_same_place(predictor: Predictor, place: tuple[float, float]) -> None:
    size = (200, 200)
    label = predictor.task.keys.index(find_telling_label(predictor, size))
    facts = predictor.bundle.facts
    _, image = read_input(draw_moved(place, size), facts.input_size_px, resize=facts.resize)
    heat = smooth_heatmap(scale_maps(measure_occlusion(predictor.bundle.session, image))[label], size)
    assert find_centre(heat) == pytest.approx((place[0] * 200, place[1] * 200), abs=25)


def test_every_label_has_a_map_of_its_own(predictor: Predictor) -> None:
    prediction = predictor.predict(draw_moved((0.5, 0.5), (200, 150)))
    assert tuple(prediction.heatmaps) == predictor.task.keys
    maps = [prediction.heatmaps[label] for label in predictor.task.keys]
    assert all(heat.min() >= 0 and heat.max() <= 1 for heat in maps)
    assert not np.array_equal(maps[4], maps[5])


def test_nothing_is_hot_where_the_network_did_not_look() -> None:
    heat = place_heatmap(np.ones((6, 6), np.float32), (600, 450), seen=(0.125, 0, 0.875, 1))
    assert not heat[:, :75].any()
    assert not heat[:, 525:].any()
    assert (heat[:, 75:525] == 1).all()
    assert find_part((3, 3), (0.4, 0.4, 0.45, 0.45)) == (1, 1, 1, 1)


def test_heat_has_no_steps_between_cells() -> None:
    cells = np.zeros((6, 6), np.float32)
    cells[2, 3] = 1
    heat = smooth_heatmap(cells, (240, 240))
    assert np.abs(np.diff(heat, axis=0)).max() < 0.06
    assert heat.max() == pytest.approx(1, abs=0.02)
    assert (heat.min(), heat.dtype) == (0, np.float32)

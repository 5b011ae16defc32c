import io
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from secondlook.errors import BundleError
from secondlook.inference.bundle import open_bundle
from secondlook.inference.occlusion import OcclusionHeatmaps, measure_occlusion
from secondlook.inference.predictor import load_predictor
from secondlook.inference.session import Outputs
from tests.drawing import draw_lesion
from tests.inference.test_bundle import change_graph, change_json

HEIGHT, WIDTH = 40, 61


class Session:
    """A graph that answers with weights by place, and counts how often it is asked."""

    def __init__(self, weights: np.ndarray) -> None:
        self.weights, self.runs = weights, 0

    def run(self, images: np.ndarray) -> Outputs:
        self.runs += 1
        darkness = 255 - images[0].astype(np.float64).mean(axis=2)
        logits = np.array([[(darkness * weights).mean() for weights in self.weights]], np.float32)
        return Outputs(logits, np.zeros((1, 1), np.float32), None)


def draw(row: slice, column: slice) -> np.ndarray:
    image = np.full((HEIGHT, WIDTH, 3), 220, np.uint8)
    image[row, column] = 20
    return image


def test_hiding_what_speaks_for_a_label_takes_most_from_it() -> None:
    image = draw(slice(18, 22), slice(36, 42))  # within row 3, column 4 of seven
    drops = measure_occlusion(Session(np.stack([np.ones((HEIGHT, WIDTH)), np.zeros((HEIGHT, WIDTH))])), image)
    assert (drops.shape, drops.dtype) == ((2, 7, 7), np.float32)
    assert np.unravel_index(drops[0].argmax(), (7, 7)) == (3, 4)
    assert drops[0].max() > 0
    assert not drops[1].any()
    assert (np.delete(drops[0].ravel(), 3 * 7 + 4) < 0).all(), "ground hidden by the darker mean gains darkness"


def test_the_parts_cover_the_picture_without_gaps() -> None:
    image = draw(slice(0, HEIGHT), slice(0, WIDTH // 2))
    session = Session(np.ones((1, HEIGHT, WIDTH)))
    drops = measure_occlusion(session, image)
    mean = np.rint(image.mean(axis=(0, 1)))[0]
    assert drops.sum() == pytest.approx((mean - image[..., 0].astype(float)).mean(), abs=1e-3)


def test_heatmaps_are_computed_when_asked_for_and_only_once() -> None:
    session = Session(np.stack([np.ones((HEIGHT, WIDTH)), np.zeros((HEIGHT, WIDTH))]))
    heatmaps = OcclusionHeatmaps(session, draw(slice(0, 5), slice(0, 5)), ("mel", "nv"))
    assert list(heatmaps) == ["mel", "nv"]
    assert (len(heatmaps), session.runs) == (2, 0)
    first = heatmaps["mel"]
    assert session.runs == 50
    assert heatmaps["mel"] is first
    assert heatmaps["nv"].shape == (7, 7)
    assert session.runs == 50
    assert (first.min(), first.max(), first[0, 0]) == (0, 1, 1)
    with pytest.raises(KeyError):
        heatmaps["bcc"]


@pytest.fixture
def mapless(bundle_copy: Path) -> Path:
    """Return a bundle whose graph gives no map, and that says so."""
    model = onnx.load(bundle_copy / "model.onnx")
    assert model.graph.output.pop().name == "map"
    change_graph(bundle_copy, model)
    change_json(bundle_copy, "bundle.json", graph__map="occlusion")
    return bundle_copy


def test_a_bundle_without_a_map_shows_where_the_lesion_lies(mapless: Path, tiny_bundle: Path) -> None:
    picture = np.asarray(draw_lesion(3, "mel", size=(300, 300)))
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    prediction, usual = (load_predictor(folder).predict(stream.getvalue()) for folder in (mapless, tiny_bundle))
    assert (prediction.heatmap_kind, usual.heatmap_kind) == ("occlusion", "class_activation")
    assert prediction.probabilities == usual.probabilities
    assert prediction.heatmap.shape == (7, 7)
    assert prediction.heatmap is prediction.heatmaps[prediction.label]
    inner = prediction.heatmap[2:5, 2:5].mean()
    border = np.concatenate([prediction.heatmap[0], prediction.heatmap[-1]]).mean()
    assert inner > 2 * border


@pytest.mark.parametrize("said", ["occlusion", "class_activation"])
def test_a_bundle_that_claims_another_kind_of_map_is_refused(request: pytest.FixtureRequest, said: str) -> None:
    folder = request.getfixturevalue("bundle_copy" if said == "occlusion" else "mapless")
    change_json(folder, "bundle.json", graph__map=said)
    with pytest.raises(BundleError, match=f"says that the map is {said}, but model.onnx gives"):
        open_bundle(folder)

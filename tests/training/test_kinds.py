"""From a manifest to a bundle that answers, for each kind of network: flattened, with hidden layers, transformer."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from secondlook.data.manifest import Manifest, write_manifest
from secondlook.inference.predictor import load_predictor
from secondlook.training.dataset import measure_colours
from secondlook.training.loop import Watcher
from secondlook.training.run import prepare_material, train_run
from tests.training.tiny import NETWORK, make_recipe

KINDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "occlusion": (
        {"model": {"family": "r2_dermoscopy", "normalise": "data"}, "augmentation": {"preset": "r2_dermoscopy"}},
        {"size_px": (24, 32)},
    ),
    "head_by_place": (
        {"model": {"name": NETWORK, "head": {"hidden": [16], "dropout": 0.3, "batch_norm": True}}},
        {"size_px": 64, "trainable": "head", "features": "cached"},
    ),
}
TRANSFORMER = {"model": {"name": "test_vit", "normalise": "half"}}, {"size_px": 32, "layer_decay": 0.7}


@pytest.mark.parametrize(
    ("kind", "sections", "stage"),
    [*((kind, *parts) for kind, parts in KINDS.items()), ("occlusion", *TRANSFORMER)],
    ids=["flattened", "hidden layers on cached features", "transformer"],
)
def test_every_kind_of_network_trains_exports_and_answers(
    tmp_path: Path,
    drawn: Manifest,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    sections: dict[str, Any],
    stage: dict[str, Any],
) -> None:
    monkeypatch.setenv("SECONDLOOK_CACHE", str(tmp_path / "cache"))
    write_manifest(drawn, tmp_path / "drawn.csv")
    size = stage["size_px"]
    recipe = make_recipe(
        data={"manifest": str(tmp_path / "drawn.csv"), "cache_px": size},
        stages=[{"epochs": 2} | stage],
        export={"input_size_px": size},
        **({"augmentation": {}} | sections),
    )
    bundle = train_run(recipe, tmp_path / "run", watcher=Watcher())
    facts = json.loads((bundle / "bundle.json").read_text())
    assert facts["graph"]["map"] == kind
    assert facts["training"]["weights"] == "drawn at random"
    predictor = load_predictor(bundle)
    picture = drawn.select("test").paths()[0]
    prediction, again = predictor.predict(picture), predictor.predict(picture)
    assert prediction.heatmap_kind == kind
    assert prediction.heatmap.min() >= 0
    assert prediction.heatmap.max() in {0, 1}
    assert prediction.heatmap.shape == ((7, 7) if kind == "occlusion" else (2, 2))
    np.testing.assert_array_equal(prediction.heatmap, again.heatmap)
    if recipe.model.normalise == "data":
        check_colours(recipe, bundle)


def check_colours(recipe: Any, bundle: Path) -> None:
    """Check that the graph standardises by the training pictures' own mean and deviation."""
    pictures = prepare_material(recipe, watcher=Watcher()).train
    mean, deviation = measure_colours(pictures)
    pixels = pictures.images[pictures.rows] / 255
    np.testing.assert_allclose(mean, pixels.mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(deviation, pixels.std(axis=(0, 1, 2)))
    graph = (bundle / "model.onnx").read_bytes()
    for values in (mean, deviation):
        assert np.array(values, np.float32).tobytes() in graph

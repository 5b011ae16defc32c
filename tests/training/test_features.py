from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from secondlook.errors import RecipeError
from secondlook.training import features
from secondlook.training.loop import Progress, Watcher
from secondlook.training.measure import measure_logits, predict_logits
from secondlook.training.recipe import Recipe
from secondlook.training.zoo import build_network
from secondlook.training.zoo.classifier import Classifier
from tests.training.tiny import (
    CACHE_PX,
    CACHED_STAGES,
    make_pictures,
    make_recipe,
    sum_weights,
    train,
)

PLAIN = {"rate": 0.02, "batch_size": 8, "ema_decay": 0.9}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep features in a folder of the test."""
    monkeypatch.setenv("SECONDLOOK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows by the number of pictures whenever a backbone looks at some."""
    counted: list[int] = []
    extract = Classifier.extract_features

    def count(self: Classifier, pixels: Tensor) -> Tensor:
        counted.append(len(pixels))
        return extract(self, pixels)

    monkeypatch.setattr(Classifier, "extract_features", count)
    return counted


def make(feature: str, *, epochs: int = 4, **changes: Any) -> Recipe:
    stage = {"epochs": epochs, "size_px": CACHE_PX, "trainable": "head", "features": feature}
    options = {"augmentation": {}, "optimiser": PLAIN, "export": {"input_size_px": CACHE_PX}, "stages": [stage]}
    return make_recipe(**(options | changes))


def collect(into: list[list[dict[str, float]]]) -> Watcher:
    return Watcher(epoch=into.append)


def test_cached_features_give_what_computed_ones_give_with_far_fewer_looks(tmp_path: Path, looks: list[int]) -> None:
    histories: dict[str, list[list[dict[str, float]]]] = {"computed": [], "cached": []}
    networks, pictures = {}, {}
    for kind, history in histories.items():
        looks.clear()
        networks[kind] = train(make(kind), tmp_path / kind, watcher=collect(history))
        pictures[kind] = sum(looks)
    assert pictures == {"computed": 4 * (48 + 21), "cached": 48 + 21}
    one, other = (networks[kind].state_dict() for kind in ("computed", "cached"))
    for name in one:
        torch.testing.assert_close(one[name], other[name], atol=1e-4, rtol=1e-3)
    untrained = train(make("cached", epochs=1, seed=5), tmp_path / "short").state_dict()
    assert not torch.allclose(one["head.weight"], untrained["head.weight"], atol=1e-3), "the head must have moved"
    for row, same in zip(histories["computed"][-1], histories["cached"][-1], strict=True):
        assert {key: row[key] for key in row if key != "seconds"} == pytest.approx(
            {key: same[key] for key in same if key != "seconds"}, rel=1e-3, abs=1e-4
        )


def test_another_run_from_the_same_backbone_finds_the_features(tmp_path: Path, cache: Path, looks: list[int]) -> None:
    train(make("cached"), tmp_path / "one")
    files = sorted(cache.glob("features-*.npy"))
    assert len(files) == 2
    looks.clear()
    train(make("cached", optimiser=PLAIN | {"rate": 0.001}), tmp_path / "two")
    assert (looks, sorted(cache.glob("features-*.npy"))) == ([], files)
    train(make("cached", seed=6), tmp_path / "three")
    assert len(list(cache.glob("features-*.npy"))) == 4


def test_every_view_is_a_flip_and_each_is_drawn(cache: Path, looks: list[int]) -> None:
    pictures, _ = make_pictures()
    recipe = make_recipe(stages=CACHED_STAGES)
    network = build_network(recipe, classes=7).eval()
    store = features.FeatureCache(torch.device("cpu"), "fp32")
    found = store.find(network, pictures, stage=recipe.stages[0], size_px=(CACHE_PX, CACHE_PX), views=4)
    assert (found.shape, found.dtype) == ((48, 4, network.width), np.float32)
    image = torch.from_numpy(np.array(pictures.images[pictures.rows[3]])).permute(2, 0, 1)[None] / 255
    for view, turned in enumerate([image, image.flip(3), image.flip(2), image.flip(2, 3)]):
        torch.testing.assert_close(network.embed(turned)[0].detach(), torch.from_numpy(found[3, view].copy()))
    assert np.abs(found[3, 0] - found[3, 1]).max() > 1e-6


class StopError(Exception):
    """The test stops the run here."""


def stop_after(step: int) -> Watcher:
    def stop(progress: Progress) -> None:
        if progress.step == step:
            raise StopError

    return Watcher(step=stop)


@pytest.mark.parametrize("lost", [False, True])
def test_a_run_stopped_in_a_cached_stage_ends_with_the_same_weights(tmp_path: Path, cache: Path, lost: bool) -> None:
    recipe = make_recipe(stages=CACHED_STAGES)
    unbroken = sum_weights(train(recipe, tmp_path / "unbroken"))
    for step in (3, 9, 20):
        with pytest.raises(StopError):
            train(recipe, tmp_path / "run", watcher=stop_after(step))
        if lost:
            for file in cache.glob("features-*.npy"):
                file.unlink()
    assert sum_weights(train(recipe, tmp_path / "run")) == unbroken


def test_a_moving_average_that_lags_behind_is_measured_with_its_own_backbone(tmp_path: Path) -> None:
    history: list[list[dict[str, float]]] = []
    stages = [{"epochs": 1, "size_px": CACHE_PX}, CACHED_STAGES[0] | {"epochs": 1, "size_px": CACHE_PX}]
    network = train(
        make("cached", stages=stages, optimiser=PLAIN | {"ema_decay": 0.98}), tmp_path / "run", watcher=collect(history)
    )
    _, held_out = make_pictures()
    logits = predict_logits(
        network, held_out, size_px=(CACHE_PX, CACHE_PX), device=torch.device("cpu"), precision="fp32"
    )
    learnt, _ = make_pictures()
    prior = np.log(np.bincount(learnt.labels) / len(learnt)).astype(np.float32)
    measured = measure_logits(logits, held_out.labels, log_prior=prior)
    assert history[-1][-1]["calibration_nll"] == pytest.approx(measured["calibration_nll"], rel=1e-6)


def test_a_full_disk_gives_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(features, "write_array", fail)
    with pytest.raises(
        RecipeError, match=r"features in the cache folder \(No space left on device\).*SECONDLOOK_CACHE"
    ):
        train(make("cached"), tmp_path / "run")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"trainable": "last:2"}, "needs `trainable: head`"),
        ({"features": "computed", "cached_views": 2}, "`cached_views` needs `features: cached`"),
    ],
)
def test_stages_that_make_no_sense_are_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make_recipe(stages=[CACHED_STAGES[0] | change])

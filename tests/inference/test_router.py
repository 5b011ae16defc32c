"""The router: pictures of a task are led to it, others nowhere, and what was changed is refused."""

import hashlib
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from secondlook.errors import BundleError
from secondlook.inference.router import ARRAYS, FACTS, Router, average_cells, describe_picture
from tests.bundles import DRAWN
from tests.drawing import draw_text_page

LABELS = {"skin": "mel", "chest": "pneumonia", "knee": "2"}


@pytest.fixture(scope="module")
def router(tiny_router) -> Router:
    return Router(tiny_router)


@pytest.fixture
def router_copy(tiny_router, tmp_path):
    return shutil.copytree(tiny_router, tmp_path / "router")


@pytest.mark.parametrize("task", LABELS)
@pytest.mark.parametrize("size", [(200, 160), (500, 400)])
def test_pictures_are_led_to_their_task_whatever_their_size(router, task, size) -> None:
    for seed in range(5):
        route = router.route(np.asarray(DRAWN[task].draw(seed, LABELS[task], size=size)))
        assert (route.task, route.nearest) == (task, task)
        assert route.scores[task] <= 1


def test_what_resembles_no_task_is_led_nowhere_and_told_what_is_nearest(router) -> None:
    route = router.route(np.asarray(draw_text_page(1)))
    assert route.task is None
    assert route.scores[route.nearest] == min(route.scores.values()) > 1


def test_a_picture_of_a_task_that_nobody_answers_is_led_nowhere(router) -> None:
    knee = np.asarray(DRAWN["knee"].draw(1, "2", size=(200, 200)))
    route = router.route(knee, ("skin", "chest"))
    assert (route.task, route.nearest) == (None, "knee")
    assert route.scores["knee"] <= 1


def test_facts_are_those_of_the_central_square_by_hand() -> None:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    wide = np.pad(pixels, ((0, 0), (30, 30), (0, 0)))
    facts = describe_picture(wide)
    np.testing.assert_allclose(facts, describe_picture(pixels), atol=1e-12)
    np.testing.assert_allclose(facts[:3], pixels[:8, :8].mean(axis=(0, 1)) / 255, atol=1e-12)
    grey = np.repeat(pixels[..., :1], 3, axis=2)
    assert (describe_picture(grey)[-16:] == np.log(1 / 255)).all()
    finest = Image.fromarray(grey).resize((32, 32), Image.Resampling.BOX).resize((64, 64), Image.Resampling.NEAREST)
    detail = (grey[..., 0].astype(float) - np.asarray(finest)[..., 0]) / 255
    np.testing.assert_allclose(describe_picture(grey)[192], np.log((detail[:16, :16] ** 2).mean() + 1e-6), atol=1e-2)
    assert average_cells(np.arange(16.0).reshape(4, 4), 2).tolist() == [[2.5, 4.5], [10.5, 12.5]]


def test_arrays_that_were_changed_are_refused(router_copy) -> None:
    data = bytearray((router_copy / ARRAYS).read_bytes())
    data[len(data) // 2] ^= 1
    (router_copy / ARRAYS).write_bytes(data)
    with pytest.raises(BundleError, match="changed after"):
        Router(router_copy)


@pytest.mark.parametrize(
    "changes",
    [
        {"mean": np.zeros((3, 5), np.float32)},
        {"mean": np.zeros((3, 256), np.float64)},
        {"spread": np.zeros((3, 256), np.float32)},
        {"whitening": np.full((3, 256, 256), np.nan, np.float32)},
    ],
)
def test_arrays_that_do_not_fit_are_refused(router_copy, changes) -> None:
    with np.load(router_copy / ARRAYS) as stored:
        arrays = {name: stored[name] for name in stored.files} | changes
    np.savez(router_copy / ARRAYS, **arrays)
    reseal(router_copy)
    with pytest.raises(BundleError, match="router fit"):
        Router(router_copy)


def test_pickled_objects_are_never_read(router_copy) -> None:
    with np.load(router_copy / ARRAYS) as stored:
        arrays = {name: stored[name] for name in stored.files} | {"mean": np.array([{"a": 1}], dtype=object)}
    np.savez(router_copy / ARRAYS, **arrays)
    reseal(router_copy)
    with pytest.raises(BundleError, match="never read"):
        Router(router_copy)


@pytest.mark.parametrize("wrong", [{"schema_version": 2}, {"tasks": []}, {"extra": 1}, {"shrinkage": 0}])
def test_facts_that_do_not_follow_the_schema_are_refused(router_copy, wrong) -> None:
    facts = json.loads((router_copy / FACTS).read_text())
    (router_copy / FACTS).write_text(json.dumps(facts | wrong))
    with pytest.raises(BundleError, match="schema"):
        Router(router_copy)


def test_a_task_twice_or_unknown_is_refused(router_copy) -> None:
    facts = json.loads((router_copy / FACTS).read_text())
    for tasks in (facts["tasks"][:1] * 3, [one | {"task": "hand"} for one in facts["tasks"]]):
        (router_copy / FACTS).write_text(json.dumps(facts | {"tasks": tasks}))
        with pytest.raises(BundleError):
            Router(router_copy)


def reseal(folder) -> None:
    facts = json.loads((folder / FACTS).read_text())
    facts["arrays_sha256"] = hashlib.sha256((folder / ARRAYS).read_bytes()).hexdigest()
    (folder / FACTS).write_text(json.dumps(facts))

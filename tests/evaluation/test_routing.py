"""Making a router from manifests, and measuring it: by hand, with intervals over groups."""

import numpy as np
import pandas as pd
import pytest

from secondlook.data.manifest import Manifest
from secondlook.errors import DatasetError
from secondlook.evaluation.routing import (
    bound_flags,
    describe_manifest,
    fit_gaussian,
    fit_router,
    measure_routing,
    write_facts,
)
from secondlook.evaluation.strangers import Strangers, find_strangers
from secondlook.inference.auto import AutoPredictor
from secondlook.inference.predictor import load_predictor
from secondlook.inference.router import Router
from tests.bundles import build_bundle
from tests.xrays import draw_chest


@pytest.fixture(scope="module")
def chests(tmp_path_factory) -> Manifest:
    folder = tmp_path_factory.mktemp("chests")
    rows = []
    for split, seeds in {"train": range(12), "calibration": range(100, 106), "test": range(200, 206)}.items():
        for seed in seeds:
            label = ("normal", "pneumonia")[seed % 2]
            draw_chest(seed, label, size=(200, 150)).save(folder / f"{seed}.png")
            rows.append({"image": f"{seed}.png", "label": label, "group": f"child {seed // 2}", "split": split})
    return Manifest(pd.DataFrame(rows), folder, "chest")


@pytest.fixture(scope="module")
def router(drawn_manifest, chests, tmp_path_factory) -> Router:
    folder = tmp_path_factory.mktemp("router") / "made"
    fit_router([drawn_manifest, chests], folder)
    return Router(folder)


def test_a_gaussian_whitens_what_it_learned_from() -> None:
    random = np.random.default_rng(0)
    facts = random.normal(size=(4000, 5)) @ (np.eye(5) + 0.3 * random.normal(size=(5, 5))) + 3
    gaussian = fit_gaussian(facts)
    white = ((facts - gaussian.mean) / gaussian.spread) @ gaussian.whitening.T
    np.testing.assert_allclose(white.T @ white / len(white), np.eye(5), atol=0.05)
    assert np.square([gaussian.score(row) for row in facts]).mean() == pytest.approx(1, abs=0.05)
    assert (fit_gaussian(np.ones((3, 2))).spread > 0).all()


def test_a_made_router_leads_its_own_pictures_home_and_says_what_it_learned(router, chests, drawn_manifest) -> None:
    for manifest in (chests, drawn_manifest):
        part = manifest.select("calibration")
        for facts in describe_manifest(part):
            assert facts.shape == (256,)
        held = [router.route(np.asarray(picture)).task for picture in load_pictures(part)]
        assert np.mean([task == manifest.task for task in held]) > 0.8
    learned = {one.task: (one.pictures, one.groups) for one in router.facts.tasks}
    train = drawn_manifest.select("train").frame
    assert learned == {"skin": (len(train), train["group"].nunique()), "chest": (12, 6)}


def load_pictures(manifest):
    from PIL import Image

    for path in manifest.paths():
        with Image.open(path) as image:
            yield image.convert("RGB")


def test_two_manifests_of_one_task_or_an_unreadable_picture_are_refused(chests, tmp_path) -> None:
    with pytest.raises(DatasetError, match="one manifest for each task"):
        fit_router([chests, chests], tmp_path)
    broken = chests.frame.assign(image=["gone.png", *chests.frame["image"][1:]])
    with pytest.raises(DatasetError, match="row 2"):
        fit_router([Manifest(broken, chests.root, "chest")], tmp_path)


def test_shares_are_counted_as_by_hand_and_bounded_over_groups() -> None:
    groups = np.repeat(["a", "b", "c", "d"], 25)
    together = bound_flags({"led": groups == "a"}, groups, seed=0, resamples=500)["led"]
    apart = bound_flags({"led": groups == "a"}, np.arange(100).astype(str), seed=0, resamples=500)["led"]
    assert together["value"] == apart["value"] == 0.25
    assert together["upper"] - together["lower"] > 2 * (apart["upper"] - apart["lower"])
    none = bound_flags({"led": np.zeros(100, bool)}, groups, seed=0, resamples=100)["led"]
    assert (none["value"], none["lower"]) == (0, 0)
    assert none["upper"] == pytest.approx(1 - 0.025 ** (1 / 4), abs=1e-4)


def test_measuring_counts_where_pictures_are_led_and_what_is_refused(
    tiny_bundle, chests, drawn_manifest, foreign_folder, tmp_path, router
) -> None:
    predictors = [
        load_predictor(tiny_bundle),
        load_predictor(build_bundle(tmp_path / "c", task="chest", name="tiny-chest")),
    ]
    auto = AutoPredictor(predictors, router)
    strangers = [find_strangers("foreign", foreign_folder, near=False)]
    measured = measure_routing(auto, [chests], strangers, resamples=100)
    test = chests.select("test")
    predictions = auto.predict(test.paths())
    found = measured["sets"]["chest"]
    assert (found["task"], found["pictures"], found["groups"]) == ("chest", 6, 3)
    assert found["led"]["chest"]["value"] == pytest.approx(
        np.mean([one.task == "chest" for one in predictions]), abs=1e-4
    )
    refused = np.mean([one.triage == "not_evaluable" for one in predictions])
    assert found["refused"]["value"] == pytest.approx(refused, abs=1e-4)
    assert sum(figure["value"] for figure in found["led"].values()) == pytest.approx(1)
    foreign = measured["sets"]["foreign"]
    half = strangers[0].halve(first=False)
    assert foreign["pictures"] in (len(half.pictures), len(half.pictures) - 1)  # one file is no picture
    assert foreign["refused"]["value"] == 1
    assert measured["bundles"] == {one.identity.name: one.identity.sha256 for one in predictors}


def test_what_cannot_be_read_at_all_is_refused(router, tiny_bundle) -> None:
    auto = AutoPredictor([load_predictor(tiny_bundle)], router)
    nothing = Strangers("nothing", False, (b"no", b"picture"), np.array(["a", "b"]))
    with pytest.raises(DatasetError, match="none of 1 can be read"):
        measure_routing(auto, [], [nothing], resamples=100)


def test_figures_are_kept_in_the_router_s_facts(router, drawn_manifest, tmp_path) -> None:
    folder = tmp_path / "kept"
    facts = fit_router([drawn_manifest], folder)
    write_facts(folder, facts.model_copy(update={"measured": {"seed": 0}}))
    assert Router(folder).facts.measured == {"seed": 0}

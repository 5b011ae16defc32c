"""Automatic choice: the bundle for the picture's task answers, exactly as when it is asked itself."""

import io

import pytest

import secondlook
from secondlook.errors import BundleError, InputError
from secondlook.imaging.read import read_picture
from secondlook.inference.auto import AutoPredictor, Unplaced, load_auto
from secondlook.inference.predictor import Prediction, load_predictor
from secondlook.inference.router import Router
from tests.bundles import DRAWN, build_bundle
from tests.drawing import draw_text_page, encode

LABELS = {"skin": "mel", "chest": "pneumonia", "knee": "2"}


@pytest.fixture(scope="module")
def predictors(tiny_bundle, tmp_path_factory):
    place = tmp_path_factory.mktemp("several")
    others = [build_bundle(place / task, task=task, name=f"tiny-{task}") for task in ("chest", "knee")]
    return [load_predictor(folder) for folder in (tiny_bundle, *others)]


@pytest.fixture(scope="module")
def auto(predictors, tiny_router) -> AutoPredictor:
    return AutoPredictor(predictors, Router(tiny_router))


@pytest.mark.parametrize("task", LABELS)
@pytest.mark.parametrize("size", [(300, 240), (480, 360)])
def test_the_answer_is_that_of_the_task_s_own_bundle_to_the_last_digit(auto, predictors, task, size) -> None:
    data = encode(DRAWN[task].draw(3, LABELS[task], size=size))
    alone = next(one for one in predictors if one.task.key == task).predict(data)
    for source in (data, io.BytesIO(data)):
        looked = auto.look(source)
        assert looked.route.task == task
        assert isinstance(looked.prediction, Prediction)
        assert looked.prediction.probabilities == alone.probabilities
        assert looked.prediction.bundle == alone.bundle
        assert (looked.prediction.embedding == alone.embedding).all()
        assert looked.prediction.seen == alone.seen


def test_what_belongs_nowhere_is_refused_with_a_reason_and_no_probabilities(auto) -> None:
    refused = auto.predict(encode(draw_text_page(1), "PNG"))
    assert isinstance(refused, Unplaced)
    assert (refused.task, refused.triage) == ("none", "not_evaluable")
    assert refused.reasons[0].code == "unplaced"
    assert refused.reasons[0].figures["score"] > 1
    assert "resembles nothing" in refused.reasons[0].describe("en")
    assert not hasattr(refused, "probabilities")


def test_a_picture_whose_task_is_not_on_offer_is_refused_and_named(predictors, tiny_router) -> None:
    auto = AutoPredictor(predictors[:2], Router(tiny_router))
    refused = auto.predict(encode(DRAWN["knee"].draw(3, "2", size=(300, 300)), "PNG"))
    assert isinstance(refused, Unplaced)
    assert refused.reasons[0].code == "not_offered"
    assert "knee X-ray" in refused.reasons[0].describe("en")
    assert "radiographie du genou" in refused.reasons[0].describe("fr")


def test_of_two_bundles_for_a_task_the_first_answers(predictors, tiny_bundle, tiny_router, tmp_path) -> None:
    second = load_predictor(build_bundle(tmp_path / "second", name="second"))
    auto = AutoPredictor([*predictors, second], Router(tiny_router))
    assert auto.predictors["skin"].identity.name == "tiny"


def test_a_sequence_gives_what_singles_give_and_a_picture_that_was_read_too(auto) -> None:
    data = [encode(DRAWN[task].draw(3, label, size=(300, 240)), "PNG") for task, label in LABELS.items()]
    assert [one.task for one in auto.predict(data)] == list(LABELS)
    assert auto.predict(read_picture(data[0])).probabilities == auto.predict(data[0]).probabilities


def test_no_picture_is_an_input_error(auto) -> None:
    with pytest.raises(InputError):
        auto.predict(b"no picture")


def test_a_router_that_knows_none_of_the_tasks_is_refused(tiny_router) -> None:
    with pytest.raises(BundleError, match="none"):
        AutoPredictor([], Router(tiny_router))


def test_the_shipped_router_fits_the_shipped_bundles() -> None:
    auto = secondlook.load("auto")
    assert set(auto.predictors) == {"skin", "chest", "knee"}
    assert auto.predict(encode(draw_text_page(1), "PNG")).triage == "not_evaluable"
    assert load_auto(("chest",)).predictors.keys() == {"chest"}

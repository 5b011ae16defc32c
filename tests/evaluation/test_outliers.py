"""The outlier limit: no picture is judged with the help of its own lesion."""

import numpy as np
import pytest

from secondlook.evaluation.outliers import (
    CANDIDATES,
    Home,
    choose_limit,
    compare_outliers,
    fit_method,
    rank_methods,
    score_apart,
    score_strangers,
)
from secondlook.evaluation.strangers import draw_strangers, find_strangers, run_strangers
from secondlook.inference.bundle import read_facts
from secondlook.inference.outliers import OutlierMethod, fit_scorer
from secondlook.inference.session import Outputs, Session
from tests.bundles import draw_split

METHODS = [
    (OutlierMethod.KNN, {"neighbours": 1}),
    (OutlierMethod.MAHALANOBIS, {"shrinkage": 0.1}),
    (OutlierMethod.VIM, {"components": 4}),
]


def make_home(lesions=60, seed=0):
    random = np.random.default_rng(seed)
    centres = random.normal(size=(lesions, 16)) * np.repeat([2, 0.5], 8) + 2
    label = np.repeat(np.arange(lesions) % 3, 2)
    embedding = np.repeat(centres, 2, axis=0) + random.normal(size=(2 * lesions, 16)) * 0.01
    groups = np.repeat([f"lesion {number}" for number in range(lesions)], 2)
    return Home(make_outputs(embedding), label, groups)


def make_outputs(embedding):
    return Outputs(embedding[:, :3].astype(np.float32), embedding.astype(np.float32), None)


@pytest.mark.parametrize(("method", "parameters"), METHODS)
def test_a_score_does_not_see_the_pictures_of_the_same_lesion(method, parameters):
    home = make_home()
    embedding, logits = home.outputs.embedding, home.outputs.logits
    apart = score_apart(home, method=method, **parameters)
    together = fit_scorer(method, embedding, home.label, **parameters).score(embedding, logits)
    assert (apart > together).mean() > 0.9
    mine = home.groups == home.groups[0]
    scorer = fit_scorer(method, embedding[~mine].astype(np.float16), home.label[~mine], **parameters)
    assert apart[0] == pytest.approx(scorer.score(embedding[:1], logits[:1])[0], rel=0.3)


def test_with_few_lesions_each_is_scored_against_all_the_others():
    home = make_home(lesions=5)
    embedding, logits = home.outputs.embedding, home.outputs.logits
    apart = score_apart(home, method=OutlierMethod.KNN, neighbours=1)
    for row in range(len(home.groups)):
        others = home.groups != home.groups[row]
        reference = embedding[others].astype(np.float16)
        scorer = fit_scorer(OutlierMethod.KNN, reference, home.label[others], neighbours=1)
        assert apart[row] == scorer.score(embedding[row : row + 1], logits[row : row + 1])[0]


def test_the_limit_refuses_at_most_its_share_and_not_one_less():
    scores = np.random.default_rng(0).random(1000)
    limit = choose_limit(scores, share=0.02)
    assert (scores > limit).sum() == 20
    assert choose_limit(np.arange(10.0), share=0.02) == 9


@pytest.mark.parametrize(("method", "parameters"), METHODS)
def test_a_fitted_limit_refuses_what_lies_elsewhere(method, parameters):
    home = make_home()
    scored = fit_method(home, method=method, **parameters)
    elsewhere = make_outputs(-make_home(seed=1).outputs.embedding)
    assert (score_strangers(home, scored.limit, elsewhere) > scored.limit.limit).all()
    assert (scored.apart > scored.limit.limit).mean() <= 0.02
    assert scored.limit.method is method


def test_each_method_is_ranked_once_at_the_parameters_that_refuse_most():
    home, strange = make_home(), [make_outputs(-make_home(seed=1).outputs.embedding * 0.3)]
    ranked = rank_methods(home, strange)
    assert [one.limit.method for _, one in ranked][-1] is OutlierMethod.ENERGY or ranked[-1][0] < 1
    assert {one.limit.method for _, one in ranked} == set(CANDIDATES)
    shares = [share for share, _ in ranked]
    assert shares == sorted(shares, reverse=True)
    share, best = ranked[0]
    assert share == (score_strangers(home, best.limit, strange[0]) > best.limit.limit).mean()


def test_halves_share_no_patient_and_lose_no_picture(foreign_folder):
    strangers = find_strangers("pages", foreign_folder, near=False)
    parts = [strangers.halve(first=first) for first in (True, False)]
    assert {*parts[0].pictures} | {*parts[1].pictures} == {*strangers.pictures}
    assert not {*parts[0].groups} & {*parts[1].groups}
    assert abs(len(parts[0].groups) - len(parts[1].groups)) <= 1


def test_the_comparison_measures_every_method_on_the_half_that_chose_nothing(tiny_bundle, foreign_folder):
    session, facts = Session(tiny_bundle / "model.onnx"), read_facts(tiny_bundle)
    images, labels = draw_split("calibration")
    home = Home(session.run(images), labels, np.arange(len(labels)).astype(str))
    kinds = [find_strangers("folder", foreign_folder, near=True), *draw_strangers()]
    limit, evidence = compare_outliers(session, facts, home, kinds, resamples=100)
    assert [one["name"] for one in evidence["sets"]] == ["folder", "pages", "noise"]
    assert [one["near"] for one in evidence["sets"]] == [True, False, False]
    assert [one["served"] for one in evidence["methods"]] == [True, False, False, False]
    served = evidence["methods"][0]
    assert (served["method"], served["limit"]) == (limit.method.value, limit.limit)
    outputs, groups = run_strangers(session, facts, kinds[1].halve(first=False))
    assert evidence["sets"][1]["pictures"] == len(groups)
    share = (score_strangers(home, limit, outputs) > limit.limit).mean()
    assert served["refused"]["pages"]["value"] == pytest.approx(share, abs=1e-4)
    for one in evidence["methods"]:
        for figure in (*one["auc"].values(), *one["refused"].values()):
            assert figure["lower"] <= figure["value"] <= figure["upper"]


def test_one_lesion_or_no_score_is_refused():
    with pytest.raises(ValueError, match="two lesions"):
        score_apart(make_home(lesions=1), method=OutlierMethod.KNN)
    with pytest.raises(ValueError, match="scores"):
        choose_limit(np.array([]))

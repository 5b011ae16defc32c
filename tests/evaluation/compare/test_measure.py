"""Models measured side by side, against scikit-learn and against each bundle's own evidence."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as sk

from secondlook.data.manifest import Manifest, write_manifest
from secondlook.evaluation.answers import answer_manifest
from secondlook.evaluation.compare.measure import (
    Comparison,
    adjust_differences,
    arrange_answers,
    compare_models,
    draw_groups,
)
from secondlook.evaluation.compare.runs import find_candidates
from secondlook.evaluation.delong import compare_aucs
from secondlook.inference.bundle import open_bundle
from secondlook.inference.predictor import load_predictor
from tests.evaluation.compare.conftest import Runs


def test_the_figures_are_those_of_the_evidence_and_of_scikit_learn(runs: Runs, comparison: Comparison) -> None:
    evidence = open_bundle(runs.noisy / "bundle").evidence
    figures = comparison.models[1].test.figures
    for name in ("accuracy", "balanced_accuracy", "macro_auc", "macro_f1", "kappa"):
        assert round(figures[name].value, 4) == evidence.measures[name]["value"], name
    assert round(figures["risk_auc"].value, 4) == evidence.measures["risk"]["auc"]["value"]
    answers = answer_manifest(load_predictor(runs.noisy / "bundle"), runs.manifest.select("test")).answers
    assert figures["loss"].value == pytest.approx(sk.log_loss(answers.labels, answers.probabilities))
    assert figures["kappa"].value == pytest.approx(sk.cohen_kappa_score(answers.labels, answers.predicted))
    assert 0 < figures["loss"].lower < figures["loss"].value < figures["loss"].upper


def test_the_worse_model_is_shown_to_be_worse_and_the_risk_by_delong(runs: Runs, comparison: Comparison) -> None:
    first, noisy, _ = comparison.models
    assert not first.differences
    loss = noisy.differences["loss"]
    assert loss.method == "bootstrap"
    assert loss.interval.value == pytest.approx(noisy.test.figures["loss"].value - first.test.figures["loss"].value)
    assert loss.interval.lower > 0
    assert loss.p < 0.05
    answers = [
        answer_manifest(load_predictor(run / "bundle"), runs.manifest.select("test")).answers
        for run in (runs.good, runs.noisy)
    ]
    test = compare_aucs(answers[0].alarming, answers[0].risk, answers[1].risk, answers[0].groups)
    risk = noisy.differences["risk_auc"]
    assert (risk.method, risk.interval.value, risk.p) == (
        "DeLong",
        pytest.approx(test.difference),
        pytest.approx(test.p),
    )


def test_a_model_measured_on_other_pictures_is_marked_and_gets_no_difference(comparison: Comparison) -> None:
    assert [model.comparable for model in comparison.models] == [True, True, False]
    assert comparison.models[2].differences == {}
    assert comparison.models[2].test.pictures == comparison.models[0].test.pictures - 1


def test_the_order_and_the_place_of_the_pictures_do_not_matter(runs: Runs, tmp_path: Path) -> None:
    shuffled = runs.manifest.frame.sample(frac=1, random_state=3).reset_index(drop=True)
    write_manifest(Manifest(shuffled, runs.manifest.root), tmp_path / "shuffled.csv")
    candidates = find_candidates([str(runs.good), str(runs.noisy)])
    moved = dataclasses.replace(candidates[1], manifest=Manifest(shuffled, runs.manifest.root))
    one, other = (
        compare_models(candidates, resamples=200).models[1],
        compare_models([candidates[0], moved], resamples=200).models[1],
    )
    assert other.comparable
    assert other.differences == one.differences


def test_the_same_model_twice_is_no_different(runs: Runs) -> None:
    twice = compare_models(find_candidates([str(runs.good)] * 2), resamples=200)
    assert [model.name for model in twice.models] == ["good", "good (2)"]
    for difference in twice.models[1].differences.values():
        assert (difference.interval.value, difference.p) == (0, 1)


def test_train_figures_come_from_a_sample_of_whole_lesions(runs: Runs, comparison: Comparison) -> None:
    train = comparison.models[0].train
    assert train is not None
    assert (train.groups, train.sampled) == (5, True)
    whole = runs.manifest.select("train")
    sample = draw_groups(whole, 5, seed=0).frame
    for group in set(sample["group"]):
        assert (sample["group"] == group).sum() == (whole.frame["group"] == group).sum()
    assert len(draw_groups(whole, 0, seed=0)) == len(whole)
    assert set(draw_groups(whole, 5, seed=1).frame["group"]) != set(sample["group"])


def test_marks_say_what_the_manifest_cannot_prove(runs: Runs, tiny_bundle: Path, comparison: Comparison) -> None:
    assert {model.leak for model in comparison.models} == {"none"}
    foreign = compare_models(find_candidates([str(tiny_bundle)], [runs.manifest]), train_groups=5, resamples=100)
    assert "the manifest is not the one that the bundle was trained from" in foreign.models[0].leak


def test_a_run_proves_by_its_own_split_what_it_held_back(runs: Runs) -> None:
    frame = runs.manifest.frame
    test = Manifest(frame[frame["split"] == "test"].reset_index(drop=True), runs.manifest.root)
    fair = compare_models(find_candidates([str(runs.good)], [test]), resamples=100)
    assert fair.models[0].leak == "none"
    learned = Manifest(frame[frame["split"] == "train"].assign(split="test"), runs.manifest.root)
    seen = compare_models(find_candidates([str(runs.good)], [learned]), resamples=100)
    assert seen.models[0].leak.startswith("unchecked")
    held = frame.loc[frame["split"] == "test", "group"].iloc[0]
    posing = Manifest(learned.frame.assign(group=held).reset_index(drop=True), runs.manifest.root)
    caught = compare_models(find_candidates([str(runs.good)], [posing]), resamples=100)
    assert caught.models[0].leak.startswith("measured on what it has learned from")


def test_cost_is_what_the_bundle_is(runs: Runs, comparison: Comparison) -> None:
    first = comparison.models[0]
    assert first.bundle_bytes == sum(file.stat().st_size for file in (runs.good / "bundle").iterdir())
    assert first.training_seconds == pytest.approx(62)
    assert first.parameters == 1 + 32 * 3 + 32 + 32 + 32 + 7 * 32 + 7
    assert first.relative_time == 1.0
    assert comparison.models[1].milliseconds > 0


def test_p_values_are_adjusted_for_the_number_of_models(comparison: Comparison) -> None:
    noisy = comparison.models[1]
    changed = {key: dataclasses.replace(value, p=0.02) for key, value in noisy.differences.items()}
    one = dataclasses.replace(noisy, differences=changed)
    adjusted = adjust_differences([comparison.models[0], one, one, comparison.models[2]])
    assert {difference.p for difference in adjusted[1].differences.values()} == {0.04}
    assert adjusted[3].differences == {}


def test_answers_are_arranged_by_what_the_pictures_are(runs: Runs) -> None:
    answered = answer_manifest(load_predictor(runs.good / "bundle"), runs.manifest.select("test"))
    answers, digest = arrange_answers(answered)
    assert sorted(answers.risk) == sorted(answered.answers.risk)
    rows = {(risk, label) for risk, label in zip(answered.answers.risk, answered.answers.labels, strict=True)}
    assert {(risk, label) for risk, label in zip(answers.risk, answers.labels, strict=True)} == rows
    frame = answered.manifest.frame.assign(group="one")
    other = dataclasses.replace(answered, manifest=Manifest(frame, answered.manifest.root))
    assert arrange_answers(other)[1] != digest
    assert isinstance(answers.groups, np.ndarray)

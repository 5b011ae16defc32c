"""From draft to bundle and back: evidence that the served predictions bear out and that can be measured again."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score, roc_auc_score

from secondlook.data.manifest import Manifest
from secondlook.errors import BundleError, DatasetError, SecondlookError
from secondlook.evaluation.evidence import compare_evidence
from secondlook.evaluation.run import evaluate_bundle, finish_bundle, finish_manifest
from secondlook.inference.bundle import Evidence, open_bundle
from secondlook.inference.predictor import load_predictor, scale_scores, soften

QUICK = {"resamples": 200, "quick": True}


@pytest.fixture(scope="module")
def finished(make_draft, drawn_manifest, foreign_folder, tmp_path_factory):
    folder = make_draft(tmp_path_factory.mktemp("finished") / "tiny")
    finish_bundle(
        folder,
        drawn_manifest.select("calibration"),
        drawn_manifest.select("test"),
        whole=drawn_manifest,
        refuse=foreign_folder,
        **QUICK,
    )
    return folder


@pytest.fixture(scope="module")
def served(finished, drawn_manifest):
    return load_predictor(finished).predict(drawn_manifest.select("test").paths())


def test_a_finished_bundle_opens_with_every_check(finished):
    bundle = open_bundle(finished)
    assert bundle.evidence.leak == "none"
    assert bundle.evidence.manifest["pictures"] == 69
    assert bundle.evidence.manifest["groups"] == 46
    assert bundle.evidence.manifest["groups_by_label"] == {key: 10 if key == "nv" else 6 for key in bundle.facts.labels}
    assert bundle.calibration.fitted_on.pictures == 69
    assert len(bundle.reference.embedding) == 69
    assert not list(finished.glob("*.tmp"))


def test_figures_are_those_of_the_served_predictions(finished, served, drawn_manifest):
    measures = open_bundle(finished).evidence.measures
    truth = list(drawn_manifest.select("test").frame["label"])
    keys = open_bundle(finished).facts.labels
    probabilities = [[one.probabilities[key] for key in keys] for one in served]
    macro = roc_auc_score(truth, probabilities, multi_class="ovr", labels=keys)
    assert measures["macro_auc"]["value"] == pytest.approx(macro, abs=1e-4)
    balanced = balanced_accuracy_score(truth, [one.label for one in served])
    assert measures["balanced_accuracy"]["value"] == pytest.approx(balanced, abs=1e-4)
    kappa = cohen_kappa_score(truth, [one.label for one in served])
    assert measures["kappa"]["value"] == pytest.approx(kappa, abs=1e-4)
    assert "quadratic_kappa" not in measures
    malignant = np.isin(truth, ["akiec", "bcc", "mel"])
    auc = roc_auc_score(malignant, [one.malignancy for one in served])
    assert measures["risk"]["auc"]["value"] == pytest.approx(auc, abs=1e-4)
    urgent = sum(one.triage == "urgent" for one, bad in zip(served, malignant, strict=True) if bad)
    assert measures["triage_counts"]["alarming"]["urgent"] == urgent
    limit = open_bundle(finished).calibration.outlier.limit
    strange = np.mean([one.outlier_score > limit for one in served])
    assert measures["refusals"]["outlier"]["value"] == pytest.approx(strange, abs=1e-4)
    matrix = np.array(measures["confusion_matrix"])
    assert matrix.trace() == sum(one.label == label for one, label in zip(served, truth, strict=True))
    assert 0.5 < balanced < 1, "a perfect or useless network would hide faults"


def test_operating_points_hold_for_the_served_predictions_of_the_pictures_they_were_fitted_on(finished, drawn_manifest):
    calibration = drawn_manifest.select("calibration")
    served = np.array([one.malignancy for one in load_predictor(finished).predict(calibration.paths())])
    malignant = calibration.frame["label"].isin(["akiec", "bcc", "mel"]).to_numpy()
    for point in open_bundle(finished).calibration.operating_points:
        assert (served[malignant] >= point.threshold).mean() == pytest.approx(point.sensitivity, abs=1e-6)
        assert (served[~malignant] < point.threshold).mean() == pytest.approx(point.specificity, abs=1e-6)
        assert point.sensitivity >= point.target


def test_served_sets_hold_the_true_label_as_often_as_promised_and_say_what_cannot_be_told_apart(
    finished, drawn_manifest
):
    calibration = drawn_manifest.select("calibration")
    served, bundle = load_predictor(finished).predict(calibration.paths()), open_bundle(finished)
    limits = {limit.label: limit for limit in bundle.calibration.sets.labels}
    for label, limit in limits.items():
        rows = (calibration.frame["label"] == label).to_numpy()
        groups = calibration.frame["group"][rows]
        covered = [label in one.prediction_set for one, row in zip(served, rows, strict=True) if row]
        weights = 1 / groups.map(groups.value_counts()).to_numpy()
        assert np.average(covered, weights=weights) >= limit.level
        assert limit.groups == groups.nunique()
    for one in served:
        assert one.undecided == (len(one.prediction_set) > bundle.calibration.sets.widest)
        codes = [reason.code for reason in one.reasons]
        several = one.triage != "not_evaluable" and len(one.prediction_set) > 1
        assert ("undecided" in codes) == (several and one.undecided)
        assert ("not_told_apart" in codes) == (several and not one.undecided)
    assert {len(one.prediction_set) for one in served} > {1}


def test_what_calibration_tried_and_chose_is_what_serves(finished, drawn_manifest):
    calibration = open_bundle(finished).calibration
    tried = {(one.method, one.ridge): one for one in calibration.calibrators}
    assert len(tried) == 7
    chosen = next(one for one in calibration.calibrators if one.worse_by <= one.error)
    assert (calibration.scaling.method if calibration.scaling else "temperature") == chosen.method
    one = load_predictor(finished).predict(drawn_manifest.paths()[0])
    scores = one.logits.astype(float) + np.array(calibration.log_prior)
    if calibration.scaling is None:
        expected = soften(scores / calibration.temperature)
    else:
        expected = soften(scale_scores(scores, calibration.scaling))
    assert list(one.probabilities.values()) == pytest.approx(expected)


def test_intervals_hold_their_values_and_are_not_all_empty(finished):
    def walk(content):
        if isinstance(content, dict) and set(content) == {"value", "lower", "upper"}:
            yield content
        elif isinstance(content, dict):
            for part in content.values():
                yield from walk(part)

    intervals = [one for one in walk(open_bundle(finished).evidence.measures) if one["lower"] is not None]
    assert len(intervals) > 100
    for one in intervals:
        assert one["lower"] <= one["value"] + 0.05
        assert one["value"] <= one["upper"] + 0.05
    assert sum(one["lower"] < one["upper"] for one in intervals) > 0.9 * len(intervals)


def test_foreign_pictures_are_counted(finished, foreign_folder):
    outside = open_bundle(finished).evidence.measures["refusals"]["outside"]
    pictures = [path for path in foreign_folder.iterdir() if path.suffix == ".png"]
    refused = sum(one.triage == "not_evaluable" for one in load_predictor(finished).predict(pictures))
    assert (outside["pictures"], outside["unreadable"]) == (10, 1)
    assert outside["not_evaluable"]["value"] == refused / 10
    assert outside["folder"] == "pages"


def test_evaluating_again_gives_the_same_evidence(finished, drawn_manifest, foreign_folder):
    stored = open_bundle(finished).evidence
    again = evaluate_bundle(finished, drawn_manifest, refuse=foreign_folder, **QUICK)
    assert compare_evidence(stored, again) == []
    assert again == stored


def test_the_order_of_the_rows_changes_nothing(finished, drawn_manifest):
    shuffled = Manifest(drawn_manifest.frame.sample(frac=1, random_state=1), drawn_manifest.root, "skin")
    assert compare_evidence(open_bundle(finished).evidence, evaluate_bundle(finished, shuffled, **QUICK)) == []


def test_another_seed_moves_bounds_but_no_value(finished, drawn_manifest):
    stored = open_bundle(finished).evidence
    differences = compare_evidence(stored, evaluate_bundle(finished, drawn_manifest, seed=1, **QUICK))
    assert len(differences) > 5
    bounds = re.compile(r"(.+\.(lower|upper)(\.\d+)?|seed|decision\.useful\.\d+)$")
    assert [line for line in differences if not bounds.match(line.split(": stored")[0])] == []


def test_a_relabelled_picture_is_noticed(finished, drawn_manifest):
    frame = drawn_manifest.frame.copy()
    row = frame.index[frame["split"] == "test"][0]
    frame.loc[frame["group"] == frame.loc[row, "group"], "label"] = "nv"
    differences = compare_evidence(
        open_bundle(finished).evidence, evaluate_bundle(finished, replace(drawn_manifest, frame=frame), **QUICK)
    )
    assert any(line.startswith("manifest.fingerprint") for line in differences)
    assert any(line.startswith("leak: stored none, measured unchecked") for line in differences)
    assert any(line.startswith("measures.confusion_matrix") for line in differences)


def test_finishing_twice_gives_the_same_files(finished, make_draft, drawn_manifest, foreign_folder, tmp_path):
    again = make_draft(tmp_path / "again")
    finish_manifest(again, drawn_manifest, refuse=foreign_folder, **QUICK)
    for name in ("calibration.json", "evidence.json", "reference.npz", "README.md", "SHA256SUMS"):
        assert (again / name).read_bytes() == (finished / name).read_bytes(), name


def leak_into_test(manifest):
    frame = manifest.frame.copy()
    first = frame.index[(frame["split"] == "calibration") & frame.duplicated("group", keep=False)][0]
    frame.loc[first, "split"] = "test"
    return Manifest(frame, manifest.root, manifest.task)


def test_a_leak_is_refused_unless_it_is_measured_on_purpose(finished, make_draft, drawn_manifest, tmp_path):
    leaking = leak_into_test(drawn_manifest)
    with pytest.raises(DatasetError, match="leak"):
        evaluate_bundle(finished, leaking, **QUICK)
    with pytest.raises(DatasetError, match="leak"):
        finish_bundle(make_draft(tmp_path / "draft"), leaking.select("calibration"), leaking.select("test"), **QUICK)
    evidence = evaluate_bundle(finished, leaking, allow_leak=True, **QUICK)
    assert "1 group" in evidence.leak


def test_a_network_trained_on_a_leak_marks_its_evidence_and_its_card(make_draft, drawn_manifest, tmp_path):
    draft = make_draft(tmp_path / "draft", leak="trained on the test split to show what that fakes")
    evidence, _ = finish_manifest(draft, leak_into_test(drawn_manifest), **QUICK)
    assert evidence.leak == "trained on the test split to show what that fakes"
    assert "marked:** trained on the test split" in (draft / "README.md").read_text()


def test_fewer_than_twenty_patients_are_measured_and_said_to_be_few(finished, drawn_manifest):
    test = drawn_manifest.select("test")
    few = replace(test, frame=test.frame[test.frame["group"].isin(test.frame["group"].unique()[::5])])
    notes = evaluate_bundle(finished, few, **QUICK).manifest["notes"]
    groups = few.frame["group"].nunique()
    assert notes[-1].startswith(f"Only {groups} lesions or patients: under 20 there is too little")
    assert not any("too little" in note for note in evaluate_bundle(finished, test, **QUICK).manifest["notes"])


def test_one_patient_is_one(finished, drawn_manifest):
    test = drawn_manifest.select("test")
    one = replace(test, frame=test.frame[test.frame["group"] == test.frame["group"].iloc[0]])
    assert (
        evaluate_bundle(finished, one, **QUICK).manifest["notes"][-1].startswith("Only 1 lesion or patient: under 20")
    )


def test_pictures_that_are_listed_twice_are_named(finished, drawn_manifest):
    test = drawn_manifest.select("test")
    again = test.frame.iloc[:2].assign(image=[str(path.resolve()) for path in test.paths()[:2]])
    twice = replace(test, frame=pd.concat([test.frame, again], ignore_index=True))
    notes = evaluate_bundle(finished, twice, **QUICK).manifest["notes"]
    assert any(note.startswith("2 rows list a picture that an earlier row lists") for note in notes)
    assert not any("earlier row" in note for note in evaluate_bundle(finished, test, **QUICK).manifest["notes"])


def test_an_attack_becomes_part_of_the_evidence_of_its_own_graph_alone(finished, drawn_manifest, tmp_path):
    test, file = drawn_manifest.select("test"), tmp_path / "attack.json"
    graph = open_bundle(finished).facts.graph.sha256
    file.write_text(json.dumps({"methods": {}, "graph_sha256": graph}))
    assert evaluate_bundle(finished, test, attack=file, **QUICK).attack == {"methods": {}, "graph_sha256": graph}
    for content, fault in (
        ({"methods": {}, "graph_sha256": "0" * 64}, "tells of another one"),
        ({"methods": {}}, "tells of another one or of none"),
        ({"strengths": [1]}, "holds something else"),
    ):
        file.write_text(json.dumps(content))
        with pytest.raises(SecondlookError, match=fault):
            evaluate_bundle(finished, test, attack=file, **QUICK)
    with pytest.raises(SecondlookError, match=r"'gone\.json' is none"):
        evaluate_bundle(finished, test, attack=tmp_path / "gone.json", **QUICK)


def test_other_splits_and_lone_manifests_are_marked(finished, drawn_manifest):
    seen = evaluate_bundle(finished, drawn_manifest, split="calibration", **QUICK)
    assert seen.leak == "measured on the split calibration, which training or calibration has seen"
    alone = evaluate_bundle(finished, drawn_manifest.select("test"), **QUICK)
    assert alone.leak.startswith("unchecked")
    assert alone.measures == evaluate_bundle(finished, drawn_manifest, **QUICK).measures


def test_what_cannot_be_judged_is_left_out_and_named(finished, drawn_manifest, tmp_path):
    rows = drawn_manifest.select("test").frame.copy()
    shutil.copytree(drawn_manifest.root, tmp_path / "data")
    rows.loc[0, "image"] = "gone.png"
    (tmp_path / "data" / rows.loc[1, "image"]).write_text("damaged")
    rows.loc[[2, 3], "label"] = "scc", "nv "
    evidence = evaluate_bundle(finished, Manifest(rows, tmp_path / "data"), **QUICK)
    assert evidence.manifest["pictures"] == 65
    assert any("left out: 'nv ' (1), 'scc' (1) are no labels of" in note for note in evidence.manifest["notes"])
    assert any(note.startswith("2 pictures are left out: missing, or") for note in evidence.manifest["notes"])


def test_one_label_alone_gives_what_it_can(finished, drawn_manifest):
    test = drawn_manifest.select("test")
    rows = test.frame[test.frame["label"] == "mel"]
    evidence = evaluate_bundle(finished, replace(test, frame=rows), **QUICK)
    assert evidence.measures["macro_auc"] == {"value": None, "lower": None, "upper": None}
    assert evidence.measures["sensitivity"]["mel"]["value"] == evidence.measures["accuracy"]["value"]
    assert evidence.measures["sensitivity"]["nv"]["value"] is None
    notes = " ".join(evidence.manifest["notes"])
    assert "No picture of akiec, bcc, bkl, df, nv, vasc" in notes
    assert "No other picture" in notes


def test_labels_of_another_task_still_measure_malignancy(finished, drawn_manifest):
    test = drawn_manifest.select("test")
    malignant = test.frame["label"].isin(["akiec", "bcc", "mel"])
    frame = test.frame.assign(label=np.where(malignant, "malignant", "benign"))
    measures = evaluate_bundle(finished, Manifest(frame, test.root, "mole"), **QUICK)
    whole = evaluate_bundle(finished, test, **QUICK)
    assert measures.measures["risk"] == whole.measures["risk"]
    assert "auc" not in measures.measures
    assert "only risk" in measures.manifest["notes"][0]


def test_nothing_to_measure_is_refused_with_the_reason(finished, drawn_manifest):
    test = drawn_manifest.select("test")
    with pytest.raises(DatasetError, match=r"there is none.*\n.*'scc' \(69\) is no label"):
        evaluate_bundle(finished, replace(test, frame=test.frame.assign(label="scc")), **QUICK)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda part: replace(part, task="mole"), "bundle's task skin, got one of mole"),
        (lambda part: replace(part, frame=part.frame.assign(label="scc")), "Expected labels of the task skin"),
        (lambda part: replace(part, frame=part.frame.query("label == 'mel'")), "Expected pictures without an alarming"),
        (lambda part: replace(part, frame=part.frame.query("label == 'nv'")), "Expected pictures with an alarming"),
    ],
)
def test_a_calibration_split_that_cannot_serve_is_refused(make_draft, drawn_manifest, tmp_path, change, sentence):
    draft = make_draft(tmp_path / "draft")
    with pytest.raises(DatasetError, match=sentence):
        finish_bundle(
            draft, change(drawn_manifest.select("calibration")), drawn_manifest.select("test"), leak="none", **QUICK
        )
    assert not (draft / "SHA256SUMS").exists()


def test_missing_calibration_or_test_pictures_stop_a_bundle_from_being_finished(make_draft, drawn_manifest, tmp_path):
    parts = [drawn_manifest.select(split) for split in ("calibration", "test")]
    broken = [replace(part, frame=part.frame.assign(image=["gone.png", *part.frame["image"][1:]])) for part in parts]
    with pytest.raises(DatasetError, match=r"row 2: gone\.png"):
        finish_bundle(make_draft(tmp_path / "one"), broken[0], parts[1], leak="none", **QUICK)
    with pytest.raises(BundleError, match="1 picture is left out"):
        finish_bundle(make_draft(tmp_path / "two"), parts[0], broken[1], leak="none", **QUICK)


def test_a_draft_without_its_stored_pair_is_refused(make_draft, drawn_manifest, tmp_path):
    draft = make_draft(tmp_path / "draft")
    np.savez(draft / "reference.npz", something=np.zeros(1))
    with pytest.raises(BundleError, match="stored pair"):
        finish_manifest(draft, drawn_manifest, **QUICK)


def test_compared_evidence_names_what_differs_and_tolerates_what_it_may(finished):
    stored = open_bundle(finished).evidence
    content = json.loads((finished / "evidence.json").read_text())
    content["measures"]["macro_auc"]["value"] += 0.0001
    content["secondlook_version"] = "9.9"
    changed = Evidence.model_validate(content)
    assert [line.split(":")[0] for line in compare_evidence(stored, changed)] == ["measures.macro_auc.value"]
    assert compare_evidence(stored, changed, tolerance=0.0002) == []
    del content["measures"]["brier"], content["measures"]["refusals"]["outside"]
    names = {line.split(":")[0] for line in compare_evidence(stored, Evidence.model_validate(content))}
    assert names == {"measures.macro_auc.value", *(f"measures.brier.{part}" for part in ("value", "lower", "upper"))}

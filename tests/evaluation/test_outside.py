"""Outside tests: everything where labels tell, shares where they do not, a reason where nothing can be read."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from secondlook.data.fingerprint import track_silently
from secondlook.data.manifest import Manifest, read_manifest
from secondlook.errors import DatasetError
from secondlook.evaluation.outside import measure_outside, take_unseen
from secondlook.evaluation.run import evaluate_bundle
from secondlook.inference.predictor import load_predictor

HOW = {"seed": 0, "resamples": 100, "track": track_silently}


@pytest.fixture(scope="module")
def predictor(tiny_bundle):
    return load_predictor(tiny_bundle)


@pytest.fixture(scope="module")
def test_part(drawn_manifest):
    return drawn_manifest.select("test")


def test_labelled_pictures_are_asked_all_that_the_test_split_is(predictor, test_part):
    found = measure_outside(predictor, {"here": test_part}, **HOW)["here"]
    assert (found["labelled"], found["pictures"], found["groups"]) == (True, 69, 46)
    served = predictor.predict(test_part.paths())
    right = np.mean([one.label == label for one, label in zip(served, test_part.frame["label"], strict=True)])
    assert found["measures"]["accuracy"]["value"] == pytest.approx(right, abs=1e-4)
    assert set(found) >= {"curves", "operating", "reliability", "sets"}


def test_unlabelled_pictures_give_shares(predictor, test_part, tmp_path):
    test_part.frame[["image"]].assign(image=[str(path) for path in test_part.paths()]).to_csv(
        tmp_path / "bare.csv", index=False
    )
    bare = read_manifest(tmp_path / "bare.csv", labelled=False)
    found = measure_outside(predictor, {"bare": bare}, **HOW)["bare"]
    assert (found["labelled"], found["pictures"], found["groups"]) == (False, 69, 69)
    served = predictor.predict(test_part.paths())
    for word in ("urgent", "routine", "not_evaluable"):
        share = np.mean([one.triage == word for one in served])
        assert found["shares"][f"triage/{word}"]["value"] == pytest.approx(share, abs=1e-4)
    assert found["notes"] == [
        "The pictures have no label that the task knows: only shares of the answers are measured."
    ]
    with pytest.raises(DatasetError, match="lacks label, group"):
        read_manifest(tmp_path / "bare.csv")


def test_labels_that_do_not_tell_the_risk_are_not_taken_for_it(predictor, test_part):
    chests = replace(test_part, frame=test_part.frame.assign(label="pneumonia"), task="chest")
    found = measure_outside(predictor, {"chests": chests}, **HOW)["chests"]
    assert not found["labelled"]
    assert "do not tell malignancy" in found["notes"][0]
    assert "measures" not in found


def test_missing_pictures_are_counted_and_none_at_all_is_a_reason(predictor, test_part):
    frame = test_part.frame.assign(label=np.nan)
    frame.loc[0, "image"] = "gone.png"
    found = measure_outside(
        predictor, {"some": replace(test_part, frame=frame), "none": replace(test_part, frame=frame.iloc[:1])}, **HOW
    )
    assert found["some"]["pictures"] == 68
    assert "1 picture is left out: missing, or cannot be read." in found["some"]["notes"]
    assert found["none"]["refused"] == "Expected readable pictures; there is none."


def test_a_manifest_of_a_task_with_another_risk_is_refused_with_the_way_out(finished_folder, test_part):
    chests = Manifest(test_part.frame.assign(label="pneumonia"), test_part.root, "chest")
    with pytest.raises(DatasetError, match=r"bundle's task skin, got those of chest.*--outside NAME=MANIFEST"):
        evaluate_bundle(finished_folder, chests, quick=True, resamples=100)


def test_what_training_or_calibration_saw_is_no_outside_test(drawn_manifest, test_part):
    seen = drawn_manifest.select("train")
    with pytest.raises(DatasetError, match="other patients and pictures than the bundle was trained") as refusal:
        take_unseen(
            {"mixed": Manifest(seen.frame.drop(columns="split"), seen.root)}, drawn_manifest, track=track_silently
        )
    assert len(refusal.value.faults) > 10
    assert len(take_unseen({"whole": drawn_manifest}, drawn_manifest, track=track_silently)["whole"]) == len(test_part)


def test_a_copy_under_another_name_and_patient_is_found(drawn_manifest, tmp_path):
    copy = tmp_path / "other.png"
    copy.write_bytes(drawn_manifest.select("calibration").paths()[0].read_bytes())
    outside = Manifest(pd.DataFrame([{"image": copy.name, "label": "nv", "group": "somebody"}]), tmp_path)
    with pytest.raises(DatasetError, match="Leave these out"):
        take_unseen({"copy": outside}, drawn_manifest, track=track_silently)


def test_outside_tests_enter_the_evidence_and_are_compared_where_given(finished_folder, drawn_manifest, test_part):
    frame = pd.DataFrame(test_part.frame)
    evidence = evaluate_bundle(
        finished_folder, drawn_manifest, outside={"again": replace(test_part, frame=frame)}, quick=True, resamples=100
    )
    assert evidence.outside["again"]["measures"] == evidence.measures | {
        "refusals": evidence.outside["again"]["measures"]["refusals"]
    }

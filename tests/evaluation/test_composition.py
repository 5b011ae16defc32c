"""Flow and composition as counted."""

import numpy as np
import pytest

from secondlook.data.manifest import Manifest
from secondlook.evaluation.answers import answer_manifest
from secondlook.evaluation.composition import cut_sizes, describe_composition, describe_flow
from secondlook.inference.predictor import load_predictor


@pytest.fixture(scope="module")
def answered(finished_folder, drawn_manifest):
    test = drawn_manifest.select("test")
    sex = np.where(np.arange(len(test)) % 3 == 0, "female", "male")
    device = np.where(np.arange(len(test)) % 2 == 0, "one", "two")
    frame = test.frame.assign(sex=sex, age_years=np.where(sex == "male", 34.0, np.nan), device=device)
    return answer_manifest(load_predictor(finished_folder), Manifest(frame, test.root, "skin"))


def test_every_factor_counts_all_pictures_once(answered):
    composition = describe_composition(answered)
    assert list(composition) == ["label", "age_years", "sex", "device", "resolution"]
    for factor in composition.values():
        assert sum(part["pictures"] for part in factor["values"]) == 69
    assert composition["resolution"]["values"][0]["value"] == "200 × 150 px"
    ages = {part["value"]: part["pictures"] for part in composition["age_years"]["values"]}
    assert ages == {"30 to 39": 46, "Not recorded": 23}
    melanoma = next(part for part in composition["label"]["values"] if part["value"] == "Melanoma")
    assert (melanoma["pictures"], melanoma["groups"], melanoma["alarming"]) == (9, 6, 9)


def test_many_sizes_become_bands():
    sizes = np.stack([np.arange(100, 600, 50), np.arange(600, 100, -50)], axis=1)
    factor = cut_sizes(sizes)
    assert list(factor.rows) == ["below 128 px", "128 to 255 px", "256 to 511 px"]
    assert sum(rows.sum() for rows in factor.rows.values()) == 10


def test_the_flow_leads_from_the_manifest_to_what_was_evaluable(answered, drawn_manifest, finished_folder):
    calibration = load_predictor(finished_folder).bundle.calibration
    test = drawn_manifest.select("test")
    flow = describe_flow(answered, calibration, leak="none", whole=drawn_manifest, asked=test)
    assert [part["split"] for part in flow["splits"]] == ["train", "calibration", "test"]
    assert flow["splits"][2] == {"split": "test", "pictures": 69, "groups": 46}
    assert flow["measured"] == {"pictures": 69, "groups": 46}
    assert flow["evaluable"]["pictures"] == (answered.answers.triage != "not_evaluable").sum()
    alone = describe_flow(answered, calibration, leak="none", whole=None, asked=test)
    assert alone["splits"] == []

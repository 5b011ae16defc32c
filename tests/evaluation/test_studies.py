"""Views judged together: the mean of their probabilities, one answer for each study."""

import numpy as np
import pytest

from secondlook.data.manifest import Manifest
from secondlook.evaluation.answers import answer_manifest
from secondlook.evaluation.run import evaluate_bundle
from secondlook.evaluation.studies import has_studies, join_studies
from secondlook.inference.predictor import load_predictor

QUICK = {"resamples": 100, "quick": True}


@pytest.fixture(scope="module")
def studies(drawn_manifest):
    """Return the test split with the pictures of a lesion as one study, and lesions of one picture without a study."""
    test = drawn_manifest.select("test")
    several = test.frame["group"].duplicated(keep=False)
    return Manifest(test.frame.assign(study=test.frame["group"].where(several)), test.root, "skin")


def test_each_study_gets_the_mean_of_its_views(finished_folder, studies):
    predictor = load_predictor(finished_folder)
    answered = answer_manifest(predictor, studies)
    joined = join_studies(answered, predictor)
    assert len(joined.manifest) == studies.frame["group"].nunique() == 46
    for row, group in enumerate(joined.manifest.frame["group"]):
        names = studies.frame.loc[studies.frame["group"] == group, "image"]
        views = predictor.predict([studies.root / name for name in names])
        mean = {key: np.mean([view.probabilities[key] for view in views]) for key in joined.answers.keys}
        assert joined.answers.probabilities[row] == pytest.approx(list(mean.values()))
        named = max(mean, key=lambda key: mean[key] / predictor.usual_shares[key])
        assert joined.answers.keys[joined.answers.predicted[row]] == named
        assert joined.answers.risk[row] == pytest.approx(np.mean([view.risk for view in views]))
    assert "69 pictures are judged together in 46 studies" in joined.notes[-1]


def test_evaluation_judges_studies_where_there_are_some(finished_folder, studies, drawn_manifest):
    assert has_studies(studies)
    assert not has_studies(drawn_manifest)
    evidence = evaluate_bundle(finished_folder, studies, **QUICK)
    counts = evidence.measures["triage_counts"]
    assert sum(sum(side.values()) for side in counts.values()) == 46
    assert evidence.manifest["pictures"] == 69
    assert any("46 studies" in note for note in evidence.manifest["notes"])


def test_a_study_is_refused_only_where_all_of_its_views_are(finished_folder, studies):
    predictor = load_predictor(finished_folder)
    answered = answer_manifest(predictor, studies)
    answered.answers.triage[:] = np.where(answered.manifest.frame["group"].duplicated(), "routine", "not_evaluable")
    several = answered.manifest.frame["group"].duplicated(keep=False)
    refused = (join_studies(answered, predictor).answers.triage == "not_evaluable").sum()
    assert refused == (~several).sum() == 23
    answered.answers.triage[:] = "not_evaluable"
    assert (join_studies(answered, predictor).answers.triage == "not_evaluable").all()

"""The finished bundle, and the same with what takes longer measured on a few pictures."""

from dataclasses import replace

import pytest

from secondlook.evaluation.explanations import measure_explanations
from secondlook.evaluation.stress.repeatability import measure_repeatability
from secondlook.evaluation.stress.robustness import measure_robustness
from secondlook.inference.bundle import Bundle
from secondlook.inference.predictor import Predictor

FEW = {"pictures": 7, "seed": 0, "resamples": 100}


@pytest.fixture(scope="session")
def bundle(finished_bundle) -> Bundle:
    return finished_bundle


@pytest.fixture(scope="session")
def stressed(finished_bundle, finished_folder, drawn_manifest) -> Bundle:
    predictor, test = Predictor(finished_bundle), drawn_manifest.select("test")
    graph = (finished_folder / "model.onnx").read_bytes()
    parts = {
        "robustness": measure_robustness(predictor, test, **FEW),
        "repeatability": measure_repeatability(predictor, test, **FEW),
        "explanations": measure_explanations(predictor, graph, test, **FEW),
    }
    return replace(finished_bundle, evidence=finished_bundle.evidence.model_copy(update=parts))

"""What similar cases are worth, on drawn lesions."""

from pathlib import Path

import pandas as pd
import pytest

from secondlook.data.manifest import Manifest
from secondlook.errors import DatasetError
from secondlook.evaluation.neighbours import measure_neighbours
from secondlook.explanation.similar import build_reference, open_reference
from secondlook.inference.predictor import load_predictor
from tests.drawing import draw_lesion


def draw_manifest(folder: Path, *, first: int, count: int) -> Manifest:
    """Return drawn nevi and melanomas."""
    rows = []
    for seed in range(first, first + count):
        label = ("nv", "mel")[seed % 2]
        draw_lesion(seed, label, size=(200, 150)).save(folder / f"{seed}.png")
        rows.append({"image": f"{seed}.png", "label": label, "group": f"L{seed}"})
    return Manifest(pd.DataFrame(rows), folder)


def test_similar_cases_are_better_than_chance_and_own_lesions_are_left_out(tiny_bundle: Path, tmp_path: Path) -> None:
    predictor = load_predictor(tiny_bundle)
    known, fresh = draw_manifest(tmp_path, first=0, count=16), draw_manifest(tmp_path, first=100, count=10)
    build_reference(predictor, known, tmp_path / "set")
    reference = open_reference(tmp_path / "set")
    both = Manifest(pd.concat([known.frame, fresh.frame], ignore_index=True), tmp_path)
    figures = measure_neighbours(predictor, reference, both, count=3, resamples=200)
    assert figures["same_label"].lower > figures["same_label_by_chance"].value == pytest.approx(0.5)
    assert figures["alarming"].value > 0.8
    assert figures["alarming_by_chance"].value == pytest.approx(0.5)
    alone = measure_neighbours(predictor, reference, fresh, count=3, resamples=200)
    assert alone["same_label"].value == figures["same_label"].value
    with pytest.raises(DatasetError, match="that the reference set does not hold"):
        measure_neighbours(predictor, reference, known, count=3)

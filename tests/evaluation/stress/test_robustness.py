import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from secondlook.data.manifest import Manifest
from secondlook.errors import DatasetError
from secondlook.evaluation.answers import answer_manifest
from secondlook.evaluation.stress.repeatability import CHANGES, compare_retakes, crop, measure_repeatability, turn
from secondlook.evaluation.stress.robustness import bound_figures, measure_robustness
from secondlook.evaluation.stress.sample import Responses, Sample, draw_sample
from secondlook.inference.predictor import Predictor, load_predictor

KEYS = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")


@pytest.fixture(scope="module")
def predictor(tiny_bundle) -> Predictor:
    return load_predictor(tiny_bundle)


@pytest.fixture(scope="module")
def test_split(drawn_manifest: Manifest) -> Manifest:
    return drawn_manifest.select("test")


def make_manifest(counts: dict[str, int], pictures: int = 2) -> Manifest:
    rows = [
        {"image": f"{key}-{group}-{number}.png", "label": key, "group": f"{key} {group}"}
        for key, groups in counts.items()
        for group in range(groups)
        for number in range(pictures)
    ]
    return Manifest(pd.DataFrame(rows), root=Path())


def test_a_sample_is_even_over_labels_and_takes_each_group_once() -> None:
    sample = draw_sample(make_manifest({"mel": 2, "nv": 40, "bcc": 9}), pictures=16, seed=0)
    frame = sample.manifest.frame
    assert frame["label"].value_counts().to_dict() == {"mel": 2, "nv": 7, "bcc": 7}
    assert frame["group"].is_unique
    assert (sample.pictures, sample.groups) == (102, 51)
    assert sample.describe()["labels"] == {"bcc": 7, "mel": 2, "nv": 7}
    assert len(draw_sample(make_manifest({"mel": 2, "nv": 3}), pictures=None, seed=0).manifest) == 10


def test_a_sample_depends_on_the_seed_and_not_on_the_order_of_rows() -> None:
    manifest = make_manifest({"mel": 20, "nv": 40})
    turned = dataclasses.replace(manifest, frame=manifest.frame.sample(frac=1, random_state=1))
    first, again, other = (
        draw_sample(part, pictures=10, seed=seed).manifest.frame["image"].tolist()
        for part, seed in ((manifest, 0), (turned, 0), (manifest, 1))
    )
    assert first == again != other


def test_unknown_labels_are_left_out_and_nothing_else_is_refused() -> None:
    frame = make_manifest({"mel": 2}).frame.assign(label="freckle")
    with pytest.raises(DatasetError, match="Expected labels of skin"):
        draw_sample(Manifest(frame, root=Path()), pictures=3, seed=0)


def make_responses() -> Responses:
    """Return four melanomas and four nevi: the second variant of three hides every melanoma but one."""
    risk = np.array([[0.9, 0.9, 0.1]] * 3 + [[0.9, 0.9, 0.9]] + [[0.2, 0.95, 0.2]] * 4)
    triage = np.where(risk >= 0.5, "refer", "routine").astype("U16")
    triage[0, 1] = "not_evaluable"
    labels = np.array([4] * 4 + [5] * 4)
    return Responses(
        sample=Sample(make_manifest({"mel": 4, "nv": 4}, 1), 8, 8),
        labels=labels,
        alarming=labels == 4,
        groups=np.array([f"{number}" for number in range(8)]),
        predicted=np.where(risk >= 0.5, 4, 5),
        risk=risk,
        triage=triage,
    )


def test_figures_of_each_variant_their_mean_and_their_loss() -> None:
    found = bound_figures(make_responses(), 0.5, classes=7, seed=0, resamples=200)
    value = {name: interval.value for name, interval in found.items()}
    assert (value["0/auc"], value["0/sensitivity"], value["0/balanced_accuracy"]) == (1, 1, 1)
    assert (value["1/auc"], value["1/balanced_accuracy"]) == (0, 0.5)
    assert (value["2/sensitivity"], value["2/flips"], value["2/flips_alarming"]) == (0.25, 0.75, 0.75)
    assert (value["1/flips"], value["1/not_evaluable"]) == (0, 1 / 8)
    assert value["mean/sensitivity"] == pytest.approx((1 + 0.25) / 2)
    assert value["loss/sensitivity"] == pytest.approx(1 - (1 + 0.25) / 2)
    assert value["mean/flips"] == pytest.approx(0.375)
    assert found["1/flips"].upper == pytest.approx(0.6024, abs=1e-3), "exact for none of four"


def test_of_another_task_only_the_risk_is_measured() -> None:
    found = bound_figures(dataclasses.replace(make_responses(), labels=None), 0.5, classes=7, seed=0, resamples=200)
    assert "0/balanced_accuracy" not in found
    assert found["0/auc"].value == 1


def test_robustness_of_a_bundle_on_drawn_lesions(predictor: Predictor, test_split: Manifest) -> None:
    found = measure_robustness(predictor, test_split, pictures=14, resamples=200)
    answers = answer_manifest(predictor, draw_sample(test_split, pictures=14, seed=0).manifest).answers
    assert found["sample"]["pictures"] == 14
    assert set(found["sample"]["labels"].values()) == {2}
    assert found["flagged"] == int(np.isin(answers.triage, ("urgent", "refer")).sum()), "the clean ones as served"
    assert len(found["corruptions"]) == 12
    blurred = found["corruptions"]["defocus"]
    assert all(len(blurred[name]) == 5 for name in ("auc", "balanced_accuracy", "sensitivity", "flips", "levels"))
    assert (
        found["corruptions"]["contrast"]["balanced_accuracy"][4]["value"] < found["clean"]["balanced_accuracy"]["value"]
    )
    mean = np.mean([figure["value"] for part in found["corruptions"].values() for figure in part["auc"]])
    assert found["mean"]["auc"]["value"] == pytest.approx(mean, abs=2e-4)
    assert found == measure_robustness(predictor, test_split, pictures=14, resamples=200)


def test_pictures_that_cannot_be_read_are_left_out(predictor: Predictor, test_split: Manifest) -> None:
    frame = test_split.frame.groupby("label").head(1).reset_index(drop=True)
    frame.loc[0, "image"] = "gone.png"
    found = measure_repeatability(predictor, dataclasses.replace(test_split, frame=frame), pictures=7, resamples=100)
    assert found["sample"]["pictures"] == 6
    frame["image"] = "gone.png"
    with pytest.raises(DatasetError, match="none of them can be read"):
        measure_repeatability(predictor, dataclasses.replace(test_split, frame=frame), pictures=7, resamples=100)


def test_repeatability_counts_variants_that_change_triage(predictor: Predictor, test_split: Manifest) -> None:
    answers = answer_manifest(predictor, test_split).answers
    found = measure_repeatability(predictor, test_split, answers, pictures=14, resamples=200)
    counts = {name: len(family) for name, family in CHANGES["photograph"].items()}
    assert {name: part["variants"] for name, part in found["changes"].items()} == {
        **counts,
        "all": sum(counts.values()),
    }
    whole = found["changes"]["all"]
    parts = sum(found["changes"][name]["changed"]["value"] * count for name, count in counts.items())
    assert whole["changed"]["value"] == pytest.approx(parts / sum(counts.values()), abs=1e-3)
    assert whole["unstable"]["value"] >= whole["changed"]["value"]
    assert found["retaken"]["pictures"] == 2 * found["retaken"]["groups"] > 0


def test_retakes_compare_the_pictures_of_one_group(predictor: Predictor, test_split: Manifest) -> None:
    answers = answer_manifest(predictor, test_split).answers
    names = np.array(["a", "a", "b", "b", "c"])
    triage = np.array(["urgent", "routine", "refer", "urgent", "routine"])
    few = dataclasses.replace(answers, groups=names, triage=triage)
    found = compare_retakes(few, seed=0, resamples=200)
    assert (found["groups"], found["pictures"]) == (2, 4)
    assert (found["changed"]["value"], found["flips"]["value"]) == (1.0, 0.5)
    assert compare_retakes(dataclasses.replace(few, groups=np.array(list("abcde"))), seed=0, resamples=200) == {}


def test_turns_and_crops_keep_what_they_should() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)
    assert np.array_equal(turn(90)(pixels), np.rot90(pixels))
    assert turn(20)(pixels).shape == pixels.shape
    assert turn(20)(np.full((40, 60, 3), 200, np.uint8)).min() > 195
    lower_right = crop(1, 1)(pixels)
    assert lower_right.shape == (38, 56, 3)
    assert np.array_equal(lower_right, pixels[2:, 4:])

"""Cross-validation from drawn pictures to the ensemble, killed and continued on the way."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from secondlook.conditions import SKIN
from secondlook.data.manifest import Manifest, read_manifest, write_manifest
from secondlook.errors import DatasetError
from secondlook.evaluation.metrics import compute_auc
from secondlook.inference.bundle import open_bundle
from secondlook.inference.predictor import load_predictor, read_input
from secondlook.inference.session import Session
from secondlook.training import crossval
from secondlook.training.crossval import choose_fold, train_folds
from secondlook.training.folds import deal_folds, take_fold
from secondlook.training.loop import Progress, Watcher
from secondlook.training.recipe import Recipe
from tests.training.tiny import make_recipe

FOLDS = 2


class KilledError(Exception):
    pass


@pytest.fixture(scope="module")
def recipe(drawn: Manifest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a recipe of two folds; decoded pictures go to a folder of the module."""
    folder = tmp_path_factory.mktemp("crossval")
    write_manifest(drawn, folder / "drawn.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECONDLOOK_CACHE", str(folder / "cache"))
        patch.setattr(crossval, "RESAMPLES", 100)
        yield make_recipe(
            data={"manifest": str(folder / "drawn.csv"), "cache_px": 40},
            split={"folds": FOLDS},
            stages=[{"epochs": 2, "size_px": 32}],
            augmentation={},
        )


@pytest.fixture(scope="module")
def run(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a cross-validated run that was killed in its second fold and then continued."""
    folder = tmp_path_factory.mktemp("run") / "tiny"

    def kill(progress: Progress) -> None:
        if progress.step == 3:
            raise KilledError

    with pytest.raises(KilledError):
        train_folds(recipe, folder, watch=lambda part: Watcher(step=kill) if part.split.fold == 2 else Watcher())
    steps: list[tuple[int | None, int]] = []

    def watch(part: Recipe) -> Watcher:
        return Watcher(step=lambda progress: steps.append((part.split.fold, progress.step)))

    bundle, _ = train_folds(recipe, folder, watch=watch)
    assert {fold for fold, _ in steps} == {2}, "the finished fold was trained again"
    assert steps[0][1] == 3, "the killed fold began anew, or lost a step that was saved"
    assert bundle == folder / "bundle"
    return folder


def test_no_fold_sees_its_own_part_or_the_test_split(run: Path) -> None:
    whole = read_manifest(run / "split.csv").frame
    learned = whole[whole["split"] == "train"]
    assert set(learned["fold"]) == {1, 2}
    for number in (1, 2):
        part = read_manifest(run / f"fold-{number}" / "split.csv").frame
        groups = {split: set(rows["group"]) for split, rows in part.groupby("split")}
        assert groups["test"] == set(learned.loc[learned["fold"] == number, "group"])
        assert groups["train"] == set(learned.loc[learned["fold"] != number, "group"])
        assert groups["calibration"] == set(whole.loc[whole["split"] == "calibration", "group"])


def test_every_fold_is_an_ordinary_run_and_its_recipe_is_whole(run: Path, recipe: Recipe) -> None:
    for number in (1, 2):
        folder = run / f"fold-{number}"
        assert {"recipe.yaml", "split.csv", "history.csv", "checkpoints", "plots", "bundle"} <= {
            entry.name for entry in folder.iterdir()
        }
        assert (folder / "recipe.yaml").read_text() == choose_fold(recipe, number).dump()
        assert open_bundle(folder / "bundle").evidence is not None


def test_out_of_fold_answers_are_those_of_the_network_that_had_not_seen_the_picture(run: Path) -> None:
    table = read_manifest(run / "out-of-fold.csv")
    assert sorted(table.frame["group"]) == sorted(read_manifest(run / "split.csv").select("train").frame["group"])
    for number in (1, 2):
        predictor = load_predictor(run / f"fold-{number}" / "bundle")
        place = int(np.flatnonzero(table.frame["fold"] == number)[0])
        expected = predictor.predict(table.paths()[place]).probabilities
        assert {key: table.frame[f"p_{key}"][place] for key in SKIN.keys} == pytest.approx(dict(expected))


def test_the_figures_are_those_of_the_answers(run: Path) -> None:
    figures = {part["name"]: part for part in json.loads((run / "folds.json").read_text())["figures"]}
    assert list(figures) == ["fold 1", "fold 2", "out of fold", "ensemble"]
    frame = pd.read_csv(run / "out-of-fold.csv")
    risk = frame[[f"p_{key}" for key in SKIN.alarming]].sum(axis=1).to_numpy()
    area = float(compute_auc(frame["label"].isin(SKIN.alarming).to_numpy(), risk))
    assert figures["out of fold"]["figures"]["risk_auc"]["value"] == pytest.approx(area, abs=1e-4)
    assert figures["ensemble"]["measured_on"] == "test"
    assert figures["ensemble"]["pictures"] == 21
    stored = open_bundle(run / "bundle").evidence
    assert stored is not None
    assert figures["ensemble"]["figures"]["macro_auc"]["value"] == stored.measures["macro_auc"]["value"]


def test_the_ensemble_averages_logits_and_keeps_embeddings_apart(run: Path) -> None:
    bundle = open_bundle(run / "bundle")
    assert bundle.facts.graph.members == FOLDS
    picture = read_manifest(run / "split.csv").select("test").paths()[0]
    _, image = read_input(picture, bundle.facts.input_size_px, resize=bundle.facts.resize)
    members = [Session(run / f"fold-{number}" / "bundle" / "model.onnx").run(image[None]) for number in (1, 2)]
    got = bundle.session.run(image[None])
    np.testing.assert_allclose(got.logits, np.mean([one.logits for one in members], axis=0), atol=1e-5)
    np.testing.assert_allclose(got.embedding, np.concatenate([one.embedding for one in members], axis=1), atol=1e-5)
    assert not np.allclose(members[0].logits, members[1].logits)


def test_nothing_that_the_ensemble_was_calibrated_on_was_learned_by_a_member(run: Path) -> None:
    whole = read_manifest(run / "split.csv")
    fitted = open_bundle(run / "bundle").calibration.fitted_on
    calibration = whole.select("calibration").frame
    assert (fitted.split, fitted.pictures) == ("calibration", len(calibration))
    for number in (1, 2):
        learned = read_manifest(run / f"fold-{number}" / "split.csv").select("train").frame
        assert not set(learned["group"]) & set(calibration["group"])


def test_curves_are_drawn_and_nothing_is_done_twice(run: Path, recipe: Recipe) -> None:
    for name in ("folds.png", "roc.png"):
        assert (run / "plots" / name).read_bytes().startswith(b"\x89PNG")
    sealed = (run / "bundle" / "SHA256SUMS").read_bytes()
    train_folds(recipe, run, watch=lambda part: Watcher(step=lambda progress: pytest.fail("a step")))
    assert (run / "bundle" / "SHA256SUMS").read_bytes() == sealed


def make_manifest(groups: dict[str, list[str]], root: Path) -> Manifest:
    """Return a manifest without pictures: label → groups, all in train."""
    rows = [
        {"image": f"{label}-{group}.png", "label": label, "group": group, "split": "train"}
        for label, members in groups.items()
        for group in members
    ]
    return Manifest(pd.DataFrame(rows), root, "mole")


def test_a_label_with_too_few_patients_for_the_folds_is_named(tmp_path: Path) -> None:
    manifest = make_manifest({"benign": [f"b{n}" for n in range(9)], "malignant": ["m1", "m2", "m3"]}, tmp_path)
    with pytest.raises(DatasetError, match=r"at least 5 patients or lesions of every label.*with 3 folds") as refusal:
        deal_folds(manifest, folds=5, seed=0)
    assert refusal.value.faults == ["malignant: 3"]


def test_one_patient_in_all_cannot_be_dealt(tmp_path: Path) -> None:
    manifest = make_manifest({"benign": ["one"] * 8, "malignant": ["one"] * 8}, tmp_path)
    with pytest.raises(DatasetError, match="5 folds, got 1 with 16 pictures"):
        deal_folds(manifest, folds=5, seed=0)


def test_a_fold_without_a_label_is_named(tmp_path: Path) -> None:
    manifest = make_manifest({"benign": ["a", "b", "c", "d"], "malignant": ["e", "f"]}, tmp_path)
    frame = manifest.frame.assign(fold=[0, 0, 1, 1, 0, 0])
    with pytest.raises(DatasetError, match=r"in every fold\. Correct the column, or remove it") as refusal:
        deal_folds(Manifest(frame, tmp_path, "mole"), folds=2, seed=0)
    assert refusal.value.faults == ["fold 2: no malignant"]


def test_own_folds_go_first_and_must_keep_patients_whole(tmp_path: Path) -> None:
    manifest = make_manifest({"benign": ["a", "b", "c", "d"], "malignant": ["e", "f"]}, tmp_path)
    own = Manifest(manifest.frame.assign(fold=[0, 0, 1, 1, 0, 1]), tmp_path, "mole")
    assert list(deal_folds(own, folds=2, seed=0).frame["fold"]) == [1, 1, 2, 2, 1, 2]
    with pytest.raises(DatasetError, match=r"to name 3 folds .* got 2 and 0 rows without\. Correct the column"):
        deal_folds(own, folds=3, seed=0)
    torn = Manifest(own.frame.assign(group=["a", "b", "a", "d", "e", "f"]), tmp_path, "mole")
    with pytest.raises(DatasetError, match=r"parts these\. Correct the column, or remove it to have") as refusal:
        deal_folds(torn, folds=2, seed=0)
    assert refusal.value.faults == ["a"]


def test_twins_of_different_patients_go_to_one_fold(drawn: Manifest) -> None:
    learned = drawn.select("train")
    twin = learned.frame.iloc[[0]].assign(group="another patient")
    whole = Manifest(pd.concat([learned.frame, twin], ignore_index=True), drawn.root)
    for seed in range(4):
        folds = deal_folds(whole, folds=3, seed=seed).frame["fold"]
        assert folds.iloc[0] == folds.iloc[-1]


def test_a_fold_leaves_the_test_split_out(drawn: Manifest) -> None:
    dealt = deal_folds(drawn, folds=3, seed=0)
    fold = take_fold(dealt, 2)
    tested = set(drawn.frame.loc[drawn.frame["split"] == "test", "image"])
    assert not set(fold.frame["image"]) & tested
    assert set(fold.select("test").frame["image"]) == set(dealt.frame.loc[dealt.frame["fold"] == 2, "image"])

"""Planted shortcuts are found and named; where there is none, nothing is marked."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from secondlook.data.facts import FAMILIES
from secondlook.data.manifest import Manifest
from secondlook.evaluation.shortcuts import LEAST_GROUPS, TOGETHER, Shortcuts, bound_aucs, measure_shortcuts

GROUPS = 40
TEXT = {"format": "JPEG", "mode": "RGB", "sampling": "2x2 1x1 1x1"}


def make_set(*labels: str, pictures: int = 2, groups: int = GROUPS, seed: int = 0) -> tuple[Manifest, pd.DataFrame]:
    """Return classes of patients with several pictures each, and facts that have nothing to do with the class."""
    random = np.random.default_rng(seed)
    rows = [
        (f"{label}-{group}-{number}.png", label, f"{label}-{group}")
        for label in labels
        for group in range(groups)
        for number in range(pictures)
    ]
    facts = {name: random.normal(100, 20, len(rows)) for family in FAMILIES for name in family.facts}
    frame = pd.DataFrame(rows, columns=["image", "label", "group"])
    return Manifest(frame, Path()), pd.DataFrame(facts | TEXT)


def list_suspicious(shortcuts: Shortcuts) -> list[str]:
    return [guess.family.key for guess in shortcuts.suspicious]


@pytest.mark.parametrize("seed", range(3))
def test_where_nothing_differs_nothing_is_marked(seed: int) -> None:
    found = measure_shortcuts(*make_set("mel", "nv", seed=seed), resamples=200)
    assert list_suspicious(found) == []
    assert [guess.family.key for guess in found.guesses] == [*(family.key for family in FAMILIES), "together"]
    assert 0.4 < np.mean([guess.macro.value for guess in found.guesses]) < 0.6
    assert (found.pictures, found.groups, found.obstacle) == (160, 80, None)


@pytest.mark.parametrize(
    ("fact", "family"),
    [
        ("width", "size"),
        ("luma_table", "saving"),
        ("bytes_per_pixel", "bytes"),
        ("fine_detail", "resolution"),
        ("corner_red", "border"),
    ],
)
def test_a_planted_shortcut_is_found_where_it_was_planted(fact: str, family: str) -> None:
    manifest, facts = make_set("mel", "nv")
    facts.loc[manifest.frame["label"] == "mel", fact] += 60
    found = measure_shortcuts(manifest, facts, resamples=200)
    assert list_suspicious(found) == [family, "together"]
    planted = next(guess for guess in found.guesses if guess.family.key == family)
    assert planted.macro.lower > 0.7
    assert planted.told == ("mel", "nv")


def test_text_and_what_is_missing_can_be_shortcuts_too() -> None:
    manifest, facts = make_set("mel", "nv")
    facts.loc[manifest.frame["label"] == "mel", "format"] = "PNG"
    assert "saving" in list_suspicious(measure_shortcuts(manifest, facts, resamples=200))
    manifest, facts = make_set("mel", "nv")
    facts.loc[manifest.frame["label"] == "mel", "dots_per_inch"] = np.nan
    assert "saving" in list_suspicious(measure_shortcuts(manifest, facts, resamples=200))


def test_one_class_among_many_is_named_though_the_mean_stays_low() -> None:
    manifest, facts = make_set("akiec", "bcc", "bkl", "nv", "vasc", pictures=1)
    facts.loc[manifest.frame["label"] == "vasc", "bytes_per_pixel"] += 30
    found = measure_shortcuts(manifest, facts, resamples=200)
    guess = next(guess for guess in found.guesses if guess.family.key == "bytes")
    assert guess.told == ("vasc",)
    assert guess.macro.lower < 0.6
    assert guess.suspicious


def test_a_fact_that_only_tells_the_patient_tells_nothing_of_the_class() -> None:
    manifest, facts = make_set("mel", "nv", pictures=4, groups=30)
    number = np.random.default_rng(0).permutation(60).astype(float)
    facts["width"] = number[manifest.frame.groupby("group").ngroup()]
    facts["height"] = facts["aspect"] = 1.0
    found = measure_shortcuts(manifest, facts, resamples=200)
    assert found.guesses[0].macro.lower < 0.5
    assert not found.guesses[0].suspicious


def test_facts_that_are_the_same_in_all_pictures_give_exactly_chance() -> None:
    manifest, facts = make_set("mel", "nv")
    facts[["width", "height", "aspect"]] = 224.0
    guess = measure_shortcuts(manifest, facts, resamples=200).guesses[0]
    assert not guess.varies
    assert (guess.macro.value, guess.macro.lower, guess.macro.upper) == (0.5, 0.5, 0.5)


def test_small_classes_are_left_out_and_named() -> None:
    manifest, facts = make_set("mel", "nv", "vasc")
    few = (manifest.frame["label"] != "vasc") | (manifest.frame.groupby("label").cumcount() < 2 * LEAST_GROUPS - 2)
    small = Manifest(manifest.frame[few].reset_index(drop=True), Path())
    found = measure_shortcuts(small, facts[few].reset_index(drop=True), resamples=200)
    assert found.left_out == ("vasc",)
    assert (found.pictures, set(found.guesses[0].by_label)) == (160, {"mel", "nv"})


def test_one_class_cannot_be_tested() -> None:
    found = measure_shortcuts(*make_set("nv"))
    assert found.guesses == ()
    assert found.obstacle is not None
    assert "20 patients or lesions" in found.obstacle


def test_without_scikit_learn_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    found = measure_shortcuts(*make_set("mel", "nv"))
    assert "secondlook[train]" in str(found.obstacle)


def test_the_same_seed_gives_the_same_figures_whatever_the_order_of_the_rows() -> None:
    manifest, facts = make_set("mel", "nv", pictures=1)
    first = measure_shortcuts(manifest, facts, resamples=200, seed=3)
    assert measure_shortcuts(manifest, facts, resamples=200, seed=3) == first
    assert measure_shortcuts(manifest, facts, resamples=200, seed=4) != first


def test_the_auc_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 300)
    probabilities = random.dirichlet(np.ones(3), 300)
    macro, *each = bound_aucs(labels, probabilities, np.arange(300).astype(str), resamples=100, seed=0)
    assert macro.value == pytest.approx(roc_auc_score(labels, probabilities, multi_class="ovr"))
    assert each[1].value == pytest.approx(roc_auc_score(labels == 1, probabilities[:, 1]))
    assert macro.lower < macro.value < macro.upper


def test_all_facts_together_are_all_facts() -> None:
    assert set(TOGETHER.facts) == {fact for family in FAMILIES for fact in family.facts}
    assert len(TOGETHER.facts) == len(set(TOGETHER.facts))

"""The card holds what the evidence holds, in both languages alike."""

import copy
import dataclasses
import re

import numpy as np
import pytest

from secondlook.conditions import TASKS
from secondlook.evaluation.card.render import render_card
from secondlook.evaluation.card.voice import Voice
from secondlook.evaluation.fit import choose_outlier_limit
from secondlook.evaluation.strangers import Strangers
from secondlook.inference.bundle import CARDS, CHECKLISTS

SECTIONS = {
    "en": [
        "What it is for",
        "Who it is for",
        "What it is not for",
        "Data",
        "Labels",
        "Figures",
        "Operating points and triage",
        "Calibration, prediction sets, refusals",
        "Subgroups",
        "Outside tests",
        "Robustness, repeatability, heatmaps",
        "Limits",
        "Reproduce",
        "Licence and citation",
    ],
    "fr": [
        "À quoi il sert",
        "À qui il s’adresse",
        "À quoi il ne sert pas",
        "Données",
        "Classes",
        "Chiffres",
        "Seuils et triage",
        "Calibration, ensembles de prédiction, refus",
        "Sous-groupes",
        "Évaluation externe",
        "Robustesse, répétabilité, cartes de chaleur",
        "Limites",
        "Reproduire",
        "Licence et citation",
    ],
}


def read_section(card, title):
    """Return the text below a heading."""
    return card.split(f"## {title}\n")[1].split("\n## ")[0]


def change(bundle, **parts):
    """Return the bundle with other parts of its evidence."""
    return dataclasses.replace(bundle, evidence=bundle.evidence.model_copy(update=parts))


def test_the_pages_in_the_bundle_are_those_that_its_evidence_renders(bundle):
    assert set(bundle.pages) == {*CARDS.values(), *CHECKLISTS.values()}
    assert bundle.card == bundle.pages["README.md"]
    for language, name in CARDS.items():
        assert render_card(bundle, bundle.evidence, language) == bundle.pages[name]


@pytest.mark.parametrize("language", CARDS)
def test_every_section_of_a_model_card_is_there(bundle, language):
    card = bundle.pages[CARDS[language]]
    assert re.findall(r"^## (.+)$", card, flags=re.MULTILINE) == SECTIONS[language]


def test_both_languages_hold_the_same_figures(stressed):
    def list_figures(language):
        card = render_card(stressed, stressed.evidence, language)
        plain = card.replace(",", ".") if language == "fr" else card.replace(",", "")
        return sorted(re.findall(r"\d+\.\d{3} \(\d\.\d{3}–\d\.\d{3}\)|\d+\.\d[  ]% \([\d.]+–[\d.]+\)",
                                 plain.replace("\N{NO-BREAK SPACE}", " ")))  # fmt: skip

    figures = list_figures("en")
    assert len(figures) > 60
    assert figures == list_figures("fr")


@pytest.mark.parametrize("language", CARDS)
def test_figures_of_the_card_are_those_of_the_evidence(bundle, language):
    measures, voice, card = bundle.evidence.measures, Voice(language), bundle.pages[CARDS[language]]
    for key in ("macro_auc", "balanced_accuracy", "kappa"):
        assert f" | {voice.figure(measures[key])} |" in card
    for point in bundle.calibration.operating_points:
        assert f" | {voice.decimal(point.threshold, 4)} | {voice.decimal(point.sensitivity)} (a" in card
        assert voice.figure(measures["risk"]["operating_points"][point.name]["ppv"]) in card
    assert f"| mel | 9 | 6 | {voice.figure(measures['auc']['mel'])} |" in card
    assert voice.share(measures["refusals"]["outside"]["outlier"]) in card
    assert voice.share(bundle.evidence.sets["slices"]["all"]["coverage"]) in card
    assert voice.figure(bundle.evidence.reliability["risk"]["before"]["expected_calibration_error"]) in card
    assert bundle.facts.training.data_fingerprint in card
    assert str(bundle.evidence.measured) in card


def test_a_changed_figure_changes_the_card(bundle):
    evidence = bundle.evidence.model_copy(deep=True)
    evidence.measures["macro_auc"]["value"] = 0.123
    assert "| Macro AUC | 0.123 (" in render_card(bundle, evidence)
    assert "| AUC macro | 0,123 (" in render_card(bundle, evidence, "fr")


def test_a_leak_marks_the_card_and_takes_its_claim_away(bundle):
    assert "which neither training nor calibration saw" in bundle.card
    assert "marked" not in bundle.card
    leaking = bundle.evidence.model_copy(update={"leak": "3 lesions in two splits"})
    english, french = (render_card(bundle, leaking, language) for language in CARDS)
    assert "**Every figure here is marked:** 3 lesions in two splits" in english
    assert "neither training nor calibration" not in english
    assert "avec réserve\N{NO-BREAK SPACE}:** 3 lesions in two splits" in french
    assert "vues ni à l’apprentissage" not in french


@pytest.mark.parametrize("language", CARDS)
def test_every_row_of_a_table_has_as_many_cells_as_its_head(bundle, language):
    tables = re.findall(r"(?:^\|.*\n)+", bundle.pages[CARDS[language]], flags=re.MULTILINE)
    assert len(tables) >= 7
    for table in tables:
        assert len({line.count("|") for line in table.splitlines()}) == 1, table


def test_french_keeps_its_spaces_and_commas(stressed):
    card = render_card(stressed, stressed.evidence, "fr")
    prose = re.sub(r"`[^`]*`|^    .*$|\([^()]*\.md\)|doi [\w./-]+", "", card, flags=re.MULTILINE)
    assert not re.search(r" [:;?!»%]|« |\w[?!;]", prose)
    assert not re.search(r"\d\.\d{2,}", prose)


def dress(bundle, task, data):
    """Return the bundle as if it were of another task, with evidence that has no figures by label."""
    own = TASKS[task]
    training = bundle.facts.training.model_copy(update={"data": data})
    facts = bundle.facts.model_copy(update={"task": task, "labels": own.keys, "training": training})
    calibration = bundle.calibration.model_copy(update={"log_prior": (0.0,) * len(own.keys)})
    measures = {key: bundle.evidence.measures[key] for key in ("risk", "triage", "refusals")}
    empty = {"operating": {}, "sets": {}, "subgroups": {}}
    evidence = bundle.evidence.model_copy(update={"measures": measures, **empty})
    return dataclasses.replace(bundle, facts=facts, calibration=calibration, evidence=evidence)


@pytest.mark.parametrize(
    ("task", "data", "language", "words"),
    [
        ("mole", "moles", "en", ("one mole", "of malignancy", "lesions or patients")),
        ("mole", "moles", "fr", ("un grain de beauté", "de malignité", "lésions ou patients")),
        ("chest", "chest_xray", "en", ("of pneumonia", "Kermany", "Adults and older children", "| pneumonia |")),
        ("chest", "chest_xray", "fr", ("la pneumonie", "Les adultes et les grands enfants", "Guangzhou (Chine)")),
        ("knee", "knee_oa", "en", ("of osteoarthritis (grade 2 or more)", "younger than 45", "| 2, 3, 4 |")),
        ("knee", "knee_oa", "fr", ("d’arthrose (stade 2 ou plus)", "l’arthrose", "moins de 45 ans")),
        ("bone", "mura", "en", ("of abnormality", "an arm, a hand", "| Abnormality: AUC |")),
        ("bone", "mura", "fr", ("d’anomalie", "d’un bras")),
    ],
)
def test_the_card_speaks_of_its_own_task(bundle, task, data, language, words):
    other = dress(bundle, task, data)
    card = render_card(other, other.evidence, language)
    assert [word for word in words if word not in card] == []
    assert ("malign" in card.lower()) == bool(TASKS[task].malignant)
    assert ({"en": "lesion", "fr": "lésion"}[language] in card) == (TASKS[task].kind == "photograph")
    named = {"en": "*urgent*", "fr": "«\N{NO-BREAK SPACE}urgent\N{NO-BREAK SPACE}»"}[language]
    assert (named in card) == ("| urgent |" in card) == (TASKS[task].urgency == "urgent")


def test_all_data_sets_that_were_learned_from_are_described_and_cited(bundle):
    both = dress(bundle, "skin", "ham10000_squares + pad_ufes20")
    card = render_card(both, both.evidence)
    assert "10,015 dermoscopic" in read_section(card, "Data")
    assert "Espírito Santo" in read_section(card, "Data")
    assert "Tschandl, Rosendahl, Kittler 2018" in read_section(card, "Licence and citation")
    assert "Pacheco et al. 2020" in read_section(card, "Licence and citation")
    assert "which the data it was trained on ask for" in card
    assert "which the data it was trained on ask for" not in bundle.card


def test_the_largest_gap_and_the_groups_that_are_too_few_are_named(bundle):
    few = {"value": None, "lower": None, "upper": None}
    rate, gap = {"value": 0.9, "lower": 0.8, "upper": 0.95}, {"value": 0.123, "lower": -0.01, "upper": 0.3}
    low = rate | {"value": 0.777}
    counts = {"pictures": 99, "groups": 60, "alarming_groups": 5, "other_groups": 50, "auc": few}
    values = [
        {"value": "Male", "sensitivity": rate, "specificity": rate, **counts},
        {"value": "Female", "sensitivity": low, "specificity": few, **counts},
        {"value": "Not recorded", "sensitivity": few, "specificity": few, **counts},
    ]
    ages = [{"value": "90 or more", "sensitivity": few, "specificity": few, **counts}]
    factors = {"sex": {"title": "Sex", "values": values}, "age_years": {"title": "Age", "values": ages}}
    found = {"factor": "Sex", "high": "Male", "low": "Female", "gap": gap}
    gaps = {"sensitivity": found, "specificity": None}
    parts = {"point": "sensitivity_95", "threshold": 0.1, "least_groups": 20, "factors": factors, "gaps": gaps}
    other = change(bundle, subgroups=parts)
    english = read_section(render_card(other, other.evidence), "Subgroups")
    assert "by sex: 12.3 points (-1.0–30.0), between Male (90.0 % (80.0–95.0)) and Female (77.7 %" in english
    assert "Largest gap in specificity: too few to say." in english
    assert "- Sex: Not recorded (5)\n- Age: 90 or more (5)" in english
    french = read_section(render_card(other, other.evidence, "fr"), "Sous-groupes").replace("\N{NO-BREAK SPACE}", " ")
    assert "selon sexe : 12,3 points (-1,0–30,0), entre hommes (90,0 % (80,0–95,0)) et femmes (77,7 %" in french
    assert "- Sexe : non renseigné (5)\n- Âge : 90 ou plus (5)" in french


def test_an_outside_test_is_a_row_with_labels_and_without(bundle):
    measures = copy.deepcopy(bundle.evidence.measures)
    tests = {
        "clinic": {"pictures": 1500, "groups": 1200, "labelled": True, "measures": measures},
        "phones": {
            "pictures": 30,
            "groups": 30,
            "labelled": False,
            "shares": {"outlier": {"value": 0.5, "lower": 0.4, "upper": 0.6}},
        },
        "empty": {"pictures": 0, "groups": 0, "labelled": False, "refused": "no picture"},
    }
    other = change(bundle, outside=tests)
    card = render_card(other, other.evidence)
    auc = Voice("en").figure(measures["risk"]["auc"])
    assert f"| `clinic` | 1,500 pictures of 1,200 lesions or patients | {auc} |" in card
    assert "| `phones` | 30 pictures of 30 lesions or patients | – | – | – | 50.0 % (40.0–60.0) |" in card
    assert "| `empty` | 0 pictures of 0 lesions or patients | – | – | – | – |" in card
    assert "nothing was measured on pictures from other places" not in card
    assert "nothing was measured on pictures from other places" in bundle.card


def test_strangers_are_told_as_the_served_method_refuses_them(bundle, finished_folder, drawn_manifest, foreign_folder):
    pictures = tuple(sorted(foreign_folder.glob("*.png")))
    strangers = [Strangers("papers", near=False, pictures=pictures, groups=np.array([path.stem for path in pictures]))]
    _, found = choose_outlier_limit(finished_folder, drawn_manifest.select("calibration"), strangers, resamples=100)
    served = next(method for method in found["methods"] if method["served"])
    served["refused"]["papers"]["value"] = 0.123  # the methods may well refuse alike
    other = change(bundle, outliers=found)
    share = Voice("fr").share(served["refused"]["papers"])
    assert f"| `papers` | éloignées | 5 | {share} |" in render_card(other, other.evidence, "fr")
    assert "| far |" not in bundle.card


def test_what_was_stressed_is_told_and_what_was_not_is_named(bundle, stressed):
    title = "Robustness, repeatability, heatmaps"
    told = read_section(render_card(stressed, stressed.evidence), title)
    evidence, voice = stressed.evidence, Voice("en")
    for figure in (
        voice.figure(evidence.robustness["mean_loss"]["auc"]),
        voice.share(evidence.robustness["mean"]["flips"]),
        voice.share(evidence.repeatability["changes"]["all"]["changed"]),
        voice.figure(evidence.explanations["deletion"]["over_random"]),
    ):
        assert figure in told
    assert "Not measured: attacks." in told
    assert "Not measured: robustness, repeatability, heatmaps and attacks." in read_section(bundle.card, title)


def test_an_attack_is_told_by_its_worst_method(bundle):
    def share(value):
        return {"value": value, "lower": value - 0.01, "upper": value + 0.01}

    methods = {
        "fgsm": {"accuracy": [share(0.8), share(0.6)], "served_accuracy": [share(0.85), share(0.8)]},
        "pgd": {"accuracy": [share(0.4), share(0.125)], "served_accuracy": [share(0.8), share(0.7)]},
    }
    clean = {"accuracy": share(0.9), "served_accuracy": share(0.91)}
    other = change(bundle, attack={"strengths": [1, 4], "clean": clean, "methods": methods})
    card = render_card(other, other.evidence)
    assert "at most 4 of 255 levels" in card
    assert "right in 12.5 % (11.5–13.5) of them in place of 90.0 % (89.0–91.0)" in card
    assert "this model is right in 70.0 % (69.0–71.0) in place of 91.0 %" in card
    alone = change(bundle, attack={"strengths": [4], "clean": {"accuracy": share(0.9)}, "methods": methods})
    assert "Shown the same pictures" not in render_card(alone, alone.evidence)


@pytest.mark.parametrize(
    ("lower", "verdict"),
    [((0.1, 0.1), "better than chance does"), ((0.1, -0.1), "in one of two"), ((-0.1, None), "no better than chance")],
)
def test_maps_that_are_no_better_than_chance_are_said_to_be(stressed, lower, verdict):
    found = copy.deepcopy(stressed.evidence.explanations)
    for curve, bound in zip(("deletion", "insertion"), lower, strict=True):
        found[curve]["over_random"] = {"value": 0.2, "lower": bound, "upper": None if bound is None else 0.3}
    other = change(stressed, explanations=found)
    assert verdict in render_card(other, other.evidence)


@pytest.mark.parametrize(("lower", "told"), [(-0.1, True), (0.1, False)])
def test_maps_that_are_no_better_than_the_middle_are_said_to_be(stressed, lower, told):
    found = copy.deepcopy(stressed.evidence.explanations)
    for curve in ("deletion", "insertion"):
        found[curve]["over_centre"] = {"value": 0.15, "lower": lower, "upper": 0.3}
    other = change(stressed, explanations=found)
    assert ("A spot in the middle of the picture does as well" in render_card(other, other.evidence)) is told


def test_undefined_figures_are_called_so():
    english, french = Voice("en"), Voice("fr")
    nothing, alone = {"value": None, "lower": None, "upper": None}, {"value": 0.5, "lower": None, "upper": None}
    assert (english.figure(nothing), french.figure(nothing)) == ("undefined", "non défini")
    assert (english.share(alone), french.share(alone)) == ("50.0 % (too few)", "50,0\N{NO-BREAK SPACE}% (trop peu)")
    assert french.count(12345) == "12\N{NARROW NO-BREAK SPACE}345"

"""The model card says what the evidence says."""

import dataclasses
import re

import pytest

from secondlook.conditions import SKIN, TASKS
from secondlook.evaluation.card import render_card
from secondlook.evaluation.run import finish_manifest
from secondlook.evaluation.tables import draw_tables, write_figure, write_share
from secondlook.inference.bundle import open_bundle


@pytest.fixture(scope="module")
def bundle(make_draft, drawn_manifest, foreign_folder, tmp_path_factory):
    folder = make_draft(tmp_path_factory.mktemp("card") / "tiny")
    finish_manifest(folder, drawn_manifest, refuse=foreign_folder, resamples=200)
    return open_bundle(folder)


def test_the_card_in_the_bundle_is_the_one_that_its_evidence_renders(bundle):
    assert render_card(bundle, bundle.evidence) == bundle.card


def test_every_section_of_a_model_card_is_there(bundle):
    sections = re.findall(r"^## (.+)$", bundle.card, flags=re.MULTILINE)
    assert sections == [
        "What it is for",
        "What it is not for",
        "Data",
        "Labels",
        "Figures",
        "Operating points and triage",
        "Refusals",
        "Limits",
        "Reproduce",
        "Licence and citation",
    ]


def test_figures_of_the_card_are_those_of_the_evidence(bundle):
    measures = bundle.evidence.measures
    for name, key in (
        ("Macro AUC", "macro_auc"),
        ("Balanced accuracy", "balanced_accuracy"),
        ("Cohen's kappa", "kappa"),
    ):
        assert f"| {name} | {write_figure(measures[key])} |" in bundle.card
    for point in bundle.calibration.operating_points:
        assert f"| {point.name} | {point.threshold:.4f} | {point.sensitivity:.3f} (at least" in bundle.card
    assert f"| mel | 9 | 6 | {write_figure(measures['auc']['mel'])} |" in bundle.card
    assert write_share(measures["refusals"]["outside"]["outlier"]) in bundle.card
    assert bundle.facts.training.data_fingerprint in bundle.card
    assert "marked" not in bundle.card


def test_a_changed_figure_changes_the_card(bundle):
    evidence = bundle.evidence.model_copy(deep=True)
    evidence.measures["macro_auc"]["value"] = 0.123
    assert render_card(bundle, evidence) != bundle.card
    assert "| Macro AUC | 0.123 (" in render_card(bundle, evidence)


def test_every_row_of_a_table_has_as_many_cells_as_its_head(bundle):
    widths = [line.count("|") for line in bundle.card.splitlines() if line.startswith("|")]
    tables = re.findall(r"(?:^\|.*\n)+", bundle.card, flags=re.MULTILINE)
    assert len(tables) >= 6
    assert sum(len({line.count("|") for line in table.splitlines()}) for table in tables) == len(tables), widths


def dress(bundle, task, data):
    """Return the bundle as if it were of another task, with evidence that has no figures by label."""
    own = TASKS[task]
    facts = bundle.facts.model_copy(
        update={
            "task": task,
            "labels": own.keys,
            "training": bundle.facts.training.model_copy(update={"data": data}),
        }
    )
    calibration = bundle.calibration.model_copy(update={"log_prior": (0.0,) * len(own.keys)})
    measures = {key: bundle.evidence.measures[key] for key in ("risk", "triage", "refusals")}
    evidence = bundle.evidence.model_copy(update={"measures": measures})
    return dataclasses.replace(bundle, facts=facts, calibration=calibration, evidence=evidence)


@pytest.mark.parametrize(
    ("task", "data", "words"),
    [
        ("mole", "moles", ("one mole", "probability of malignancy", "lesions or patients")),
        ("chest", "chest_xray", ("probability of pneumonia", "Kermany", "Adults and older children", "| pneumonia |")),
        ("knee", "knee_oa", ("osteoarthritis (grade 2 or more)", "Mendeley", "younger than 45", "| 2, 3, 4 |")),
        ("bone", "mura", ("probability of abnormality", "an arm, a hand", "| Abnormality: AUC |", "| abnormal |")),
    ],
)
def test_the_card_speaks_of_its_own_task(bundle, task, data, words):
    other = dress(bundle, task, data)
    card = render_card(other, other.evidence)
    for word in words:
        assert word in card
    assert ("malignan" in card.lower()) == bool(TASKS[task].malignant)
    assert ("lesion" in card) == (TASKS[task].kind == "photograph")
    assert ("*urgent*" in card) == ("| urgent |" in card) == (TASKS[task].urgency == "urgent")


def test_the_tables_speak_of_their_own_task(bundle):
    knee = dress(bundle, "knee", "knee_oa")
    (table,) = draw_tables(knee.evidence, TASKS["knee"])
    rows = list(table.columns[0].cells)
    assert "Osteoarthritis (grade 2 or more): AUC" in rows
    assert "of 46 patients" in str(table.title)
    assert draw_tables(bundle.evidence, SKIN)[1].columns[1].header == "Pictures\nLesions"


def test_undefined_figures_are_called_so():
    assert write_figure({"value": None, "lower": None, "upper": None}) == "undefined"
    assert write_figure({"value": 0.5, "lower": None, "upper": None}) == "0.500 (too few)"
    assert write_share({"value": 0.5, "lower": 0.25, "upper": 0.75}) == "50.0 % (25.0–75.0)"


def test_tables_fit_a_narrow_terminal(bundle):
    from rich.console import Console

    console = Console(width=80, record=True)
    for table in draw_tables(bundle.evidence, SKIN):
        console.print(table)
    text = console.export_text()
    assert "…" not in text.replace("(0 … 2)", "").replace("(0 … 1)", "")
    assert "0.00–" in text or "1.00" in text

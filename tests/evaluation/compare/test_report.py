"""A comparison as tables, CSV, JSON and a page."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from secondlook.evaluation.compare.measure import Comparison
from secondlook.evaluation.compare.page import _choose_axis, write_comparisons
from secondlook.evaluation.compare.report import (
    draw_tables,
    dump_csv,
    dump_json,
    judge_difference,
    list_marks,
    write_duration,
    write_p,
)
from secondlook.evaluation.intervals import Interval
from secondlook.evaluation.paired import Difference


def test_json_and_csv_hold_the_same_figures(comparison: Comparison) -> None:
    (content,) = json.loads(dump_json([comparison]))
    rows = list(csv.DictReader(io.StringIO(dump_csv([comparison]))))
    assert [model["name"] for model in content["models"]] == [row["name"] for row in rows]
    for model, row in zip(content["models"], rows, strict=True):
        for name, figure in model["test"]["figures"].items():
            assert float(row[f"test_{name}"]) == figure["value"]
            assert float(row[f"test_{name}_lower"]) == figure["lower"]
        assert row["comparable"] == str(model["comparable"])
        assert int(row["parameters"]) == model["parameters"]
    assert float(rows[1]["differences_loss_p"]) == content["models"][1]["differences"]["loss"]["p"]
    assert rows[0]["differences_loss"] == rows[2]["differences_loss"] == ""
    assert content["first"] == "good"


def test_the_tables_name_every_model_and_figure(comparison: Comparison) -> None:
    screen = Console(width=160, record=True, file=io.StringIO())
    for table in draw_tables(comparison):
        screen.print(table)
    text = screen.export_text()
    for word in (
        "good",
        "noisy",
        "elsewhere",
        "other pictures",
        "of the risk",
        "Kappa",
        "p .0",
        "1 min",
        "1.00 ×",
    ):
        assert word in text, word


def test_marks_are_sentences(comparison: Comparison) -> None:
    assert not list(list_marks(comparison.models[0]))
    assert "measured on other test pictures" in next(list_marks(comparison.models[2]))


@pytest.mark.parametrize(
    ("key", "value", "p", "word"),
    [
        ("kappa", 0.1, 0.01, "better"),
        ("loss", 0.1, 0.01, "worse"),
        ("kappa", -0.1, 0.2, "unclear"),
        ("kappa", 0.1, float("nan"), "too few"),
    ],
)
def test_a_difference_is_judged_by_its_p_value_and_direction(key: str, value: float, p: float, word: str) -> None:
    assert judge_difference(key, Difference(Interval(value, 0, 0), p, "bootstrap")) == word


def test_words_for_numbers() -> None:
    assert [write_duration(seconds) for seconds in (None, 59, 61, 4400)] == ["–", "59 s", "1 min", "1 h 13 min"]
    assert write_p(Difference(Interval(0, 0, 0), 0.0004, "bootstrap")) == "p < 0.001"
    assert _choose_axis(0.81, 0.93) == (0.8, 0.95)
    assert _choose_axis(0.9, 0.9) == (0.9, 0.92)
    assert _choose_axis(2.0, 2300.0)[1] >= 2300


def test_the_page_needs_no_network_and_says_everything(comparison: Comparison, tmp_path: Path) -> None:
    write_comparisons([comparison], tmp_path / "models.html")
    page = (tmp_path / "models.html").read_text(encoding="utf-8")
    assert not re.search(r"https?://|<script|<link|@import", page)
    for model in comparison.models:
        assert page.count(model.name) >= 3
        assert f"{model.test.figures['macro_auc'].value:.3f}" in page
    for words in ("not comparable: other test pictures", "Holm 1979", "AUC of the risk", "worse", "On the split train"):
        assert words in page, words
    assert page.count("<section") == page.count("</section>") == 5

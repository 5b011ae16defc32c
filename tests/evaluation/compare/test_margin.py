"""Verdicts of non-inferiority, at a margin."""

import dataclasses
import io
import json
import math

import pytest
from rich.console import Console

from secondlook.errors import InputError
from secondlook.evaluation.compare.margin import draw_verdicts, list_verdicts, render_verdicts
from secondlook.evaluation.compare.page import write_comparisons
from secondlook.evaluation.compare.report import dump_json
from secondlook.evaluation.intervals import Interval
from secondlook.evaluation.paired import Difference, check_margin, judge_margin


@pytest.mark.parametrize(
    ("lower", "upper", "verdict"),
    [
        (-0.019, 0.01, "not worse"),
        (0.01, 0.02, "not worse"),
        (-0.02, 0.01, "not shown"),
        (-0.05, -0.01, "not shown"),
        (-0.05, -0.021, "worse"),
        (math.nan, math.nan, "too few"),
    ],
)
def test_the_interval_against_the_margin_decides(lower, upper, verdict):
    assert judge_margin(Interval((lower + upper) / 2, lower, upper), 0.02) == verdict


@pytest.mark.parametrize("margin", [0, 1, -0.1, math.nan])
def test_what_is_no_margin_is_refused(margin):
    with pytest.raises(InputError, match="margin above 0"):
        check_margin(margin)
    assert check_margin(None) is None


@pytest.fixture
def asked(comparison):
    """Return the comparison with a margin, and with differences of the second model that leave no doubt."""
    noisy = comparison.models[1]
    spoilt = {
        "balanced_accuracy": Difference(Interval(-0.1, -0.15, -0.06), 0.001, "bootstrap"),
        "accuracy": Difference(Interval(0.0, -0.01, 0.01), 1.0, "bootstrap"),
    }
    noisy = dataclasses.replace(noisy, differences={**noisy.differences, **spoilt})
    return dataclasses.replace(comparison, models=(comparison.models[0], noisy, *comparison.models[2:]), margin=0.05)


def test_each_comparable_model_and_figure_gets_a_verdict(asked, comparison):
    found = {(model, name): verdict for model, name, _, verdict in list_verdicts(asked)}
    assert found["noisy", "Balanced accuracy"] == "worse"
    assert found["noisy", "Accuracy"] == "not worse"
    assert not any(name == "Loss" for _, name in found)
    assert not any(model == "elsewhere" for model, _ in found), "other pictures cannot be compared"
    assert list(list_verdicts(comparison)) == []


def test_verdicts_are_told_on_every_way_out(asked, comparison, tmp_path):
    screen = Console(width=160, record=True, file=io.StringIO())
    screen.print(draw_verdicts(asked))
    assert "Not worse than good by more than 0.05?" in screen.export_text()
    differences = json.loads(dump_json([asked]))[0]["models"][1]["differences"]
    assert differences["balanced_accuracy"]["verdict"] == "worse"
    assert "verdict" not in differences["loss"]
    assert "verdict" not in json.loads(dump_json([comparison]))[0]["models"][1]["differences"]["accuracy"]
    write_comparisons([asked], tmp_path / "page.html")
    assert render_verdicts(asked) in (tmp_path / "page.html").read_text()

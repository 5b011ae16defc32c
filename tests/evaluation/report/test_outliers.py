"""The section on strangers: every way of scoring with its figures, and the one that serves said plainly."""

import pytest

from secondlook.conditions import SKIN
from secondlook.evaluation.report.outliers import write_section
from secondlook.evaluation.report.section import Source

pytest.importorskip("matplotlib")

KINDS = [
    {"name": "phone", "near": True, "pictures": 40, "groups": 30},
    {"name": "pages", "near": False, "pictures": 30, "groups": 30},
]


def figure(value):
    return {"value": value, "lower": value - 0.1, "upper": value}


def method(name, served, **parameters):
    refused = {"phone": figure(0.2 if served else 0.1), "pages": figure(0.9)}
    auc = {"phone": figure(0.8), "pages": figure(0.99)}
    return {"method": name, "parameters": parameters, "limit": 1.0, "served": served, "auc": auc, "refused": refused}


def test_the_section_names_what_serves_and_what_it_refuses_least():
    methods = [method("vim", True, components=64, scale=4.5), method("energy", False)]
    found = {"share": 0.02, "own": {"pictures": 100, "groups": 80}, "sets": KINDS, "methods": methods}
    section = write_section(Source({"outliers": found}, SKIN))
    assert section.verdict.startswith(
        "Virtual-logit matching, ViM (Wang et al. 2022), components 64, scale 4.5 serves."
    )
    assert "phone, 20.0\N{NO-BREAK SPACE}% (10.0–20.0)" in section.verdict
    assert "phone (near): 40 pictures. pages (far): 30 pictures." in section.intro
    ways, refused, auc = section.tables
    assert [row[0] for row in ways.rows] == ["ViM", "Energy"]
    assert refused.heads == ("Strangers", "ViM, serves", "Energy")
    assert [row[0] for row in refused.rows] == ["phone", "pages"]
    assert [row[2]["value"] for row in refused.rows] == [0.1, 0.9]
    assert (refused.percent, auc.percent) == (True, False)
    assert section.figures[0].points.rows == (("phone", figure(0.2)), ("pages", figure(0.9)))


def test_without_strangers_there_is_no_section():
    assert write_section(Source({"outliers": {}}, SKIN)) is None

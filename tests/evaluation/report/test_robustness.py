import csv
import io

import pytest

from secondlook.conditions import SKIN
from secondlook.evaluation.report.explanations import write_section as write_explanations
from secondlook.evaluation.report.robustness import write_section
from secondlook.evaluation.report.section import Source
from secondlook.evaluation.report.sheets import list_sheets

pytest.importorskip("matplotlib")
SAMPLE = {"pictures": 20, "groups": 18, "of_pictures": 400, "of_groups": 300, "labels": {"nv": 20}}


def figure(value: float) -> dict[str, float]:
    return {"value": value, "lower": value - 0.02, "upper": value + 0.02}


def describe(flip: float) -> dict:
    names = ("auc", "balanced_accuracy", "sensitivity")
    part = {name: [figure(0.9 - 0.05 * level) for level in range(5)] for name in names}
    flips = [figure(0.02)] * 3 + [figure(flip), figure(0.03)]
    part |= {
        "flips": flips,
        "flips_urgent": [figure(0.01)] * 5,
        "flips_alarming": flips,
        "not_evaluable": [figure(0.1)] * 5,
    }
    part |= {"name": "Contrast", "amount": "% kept", "levels": [85, 70, 55, 40, 25], "flip_counts": [0] * 5}
    return {
        "sample": SAMPLE,
        "operating_point": "sensitivity_95",
        "flagged": 12,
        "flagged_urgent": 4,
        "flagged_alarming": 9,
        "clean": {name: figure(0.95) for name in names},
        "corruptions": {"contrast": part},
        "mean": {name: figure(0.8) for name in (*names, "flips", "flips_urgent", "flips_alarming", "not_evaluable")},
        "mean_loss": {name: figure(0.15) for name in names},
    }


def test_a_corruption_that_sends_many_home_is_named() -> None:
    calm, grave = (write_section(Source({"robustness": describe(flip)}, SKIN)) for flip in (0.08, 0.3))
    assert not calm.doubtful
    assert "Under no corruption" in calm.verdict
    assert grave.doubtful
    assert "Beware of contrast" in grave.verdict
    worst = next(table for table in grave.tables if table.name == "robustness-worst")
    assert worst.rows[0][:3] == ("Contrast", 4, figure(0.3))


def test_urgent_pictures_that_become_routine_are_counted_apart() -> None:
    found = describe(0.3)
    told = next(table for table in write_section(Source({"robustness": found}, SKIN)).tables if "worst" in table.name)
    assert told.heads[2:4] == ("Of all referred or urgent", "Of the urgent alone")
    assert told.rows[0][2:4] == (figure(0.3), figure(0.01))
    assert "12 pictures were referred or urgent when clean, 4 of them urgent, 9 with" in told.note
    del found["flagged_urgent"]  # measured before they were
    told = next(table for table in write_section(Source({"robustness": found}, SKIN)).tables if "worst" in table.name)
    assert "Of the urgent alone" not in told.heads


def test_every_point_with_its_interval_becomes_a_sheet() -> None:
    section = write_section(Source({"robustness": describe(0.1)}, SKIN))
    rows = list(csv.reader(io.StringIO(list_sheets([section])["robustness-auc.csv"])))
    assert rows[0] == ["corruption", "level", "amount", "auc", "auc lower", "auc upper"]
    assert [row[:3] for row in rows[1:3]] == [["contrast", "0", ""], ["contrast", "1", "85"]]
    assert len(rows) == 7
    rows = list(csv.reader(io.StringIO(list_sheets([section])["robustness-flips.csv"])))
    assert rows[1][:4] == ["contrast", "0", "", "0.0"]
    assert rows[5][:4] == ["contrast", "4", "40", "0.1"]


def test_repeats_and_retakes_are_tables() -> None:
    names = ("changed", "flips", "label_changed", "unstable", "risk_change")
    changes = {"turned": {"variants": 5, **{name: figure(0.1) for name in names}}}
    retaken = {"groups": 30, "pictures": 70, "changed": figure(0.2), "flips": figure(0.05)}
    evidence = {
        "robustness": describe(0.1),
        "repeatability": {"sample": SAMPLE, "changes": changes, "retaken": retaken},
    }
    tables = {table.name: table for table in write_section(Source(evidence, SKIN)).tables}
    assert tables["repeatability"].rows[0][0] == "Turned (5 ways)"
    assert "70 pictures of 30" in tables["repeatability-retaken"].caption
    evidence["repeatability"]["retaken"] = {}
    assert "repeatability-retaken" not in {table.name for table in write_section(Source(evidence, SKIN)).tables}


def test_what_was_not_measured_has_no_section() -> None:
    assert write_section(Source({"robustness": {}}, SKIN)) is None
    assert write_explanations(Source({"explanations": {}}, SKIN)) is None

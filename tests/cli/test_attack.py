import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from secondlook.cli import app
from secondlook.errors import RecipeError

CLEAN = {"value": 0.8, "lower": 0.7, "upper": 0.9}
FALLEN = {"value": 0.1, "lower": 0.0, "upper": 0.2}


def describe_attack(*, served: bool) -> dict:
    figures = {"accuracy": [CLEAN, FALLEN]}
    clean = {"accuracy": CLEAN}
    if served:
        figures |= {"served_accuracy": [CLEAN, CLEAN], "flips": [FALLEN, FALLEN], "not_evaluable": [FALLEN, FALLEN]}
        clean |= {"served_accuracy": CLEAN, "flips": FALLEN, "not_evaluable": FALLEN}
    return {
        "run": "tiny",
        "bundle": "tiny" if served else None,
        "sample": {"pictures": 20, "groups": 20, "of_pictures": 40, "of_groups": 40, "labels": {"nv": 20}},
        "library": "toolbox 1",
        "budget": {"steps": 20, "iterations": 30, "restarts": 1, "queries": 300},
        "seed": 0,
        "strengths": [1.0, 2.0],
        "clean": clean,
        "methods": {"fgsm": figures, "pgd": figures},
    }


@pytest.mark.parametrize("served", [True, False])
def test_the_page_shows_curves_tables_and_pictures(tmp_path: Path, served: bool) -> None:
    pytest.importorskip("art", reason="needs the extra `attack`")
    from secondlook.training.attack.page import write_attack
    from secondlook.training.attack.run import Example

    original = np.full((12, 16, 3), 90, np.uint8)
    example = Example(original, original + 2, "mel", "nv", "pgd", 2.0)
    page = write_attack(tmp_path / "out", describe_attack(served=served), [example], task="skin").read_text()
    assert page.count("data:image/svg+xml") == (2 if served else 1)
    assert page.count("data:image/jpeg") == 3
    assert "Original: Melanoma" in page
    assert "Attacked: named Melanocytic nevus" in page
    assert "PGD, strength 2" in page
    assert ("shown to the bundle tiny" in page) == served
    assert not re.search(r'(src|href)="https?:', page)
    assert json.loads((tmp_path / "out" / "attack.json").read_text())["strengths"] == [1.0, 2.0]
    sheets = {file.name for file in (tmp_path / "out" / "tables").iterdir()}
    assert {"attack-accuracy.csv", "attack-accuracies.csv"} <= sheets
    assert ("attack-transfer.csv" in sheets) == served


def test_the_command_attacks_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("art", reason="needs the extra `attack`")
    from secondlook.training.attack import run as room

    manifest = tmp_path / "split.csv"
    manifest.write_text("image,label,group,split\na.png,nv,1,train\nb.png,nv,2,test\n")
    asked = {}

    def answer(run, manifest, plan, **options):
        asked.update(run=run, images=list(manifest.frame["image"]), plan=plan, predictor=options["predictor"])
        return describe_attack(served=False), []

    monkeypatch.setattr(room, "attack_run", answer)
    words = ["attack", str(tmp_path), str(manifest), "-o", str(tmp_path / "out"), "--method", "pgd"]
    found = CliRunner().invoke(app, [*words, "--strength", "1", "--strength", "2", "--pictures", "0"])
    assert found.exit_code == 0, found.output
    assert asked["images"] == ["b.png"]
    assert asked["predictor"] is None
    assert (asked["plan"].methods, asked["plan"].strengths, asked["plan"].pictures) == (("pgd",), (1.0, 2.0), None)
    assert "10.0" in found.output
    assert (tmp_path / "out" / "attack.html").is_file()
    refused = CliRunner().invoke(app, [*words[:-1], "deepfool"])
    assert refused.exit_code == 2


def test_without_the_toolbox_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(sys.modules):
        if name.startswith("secondlook.training.attack"):
            monkeypatch.delitem(sys.modules, name)
    for name in ["art", *(name for name in sys.modules if name.startswith("art."))]:
        monkeypatch.setitem(sys.modules, name, None)
    found = CliRunner().invoke(app, ["attack", str(tmp_path), str(tmp_path / "split.csv")])
    assert isinstance(found.exception, RecipeError)
    assert "secondlook[train,attack]" in str(found.exception)

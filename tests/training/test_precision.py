from pathlib import Path

import pytest
import torch

from secondlook.training import precision
from secondlook.training.precision import choose_precision, measure_gain
from tests.training.tiny import make_recipe

CPU = torch.device("cpu")


def stand_in(tmp_path: Path, script: str) -> str:
    """Return an interpreter that runs this shell script whatever it is asked."""
    file = tmp_path / "python"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return str(file)


@pytest.mark.parametrize(
    ("script", "chosen"),
    [
        ("kill -SEGV $$", "fp32"),
        ("exit 3", "fp32"),
        ("echo nonsense", "fp32"),
        ("true", "fp32"),
        ("echo 1.10", "fp32"),
        ("echo 1.20", "bf16"),
        ("echo nan", "fp32"),
    ],
)
def test_a_crashing_or_slow_probe_gives_fp32_and_a_fast_one_bf16(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, chosen: str
) -> None:
    monkeypatch.setattr(precision.sys, "executable", stand_in(tmp_path, script))
    assert choose_precision(make_recipe(machine={"precision": "auto"}), CPU) == chosen


def test_a_hanging_probe_gives_fp32(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision.sys, "executable", stand_in(tmp_path, "exec sleep 60"))
    monkeypatch.setattr(precision, "TIMEOUT_S", 0.2)
    assert choose_precision(make_recipe(machine={"precision": "auto"}), CPU) == "fp32"


@pytest.mark.parametrize("wanted", ["fp32", "bf16"])
def test_what_the_recipe_says_is_not_probed(monkeypatch: pytest.MonkeyPatch, wanted: str) -> None:
    monkeypatch.setattr(precision.sys, "executable", "/nonexistent")
    assert choose_precision(make_recipe(machine={"precision": wanted}), CPU) == wanted


def test_the_gain_is_a_ratio_of_times() -> None:
    recipe = make_recipe(stages=[{"epochs": 1, "size_px": 32}], model={"name": "test_byobnet", "weights": "hub"})
    assert 0.01 < measure_gain(recipe, CPU) < 100


def test_the_probe_answers_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = make_recipe(stages=[{"epochs": 1, "size_px": 32}], machine={"precision": "auto"})
    monkeypatch.setattr(precision, "GAIN_WANTED", 0.0)
    assert choose_precision(recipe, CPU) == "bf16"  # any gain will do, so only a probe that answers gives this

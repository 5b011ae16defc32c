import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from secondlook import cli
from secondlook.inference import bundle as bundles

module = importlib.import_module("secondlook.cli.doctor")  # the package's own `doctor` is the function
CHECKS = module.CHECKS


def examine(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, ["doctor", *arguments], catch_exceptions=False)
    return result.exit_code, result.stdout


def find(findings: list[dict[str, object]], name: str) -> dict[str, object]:
    return next(finding for finding in findings if finding["name"] == name)


@pytest.fixture
def shipped(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "SHIPPED", tiny_bundle.parent)
    # Importing torch takes seconds; two tests below do it.
    monkeypatch.setattr(module, "TRAINING", ("onnx",))
    monkeypatch.setattr(module, "CHECKS", module.CHECKS[:4])


@pytest.mark.usefixtures("shipped")
def test_a_sound_machine_passes() -> None:
    code, out = examine("--json")
    findings = json.loads(out)
    assert code == 0
    for name in ("Python", "Predicting", "ONNX Runtime", "Bundle tiny", "Web application"):
        assert find(findings, name)["works"], name
    assert "CPUExecutionProvider" in str(find(findings, "ONNX Runtime")["found"])


@pytest.mark.usefixtures("shipped")
def test_the_table_sums_up() -> None:
    code, out = examine()
    assert code == 0
    assert out.rstrip().endswith("Predicting works.")


@pytest.mark.usefixtures("shipped")
def test_a_missing_extra_is_no_failure_and_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TRAINING", ("no_such_package",))
    monkeypatch.setattr(module, "SITE", ("no_such_site",))
    monkeypatch.setattr(module, "BROWSERS", ("no-such-browser",))
    monkeypatch.setattr(module, "CHECKS", CHECKS)
    code, out = examine("--json")
    findings = json.loads(out)
    assert code == 0
    assert not find(findings, "Training")["works"]
    assert "secondlook[train]" in str(find(findings, "Training")["cure"])
    assert not find(findings, "Web application")["works"]
    assert find(findings, "Browser for tests")["cure"] == "apt-get install chromium"
    assert "`.venv/bin/pip`" in examine()[1]


@pytest.mark.usefixtures("shipped")
def test_a_missing_core_package_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CORE", ("no_such_package",))
    code, out = examine()
    assert code == 1
    assert "Predicting does not work: Predicting" in out


@pytest.mark.usefixtures("shipped")
def test_a_tampered_bundle_fails(bundle_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (bundle_copy / "README.md").write_text("changed")
    monkeypatch.setattr(bundles, "SHIPPED", bundle_copy.parent)
    code, out = examine("--json")
    assert code == 1
    assert "no longer fits its sum" in str(find(json.loads(out), "Bundle copy")["found"])


@pytest.mark.usefixtures("shipped")
def test_no_bundle_at_all_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "SHIPPED", tmp_path)
    code, out = examine("--json")
    assert code == 1
    assert not find(json.loads(out), "Bundles")["works"]


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHECKS", [module.check_cache])
    monkeypatch.setenv("SECONDLOOK_CACHE", str(tmp_path / "new" / "cache"))
    assert find(json.loads(examine("--json")[1]), "Cache folder")["works"]
    if os.geteuid() == 0:
        monkeypatch.setenv("SECONDLOOK_CACHE", "/proc/secondlook")
    else:
        (tmp_path / "locked").mkdir(mode=0o500)
        monkeypatch.setenv("SECONDLOOK_CACHE", str(tmp_path / "locked" / "cache"))
    finding = find(json.loads(examine("--json")[1]), "Cache folder")
    assert not finding["works"]
    assert "SECONDLOOK_CACHE" in str(finding["cure"])


HELP = """
import sys, secondlook.cli
heavy = {"torch", "django", "onnxruntime", "pandas", "sklearn", "PIL", "numpy"} & set(sys.modules)
assert not heavy, heavy
"""


def test_help_loads_nothing_heavy() -> None:
    result = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr

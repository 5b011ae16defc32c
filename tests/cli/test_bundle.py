import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from secondlook import cli
from secondlook.errors import BundleError, InputError
from secondlook.inference import bundle as module
from secondlook.inference.bundle import open_bundle
from tests.bundles import build_bundle, read_json, write_json


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, ["bundle", *map(str, arguments)], catch_exceptions=False)
    return result.exit_code, result.stdout


def test_show_tells_facts_thresholds_and_figures_with_intervals(tiny_bundle: Path) -> None:
    code, out = run("show", tiny_bundle)
    bundle = open_bundle(tiny_bundle)
    assert bundle.evidence is not None
    assert code == 0
    for words in ("tiny 0.0.1", bundle.sha256, "drawn lesions", "Apache-2.0", "70 pictures"):
        assert words in out
    accuracy = bundle.evidence.measures["accuracy"]
    line = next(line for line in out.splitlines() if "Accuracy of the named label" in line)
    assert f"{accuracy['value']:.3f}" in line
    assert f"{accuracy['lower']:.3f} to {accuracy['upper']:.3f}" in line
    assert any(line.split()[1:2] == ["mel"] for line in out.splitlines())
    assert "auc mel" not in out
    assert "auc mel" in run("show", tiny_bundle, "--all")[1]
    urgent = next(line for line in out.splitlines() if "urgent" in line)
    assert f"{bundle.calibration.find_point('sensitivity_90').threshold:.1%}" in urgent


def test_show_speaks_of_the_task_s_own_risk_and_triage(tmp_path: Path) -> None:
    _, out = run("show", build_bundle(tmp_path / "knee", task="knee"))
    assert "probability of osteoarthritis (grade 2 or more)" in out
    assert "malignan" not in out.lower()
    assert not any(line.split()[1:2] == ["urgent"] for line in out.splitlines())
    assert any(line.split()[1:2] == ["refer"] for line in out.splitlines())


def test_show_as_json_is_the_whole_bundle(tiny_bundle: Path) -> None:
    code, out = run("show", tiny_bundle, "--json")
    content = json.loads(out)
    assert code == 0
    assert content["sha256"] == open_bundle(tiny_bundle).sha256
    assert content["facts"] == read_json(tiny_bundle / "bundle.json")
    stored = read_json(tiny_bundle / "evidence.json")
    assert {key: content["evidence"][key] for key in stored} == stored
    assert content["calibration"]["operating_points"] == read_json(tiny_bundle / "calibration.json")["operating_points"]


def test_show_marks_a_leak_and_a_figure_that_does_not_exist(bundle_copy: Path) -> None:
    evidence = read_json(bundle_copy / "evidence.json")
    evidence["leak"] = "3 [shared] lesions"
    evidence["measures"]["ppv"] = {"df": {"value": None, "lower": None, "upper": None}}
    write_json(bundle_copy / "evidence.json", evidence)
    module.seal_bundle(bundle_copy)
    _, out = run("show", bundle_copy, "--all")
    assert "Leak: 3 [shared] lesions" in out
    assert "ppv df" in out


def test_verify_says_what_holds_and_what_does_not(tiny_bundle: Path, bundle_copy: Path) -> None:
    (bundle_copy / "README.md").write_text("better than any doctor")
    code, out = run("verify", tiny_bundle, bundle_copy)
    assert code == 1
    first, second = out.splitlines()
    assert "holds" in first
    assert open_bundle(tiny_bundle).sha256 in first
    assert "does not hold" in second
    assert "README.md no longer fits its sum" in second
    assert run("verify", tiny_bundle)[0] == 0


def test_verify_as_json(tiny_bundle: Path, tmp_path: Path) -> None:
    code, out = run("verify", tiny_bundle, tmp_path, "--json")
    good, bad = json.loads(out)
    assert code == 1
    assert (good["sha256"], good["error"]) == (open_bundle(tiny_bundle).sha256, None)
    assert bad["sha256"] is None
    assert "without bundle.json" in bad["error"]


def test_verify_strictly_refuses_what_the_server_refuses(tiny_bundle: Path, bundle_copy: Path) -> None:
    evidence = read_json(bundle_copy / "evidence.json") | {"leak": "3 [shared] lesions"}
    write_json(bundle_copy / "evidence.json", evidence)
    module.seal_bundle(bundle_copy)
    assert run("verify", bundle_copy)[0] == 0
    code, out = run("verify", tiny_bundle, bundle_copy, "--strict")
    first, missing, second = out.splitlines()
    assert code == 1
    assert "holds" in first
    assert "Not measured: outside (--outside), outliers (--near or --far), attack (--attack)" in missing
    assert "does not hold (The bundle tiny 0.0.1 is not fit to serve." in second
    assert "(3 [shared] lesions). Measure it: `secondlook evaluate" in second


def test_export_writes_a_folder_and_refuses_to_write_over_it(tiny_bundle: Path, tmp_path: Path) -> None:
    code, out = run("export", tiny_bundle, "--hub", tmp_path / "hub")
    assert (code, out) == (0, "")
    assert run("verify", tmp_path / "hub", "--strict")[0] == 0
    with pytest.raises(InputError, match="new or an empty folder"):
        run("export", tiny_bundle, "--hub", tmp_path / "hub")


def test_verify_takes_all_that_are_shipped(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "SHIPPED", tiny_bundle.parent)
    code, out = run("verify")
    assert (code, out.startswith("tiny: holds")) == (0, True)
    monkeypatch.setattr(module, "SHIPPED", tmp_path)
    with pytest.raises(BundleError, match="ships none"):
        run("verify")

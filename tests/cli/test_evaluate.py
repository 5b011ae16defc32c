"""`secondlook evaluate`: exit codes, what goes to stdout, and the proof that evidence holds."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from secondlook import cli
from secondlook.data.manifest import Manifest, write_manifest
from secondlook.errors import SecondlookError
from secondlook.inference.bundle import open_bundle


def run(*arguments: object) -> tuple[int, str, str]:
    words = ["evaluate", *(str(argument) for argument in arguments), "--resamples", "100", "--quick"]
    try:
        result = CliRunner().invoke(cli.app, words, catch_exceptions=False)
    except SecondlookError as error:
        return 1, "", str(error)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def manifest(drawn_manifest: Manifest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("manifest") / "drawn.csv"
    write_manifest(drawn_manifest, path)
    return path


@pytest.fixture(scope="module")
def finished(make_draft, manifest: Path, foreign_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_draft(tmp_path_factory.mktemp("finished") / "tiny")
    code, _, errors = run(folder, manifest, "--finish", "--refuse", foreign_folder)
    assert code == 0, errors
    return folder


def test_tables_go_to_stderr_and_nothing_to_stdout(finished, manifest):
    code, out, errors = run(finished, manifest)
    assert (code, out) == (0, "")
    assert "Macro AUC" in errors
    assert "69 pictures of 46 lesions" in errors


def test_json_on_stdout_and_in_the_file_is_the_evidence(finished, manifest, foreign_folder, tmp_path):
    target = tmp_path / "evidence.json"
    code, out, _ = run(finished, manifest, "--json", "--output", target, "--refuse", foreign_folder)
    assert code == 0
    assert out.encode() == target.read_bytes() == (finished / "evidence.json").read_bytes()


@pytest.mark.parametrize("name", ["evidence.json", "report"])
def test_a_full_disk_costs_no_evidence(finished, manifest, tmp_path, name):
    (tmp_path / "report").mkdir()
    for scrap in ("evidence.json.tmp", "report/evidence.json.tmp"):
        (tmp_path / scrap).symlink_to("/dev/full")
    words = ["evaluate", finished, manifest, "--resamples", "100", "--quick", "--output", tmp_path / name]
    result = CliRunner().invoke(cli.app, list(map(str, words)))
    assert isinstance(result.exception, SecondlookError)
    assert f"{name}: No space left" in str(result.exception)
    assert json.loads(result.stdout)["measures"]["accuracy"]


def test_check_proves_reproduction_and_says_what_it_left_out(finished, manifest, foreign_folder):
    code, _, errors = run(finished, manifest, "--check")
    assert code == 0
    assert "Reproduced" in errors
    assert "needs --refuse" in errors
    code, _, errors = run(finished, manifest, "--check", "--refuse", foreign_folder)
    assert code == 0
    assert "needs" not in errors


def test_check_fails_on_other_pictures(finished, drawn_manifest, tmp_path):
    frame = drawn_manifest.frame
    last = frame.index[frame["split"] == "test"][-1]
    write_manifest(Manifest(frame.drop(index=last), drawn_manifest.root), tmp_path / "fewer.csv")
    code, _, errors = run(finished, tmp_path / "fewer.csv", "--check")
    assert code == 1
    assert "manifest.pictures: stored 69, measured 68" in errors
    assert "Not reproduced" in errors


def test_a_tampered_bundle_is_refused(finished, manifest, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in finished.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    evidence = json.loads((copy / "evidence.json").read_text())
    evidence["measures"]["macro_auc"]["value"] = 0.999
    (copy / "evidence.json").write_text(json.dumps(evidence))
    code, _, errors = run(copy, manifest)
    assert code == 1
    assert "evidence.json no longer fits its sum" in errors


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--split", "validation"), "Expected rows of the split 'validation'"),
        (("--refuse", "nowhere"), "Expected a folder of pictures for --refuse, 'nowhere' is none"),
    ],
)
def test_wrong_options_are_refused_in_a_sentence(finished, manifest, arguments, sentence):
    code, _, errors = run(finished, manifest, *arguments)
    assert code == 1
    assert sentence in errors


def test_check_and_finish_exclude_each_other(finished, manifest):
    assert run(finished, manifest, "--check", "--finish")[0] == 2


def test_a_missing_manifest_or_bundle_is_named(finished, manifest, tmp_path):
    assert "found no file gone.csv" in run(finished, tmp_path / "gone.csv")[2]
    assert "nowhere" in run(tmp_path / "nowhere", manifest)[2]


def test_the_card_gives_the_command_that_reproduces_it(finished):
    card = open_bundle(finished).card
    assert "secondlook evaluate tiny MANIFEST --split test --check" in card


def test_a_folder_gets_the_whole_report_with_outside_tests_and_prevalences(
    finished, manifest, drawn_manifest, tmp_path
):
    pytest.importorskip("matplotlib")
    bare = tmp_path / "bare.csv"
    images = [str(path) for path in drawn_manifest.select("test").paths()[:10]]
    bare.write_text("image\n" + "\n".join(images) + "\n")
    target = tmp_path / "report"
    options = ("--outside", f"elsewhere={bare}", "--prevalence", 0.02, "-o", target, "--json")
    code, out, errors = run(finished, manifest, *options)
    assert code == 0, errors
    assert "Wrote the report into report." in errors
    evidence = json.loads(out)
    assert evidence == json.loads((target / "evidence.json").read_text())
    assert evidence["outside"]["elsewhere"]["shares"]["outlier"]["value"] is not None
    predictive = evidence["operating"]["points"]["sensitivity_95"]["predictive"]
    assert 0.02 in [line["prevalence"] for line in predictive]
    assert "elsewhere" in (target / "report.html").read_text()
    assert (target / "tables" / "outside-shares.csv").is_file()


@pytest.mark.parametrize(
    "options",
    [
        ("--outside", "elsewhere"),
        ("--outside", "=bare.csv"),
        ("--outside", "a=b.csv", "--outside", "a=c.csv"),
        ("--prevalence", "1.5"),
        ("--near", "phone"),
    ],
)
def test_options_that_make_no_sense_are_wrong_usage(finished, manifest, options):
    assert run(finished, manifest, *options)[0] == 2


def test_masks_that_are_nowhere_and_outside_tests_without_a_file_are_refused(finished, manifest):
    assert "folder of pictures for --masks, 'nowhere' is none" in run(finished, manifest, "--masks", "nowhere")[2]
    assert "found no file gone.csv" in run(finished, manifest, "--outside", "away=gone.csv")[2]


def test_finishing_writes_a_report_that_shows_the_worst_mistakes(make_draft, manifest, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr("secondlook.evaluation.report.write.write_pdf", lambda page, path: path.write_bytes(b""))
    code, _, errors = run(make_draft(tmp_path / "draft"), manifest, "--finish", "--output", tmp_path / "report")
    assert code == 0, errors
    assert "data:image/jpeg" in (tmp_path / "report" / "report.html").read_text()

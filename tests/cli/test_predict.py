import csv
import importlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from secondlook import cli
from secondlook.cli.files import open_output
from secondlook.conditions import SKIN
from secondlook.errors import InputError
from secondlook.inference.predictor import Predictor, load_predictor
from tests.bundles import DRAWN, build_bundle
from tests.drawing import draw_lesion, draw_noise, encode, save_lesion

COLUMNS = (  # as the issue writes them
    "image,task,label,malignancy,triage,p_akiec,p_bcc,p_bkl,p_df,p_mel,p_nv,p_vasc,outlier,quality,error"
)


module = importlib.import_module("secondlook.cli.predict")  # the package's own `predict` is the function
COMMAND = (sys.executable, "-c", "from secondlook.cli import main; main()", "predict")


@pytest.fixture(scope="module")
def predictor(tiny_bundle: Path) -> Predictor:
    return load_predictor(tiny_bundle)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of readable pictures, unreadable ones, and things that are no pictures."""
    folder = tmp_path_factory.mktemp("pictures")
    save_lesion(folder, 1, "nv")
    save_lesion(folder, 2, "mel")
    below = folder / "sous dossier"
    below.mkdir()
    save_lesion(below, 3, "bcc").rename(below / "lésion n° 3 [bras], «gauche».JPG")
    (below / "without-suffix").write_bytes(encode(draw_lesion(4, "df"), "PNG"))
    (below / "noise.png").write_bytes(encode(draw_noise(0), "PNG"))
    (folder / "broken.jpg").write_bytes(b"%PDF-1.7 nothing to see")
    (folder / "notes.csv").write_text("a,b\n1,2\n")
    (folder / ".hidden.jpg").write_bytes(b"thumbnail")
    return folder


READABLE = 5


def run(*arguments: object) -> tuple[int, str, str]:
    try:
        result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments], catch_exceptions=False)
    except InputError as error:
        return 1, "", str(error)
    return result.exit_code, result.stdout, result.stderr


def read_rows(text: str) -> dict[str, dict[str, str]]:
    return {Path(row["image"]).name: row for row in csv.DictReader(io.StringIO(text))}


def test_csv_has_the_agreed_columns_and_one_row_per_picture(tiny_bundle: Path, pictures: Path) -> None:
    code, out, err = run("predict", pictures, "--bundle", tiny_bundle, "--format", "csv")
    assert code == 1
    assert out.splitlines()[0] == COLUMNS
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["image"] for row in rows] == sorted(row["image"] for row in rows)
    assert {Path(row["image"]).name for row in rows} == {
        "nv-0001.jpg", "mel-0002.jpg", "lésion n° 3 [bras], «gauche».JPG", "without-suffix", "noise.png", "broken.jpg",
    }  # fmt: skip
    assert "broken.jpg" in err
    assert f"{READABLE} read, 1 not read" in err


def test_csv_says_exactly_what_the_predictor_says(tiny_bundle: Path, pictures: Path, predictor: Predictor) -> None:
    _, out, _ = run("predict", pictures, "--bundle", tiny_bundle, "--format", "csv")
    checked = 0
    for row in csv.DictReader(io.StringIO(out)):
        if row["error"]:
            continue
        prediction = predictor.predict(row["image"])
        assert (row["task"], row["label"], row["triage"]) == ("skin", prediction.label, prediction.triage)
        assert {key: float(row[f"p_{key}"]) for key in SKIN.keys} == prediction.probabilities
        assert float(row["malignancy"]) == prediction.malignancy
        assert float(row["outlier"]) == prediction.outlier_score
        assert row["quality"] == (";".join(flag.code for flag in prediction.quality.flags) or "ok")
        checked += 1
    assert checked == READABLE


@pytest.mark.parametrize(("task", "keys"), [("chest", ["normal", "pneumonia"]), ("knee", list("01234"))])
def test_other_tasks_have_columns_of_their_own_and_no_malignancy(task: str, keys: list[str], tmp_path: Path) -> None:
    folder = build_bundle(tmp_path / "bundle", task=task)
    for key in keys:
        DRAWN[task].draw(7, key).save(tmp_path / f"{key}.png")
    shares = ",".join(f"p_{key}" for key in keys)
    code, out, _ = run(
        "predict", tmp_path / f"{keys[0]}.png", tmp_path / f"{keys[-1]}.png", "--bundle", folder, "--format", "csv"
    )
    assert code == 0
    assert out.splitlines()[0] == f"image,task,label,malignancy,triage,{shares},outlier,quality,error"
    predictor = load_predictor(folder)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["label"] for row in rows] == [predictor.predict(row["image"]).label for row in rows]
    assert [(row["task"], row["malignancy"]) for row in rows] == [(task, "")] * 2
    for row in rows:
        assert {key: float(row[f"p_{key}"]) for key in keys} == predictor.predict(row["image"]).probabilities
    _, out, _ = run("predict", tmp_path / f"{keys[-1]}.png", "--bundle", folder)
    assert predictor.task.risk["en"] in " ".join(out.split())
    assert "malignan" not in out.lower()
    _, out, _ = run("predict", tmp_path / f"{keys[-1]}.png", "--bundle", folder, "--format", "json")
    (record,) = json.loads(out)
    assert record["malignancy"] is None
    assert record["risk"] == pytest.approx(sum(record["probabilities"][key] for key in predictor.task.alarming))


def test_an_unreadable_picture_has_a_row_with_only_its_error(tiny_bundle: Path, pictures: Path) -> None:
    _, out, _ = run("predict", pictures, "--bundle", tiny_bundle, "--format", "csv")
    row = read_rows(out)["broken.jpg"]
    assert "PDF" in row.pop("error")
    assert row.pop("image")
    assert set(row.values()) == {""}


def test_what_is_not_evaluable_is_filled_in_all_the_same(tiny_bundle: Path, pictures: Path) -> None:
    _, out, _ = run("predict", pictures, "--bundle", tiny_bundle, "--format", "csv")
    row = read_rows(out)["noise.png"]
    assert row["triage"] == "not_evaluable"
    assert row["label"] in SKIN.keys
    assert sum(float(row[f"p_{key}"]) for key in SKIN.keys) == pytest.approx(1)


def test_quality_codes_are_joined_by_semicolons(tiny_bundle: Path, tmp_path: Path) -> None:
    Image.new("RGB", (60, 60), (3, 3, 3)).save(tmp_path / "black.png")
    _, out, _ = run("predict", tmp_path, "--bundle", tiny_bundle, "--format", "csv")
    codes = read_rows(out)["black.png"]["quality"].split(";")
    assert {"dark", "small"} < set(codes)


def test_json_has_sentences_and_the_bundle(tiny_bundle: Path, pictures: Path, predictor: Predictor) -> None:
    code, out, _ = run("predict", pictures / "mel-0002.jpg", "--bundle", tiny_bundle, "--format", "json")
    assert code == 0
    (record,) = json.loads(out)
    prediction = predictor.predict(pictures / "mel-0002.jpg")
    assert record["probabilities"] == prediction.probabilities
    assert record["bundle"]["hash"] == prediction.bundle.sha256
    assert [reason["text"] for reason in record["reasons"]] == [reason.describe("en") for reason in prediction.reasons]
    assert record["error"] is None


def test_the_table_names_lesions_and_says_that_it_is_no_diagnosis(tiny_bundle: Path, pictures: Path) -> None:
    code, out, _ = run("predict", pictures, "--bundle", tiny_bundle)
    assert code == 1
    for words in ("Melanoma", "urgent", "not evaluable", "[bras]", "usual share", "is no diagnosis"):
        assert words in out


def test_globs_reach_below_and_the_rest_is_sorted(tiny_bundle: Path, pictures: Path) -> None:
    pattern = f"{pictures}/**/*.[jJ][pP][gG]"
    code, out, _ = run("predict", pattern, pattern, "--bundle", tiny_bundle, "--format", "csv")
    assert code == 1
    assert list(read_rows(out)) == ["broken.jpg", "mel-0002.jpg", "nv-0001.jpg", "lésion n° 3 [bras], «gauche».JPG"]


def test_a_name_with_brackets_is_a_file_before_it_is_a_glob(tiny_bundle: Path, pictures: Path) -> None:
    path = next(pictures.glob("sous dossier/*.JPG"))
    code, out, _ = run("predict", path, "--bundle", tiny_bundle, "--format", "csv")
    assert code == 0
    assert list(read_rows(out)) == [path.name]


def test_a_missing_file_beside_others_is_reported_in_its_row(tiny_bundle: Path, pictures: Path) -> None:
    arguments = (pictures / "nv-0001.jpg", pictures / "gone.jpg", "--bundle", tiny_bundle, "--format", "csv")
    code, out, err = run("predict", *arguments)
    assert code == 1
    rows = read_rows(out)
    assert rows["nv-0001.jpg"]["error"] == ""
    assert "gone.jpg" in rows["gone.jpg"]["error"]
    assert "gone.jpg" in err


def test_nothing_found_is_a_sentence(tiny_bundle: Path, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.jpg", f"{tmp_path}/*.jpg"):
        code, _, err = run("predict", path, "--bundle", tiny_bundle)
        assert code == 1
        assert "found none" in err


def test_usage_errors_exit_with_two(tiny_bundle: Path, pictures: Path, tmp_path: Path) -> None:
    for arguments in (
        (),
        (pictures, "--format", "xml"),
        (pictures, "--output", tmp_path / "no" / "folder.csv"),
        (pictures, "--output", tmp_path),
    ):
        assert run("predict", *arguments)[0] == 2


@pytest.mark.parametrize(("name", "start"), [("a.csv", COLUMNS), ("a.json", "["), ("a.txt", "┏")])
def test_output_takes_its_format_from_its_name(
    tiny_bundle: Path, pictures: Path, tmp_path: Path, name: str, start: str
) -> None:
    code, out, _ = run("predict", pictures / "nv-0001.jpg", "--bundle", tiny_bundle, "--output", tmp_path / name)
    assert (code, out) == (0, "")
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(start)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_full_disk_costs_neither_the_old_file_nor_the_new_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "answers.csv"
    target.write_text("old")
    (tmp_path / f"answers.csv.{os.getpid()}.tmp").symlink_to("/dev/full")
    with pytest.raises(InputError, match=r"Cannot write answers\.csv: No space left"), open_output(target) as stream:
        stream.write("new")
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["answers.csv"]
    assert capsys.readouterr().out == "new"


def test_output_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "answers.csv"
    with open_output(target) as stream:
        stream.write("new")
        assert not target.exists()
    assert target.read_text() == "new"


def test_heatmaps_are_refused_before_any_work_where_a_file_is(tiny_bundle: Path, pictures: Path) -> None:
    picture = pictures / "nv-0001.jpg"
    code, out, err = run("predict", picture, "--bundle", tiny_bundle, "--heatmaps", picture)
    assert (code, out) == (2, "")
    assert "nv-0001.jpg is there and no folder" in err


def test_heatmaps_are_written_beside_each_other_without_clashes(
    tiny_bundle: Path, tmp_path: Path, predictor: Predictor
) -> None:
    for folder in ("a", "b"):
        (tmp_path / "in" / folder).mkdir(parents=True)
        save_lesion(tmp_path / "in" / folder, 0, "mel")
    code, _, _ = run("predict", tmp_path / "in", "--bundle", tiny_bundle, "--heatmaps", tmp_path / "out")
    assert code == 0
    found = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.png"))
    assert found == ["a/mel-0000.jpg.png", "b/mel-0000.jpg.png"]
    with Image.open(tmp_path / "out" / found[0]) as image, Image.open(tmp_path / "in/a/mel-0000.jpg") as original:
        assert image.size == original.size
        changed = np.abs(np.asarray(image, float) - np.asarray(original.convert("RGB"), float)).sum(axis=2)
    heatmap = predictor.predict(tmp_path / "in/a/mel-0000.jpg").heatmap
    hottest = np.unravel_index(heatmap.argmax(), heatmap.shape)
    assert changed[:, :75].max() == 0
    cell = 450 / heatmap.shape[0]
    row, column = (int((index + 0.5) * cell) for index in hottest)
    assert changed[row, 75 + column] > 50


def test_the_heatmap_of_any_label_can_be_asked_for(tiny_bundle: Path, pictures: Path, tmp_path: Path) -> None:
    picture = pictures / "nv-0001.jpg"
    maps = {}
    for label in ("", "mel", "vasc"):
        chosen = ("--heatmap-label", label) if label else ()
        folder = tmp_path / f"out-{label}"
        code, _, _ = run("predict", picture, "--bundle", tiny_bundle, "--heatmaps", folder, *chosen)
        assert code == 0
        maps[label] = next(folder.glob("*.png")).read_bytes()
    assert maps["mel"] != maps["vasc"]
    code, _, err = run("predict", picture, "--bundle", tiny_bundle, "--heatmaps", tmp_path, "--heatmap-label", "x")
    assert code == 2
    assert "akiec" in err


def test_a_folder_that_cannot_be_written_is_refused_before_any_work(
    tiny_bundle: Path, pictures: Path, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("a file")
    arguments = (pictures / "nv-0001.jpg", "--bundle", tiny_bundle, "--heatmaps", tmp_path / "taken" / "maps")
    code, _, err = run("predict", *arguments)
    assert code == 2
    assert "Cannot write in taken: Not a directory." in err


def test_many_workers_give_what_one_gives(tiny_bundle: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("predict", pictures, "--bundle", tiny_bundle, "--format", "csv")
    monkeypatch.setattr(module, "count_workers", lambda: 1)
    alone = run(*arguments)
    monkeypatch.setattr(module, "count_workers", lambda: 6)
    assert run(*arguments) == alone


def run_process(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)


def test_a_refusal_keeps_its_brackets_and_stays_plain_in_a_pipe(tmp_path: Path) -> None:
    result = run_process("[bold]none[/bold] [1].jpg", cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr == "Refused: Expected pictures, found none in: [bold]none[/bold] [1].jpg. Check the names.\n"
    assert result.stdout == ""


def test_standard_output_is_data_only(tiny_bundle: Path, pictures: Path) -> None:
    result = run_process(pictures, "--bundle", tiny_bundle, "--format", "json")
    assert len(json.loads(result.stdout)) == READABLE + 1
    assert "\x1b" not in result.stdout + result.stderr


@pytest.mark.parametrize("form", ["table", "csv"])
def test_data_is_utf_8_whatever_the_pipe(tiny_bundle: Path, pictures: Path, form: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    path = next(pictures.glob("sous dossier/*.JPG"))
    command = [*COMMAND, path, "--bundle", tiny_bundle, "--format", form]
    result = subprocess.run(command, capture_output=True, env=environment, timeout=120, check=True)
    assert "lésion n° 3" in result.stdout.decode("utf-8")


def test_the_version_is_shown() -> None:
    from secondlook import __version__

    assert run("--version") == (0, f"secondlook {__version__}\n", "")


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_ctrl_c_stops_soon_and_leaves_nothing_behind(tiny_bundle: Path, tmp_path: Path) -> None:
    data = encode(draw_lesion(0, "nv", size=(2000, 1500)))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "0.jpg").write_bytes(data)
    for number in range(1, 2000):
        (tmp_path / "in" / f"{number}.jpg").hardlink_to(tmp_path / "in" / "0.jpg")
    maps, target = tmp_path / "maps", tmp_path / "answers.csv"
    command = [*COMMAND, tmp_path / "in", "--bundle", tiny_bundle, "--output", target, "--heatmaps", maps]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        while not (maps.is_dir() and any(maps.iterdir())):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=300)
    assert process.returncode != 0
    assert len(list(maps.iterdir())) < 1000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "maps"]

"""`secondlook data`: the whole way from a folder to an audited split, by hand on the command line."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from secondlook.cli import main
from secondlook.data.sources import SOURCES
from tests.drawing import draw_lesion


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of two labels, ten patients each, two pictures of every patient."""
    for label in ("benign", "malignant"):
        for number in range(20):
            path = tmp_path / "set" / label / f"{label}-p{number // 2}-{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            draw_lesion(number, "nv" if label == "benign" else "mel", size=(100, 75)).save(path)
    return tmp_path / "set"


@dataclass
class Answer:
    """What a command gave back."""

    returncode: int
    stdout: str
    stderr: str


Call = Callable[..., Answer]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Return a function that runs `secondlook data` with words and a cache of its own."""
    monkeypatch.setenv("SECONDLOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["secondlook", "data", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr()
        return Answer(int(stopped.value.code or 0), said.out, said.err)

    return run


def test_from_a_folder_to_an_audited_split(folder: Path, tmp_path: Path, call: Call) -> None:
    listed, parted = tmp_path / "all.csv", tmp_path / "split.csv"
    pattern = r"\w+-p\d+"
    made = call("import", "folders", folder, "-o", listed, "--task", "mole", "--group-pattern", pattern)
    assert (made.returncode, made.stdout) == (0, ""), made.stderr
    assert "20 groups" in made.stderr
    made = call("split", listed, "-o", parted)
    assert (made.returncode, made.stdout) == (0, ""), made.stderr
    frame = pd.read_csv(parted)
    assert frame["split"].value_counts().to_dict() == {"train": 32, "calibration": 4, "test": 4}
    assert call("check", parted).returncode == 0

    clean = call("audit", parted)
    assert (clean.returncode, clean.stdout) == (0, "No leak between splits in 40 pictures.\n"), clean.stderr

    held = frame[frame["split"] == "test"]["image"].iloc[0]
    seen = frame[frame["split"] == "train"]["image"].iloc[0]
    shutil.copy(tmp_path / seen, tmp_path / held)
    page, mended = tmp_path / "audit.html", tmp_path / "mended.csv"
    found = call("audit", parted, "--html", page)
    assert found.returncode == 1
    assert found.stdout.startswith("The splits leak: 1 pair of identical files;")
    assert held in found.stdout
    assert seen in found.stdout
    assert page.read_text().count("data:image/jpeg") == 2
    cut = call("audit", parted, "--drop-leaks", "calibration,test", "-o", mended)
    assert cut.returncode == 0
    assert "Left out 2 of 40 pictures." in cut.stderr
    assert call("audit", mended).returncode == 0
    joined = call("split", parted, "-o", parted, "--merge-near-duplicates")
    assert "United 20 groups into 19." in joined.stderr
    assert call("audit", parted).returncode == 0


def test_a_split_by_picture_warns_and_leaks(folder: Path, tmp_path: Path, call: Call) -> None:
    path = tmp_path / "all.csv"
    pattern = r"\w+-p\d+"
    call("import", "folders", folder, "-o", path, "--task", "mole", "--group-pattern", pattern)
    made = call("split", path, "-o", path, "--by", "picture")
    assert made.returncode == 0
    assert "LEAKS" in made.stderr
    assert call("audit", path).returncode == 1


def test_folds_are_written_and_checked(folder: Path, tmp_path: Path, call: Call) -> None:
    path = tmp_path / "all.csv"
    call("import", "folders", folder, "-o", path, "--task", "mole")
    made = call("split", path, "-o", tmp_path / "folds.csv", "--folds", "4")
    assert made.returncode == 0, made.stderr
    assert pd.read_csv(tmp_path / "folds.csv")["fold"].value_counts().to_dict() == dict.fromkeys(range(4), 10)
    assert call("check", tmp_path / "folds.csv", "--quick").returncode == 0
    both = call("split", path, "-o", path, "--folds", "4", "--by", "picture")
    assert (both.returncode, "got both" in both.stderr) == (1, True)


def test_faults_are_refused_before_anything_is_written(folder: Path, tmp_path: Path, call: Call) -> None:
    path = tmp_path / "all.csv"
    victim = next((folder / "benign").iterdir())
    victim.write_bytes(victim.read_bytes()[:200])
    refused = call("import", "folders", folder, "-o", path, "--task", "mole")
    assert refused.returncode == 1
    assert victim.name in refused.stderr
    assert "Traceback" not in refused.stderr
    assert str(tmp_path) not in refused.stderr
    assert not path.exists()
    assert call("import", "folders", folder, "-o", path, "--task", "mole", "--quick").returncode == 0
    assert call("check", path, "--quick").returncode == 0
    checked = call("check", path)
    assert (checked.returncode, victim.name in checked.stderr) == (1, True)


def test_a_folder_is_checked_as_what_it_looks_like(folder: Path, call: Call) -> None:
    parts = folder / "train"
    parts.mkdir()
    for label in ("benign", "malignant"):
        (folder / label).rename(parts / label)
    found = call("check", folder)
    assert (found.returncode, found.stdout) == (0, ""), found.stderr
    assert "Read as the source moles" in found.stderr
    assert "40 groups" in found.stderr
    shutil.rmtree(parts / "benign")
    lacking = call("check", folder, "--source", "moles")
    assert lacking.returncode == 1
    assert "train/benign: expected a folder of this name" in lacking.stderr


def test_a_folder_like_none_is_told_what_it_lacks_for_each(tmp_path: Path, call: Call) -> None:
    (tmp_path / "holiday").mkdir()
    lost = call("check", tmp_path / "holiday")
    assert lost.returncode == 1
    for words in ("chest_xray: Expected in holiday the folders train", "mura: Expected train_image_paths.csv"):
        assert words in lost.stderr
    assert str(tmp_path) not in lost.stderr


def test_an_official_split_is_kept_or_left_aside(folder: Path, tmp_path: Path, call: Call) -> None:
    for part in ("train", "test"):
        for label in ("benign", "malignant"):
            (folder / part / label).mkdir(parents=True)
            for path in sorted((folder / label).glob("*-p[0-7]-*" if part == "train" else "*-p[89]-*")):
                path.rename(folder / part / label / path.name)
    pattern = r"\w+-p\d+"
    made = call("import", "moles", folder, "-o", tmp_path / "m.csv", "--keep-split", "--group-pattern", pattern)
    assert made.returncode == 0, made.stderr
    assert "4 pictures of train, groups whole, are put aside" in made.stderr
    frame = pd.read_csv(tmp_path / "m.csv")
    assert frame["split"].value_counts().to_dict() == {"train": 28, "test": 8, "calibration": 4}
    assert call("audit", tmp_path / "m.csv").returncode == 0
    assert "The split that m.csv had is replaced." in call("split", tmp_path / "m.csv", "-o", tmp_path / "n.csv").stderr
    call("import", "moles", folder, "-o", tmp_path / "m.csv", "--split-anew")
    assert "is replaced" not in call("split", tmp_path / "m.csv", "-o", tmp_path / "n.csv").stderr
    assert "set: 40 pictures in 40 groups" in call("check", folder.parent, "--task", "mole").stderr
    assert "split" not in pd.read_csv(tmp_path / "m.csv")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (
            ["import", "nowhere", ".", "-o", "x.csv"],
            1,
            "knee_oa, moles, isic, folders; got 'nowhere'",
        ),
        (["import", "folders", ".", "-o", "x.csv", "--task", "lung"], 1, "Expected a task, one of skin, mole"),
        (["import", "isic", ".", "-o", "x.csv", "--task", "chest"], 1, "that isic has labels of, skin; got chest"),
        (["import", "folders", "."], 2, "--output"),
        (["audit", "x.csv", "--drop-leaks", "test"], 1, "--drop-leaks and --output together"),
        (["audit", "x.csv", "--drop-leaks", "tset", "-o", "y.csv"], 1, "got 'tset'"),
        (["audit", "missing.csv"], 1, "found no file missing.csv"),
        (["split", "missing.csv", "-o", "y.csv", "--by", "luck"], 2, "luck"),
    ],
)
def test_wrong_words_are_answered_by_a_sentence(words: list[str], code: int, sentence: str, call: Call) -> None:
    answer = call(*words)
    assert answer.returncode == code
    assert sentence in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_help_draws_every_layout(call: Call) -> None:
    text = call("import", "--help").stdout
    for words in (
        "HAM10000_images_part_1/*.jpg",
        "image,MEL,NV,BCC,AK or AKIEC",
        "DIR/SPLIT/LABEL/*.jpg",
        "--group-pattern",
        *SOURCES,
        "XR_ELBOW/patient00001/study1_positive/image1.png",
        "person17_bacteria_50.jpeg",
        "regroup:",
        "9003175L.png",
        "malignant: [Melanom]",
    ):
        assert words in text

"""Every recipe of a reference system, at its quick size, on drawn pictures in the layout of its own data."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from secondlook.conditions import SKIN
from secondlook.inference.predictor import load_predictor
from secondlook.training.loop import Watcher
from secondlook.training.quick import make_quick
from secondlook.training.reading import SHIPPED, read_recipe
from secondlook.training.run import train_run
from tests.data.sources.trees import HAM_HEADER, PLAN
from tests.drawing import draw_lesion

REFERENCES = sorted(path.stem for path in SHIPPED.glob("r[1-5]-*.yaml"))
# These are of a hundred million weights; a small one of their kind shows as much of the recipe.
SMALLER = {
    "r3-vit": "model.name=vit_tiny_patch16_224",
    "r2-skin-inceptionresnetv2": "model.name=resnet10t",
}


def save(path: Path, seed: int, label: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draw_lesion(seed, label, size=(80, 60)).save(path)


def lay_moles(root: Path) -> None:
    for part, count in (("train", 24), ("test", 6)):
        for label, like in (("benign", "nv"), ("malignant", "mel")):
            for number in range(count):
                save(root / part / label / f"{part}{number}.jpg", number + 100 * (part == "test"), like)


def lay_frames(root: Path) -> None:
    rows = []
    for label in SKIN.keys:
        for number in range(10):
            rows.append(f"HAM_{label}{number},ISIC_{label}{number},{label},histo,50,male,back")
            save(root / "images" / f"ISIC_{label}{number}.jpg", number, label)
    (root / "HAM10000_metadata.csv").write_text("\n".join([HAM_HEADER, *rows]) + "\n")


def lay_chests(root: Path) -> None:
    for part, first, count in (("train", 100, 24), ("test", 300, 6)):
        for number in range(first, first + count):
            save(root / part / "NORMAL" / f"IM-0{number}-0001.jpeg", number, "nv")
            save(root / part / "PNEUMONIA" / f"person{number}_virus_{number}.jpeg", number, "bkl")


def lay_bones(root: Path) -> None:
    for part, count in (("train", 60), ("valid", 8)):
        for number in range(count):
            study = "study1_positive" if number % 2 else "study1_negative"
            seed = number + 10000 * (part == "valid")
            patient = f"patient{seed:05d}"
            save(root / part / "XR_WRIST" / patient / study / "image1.png", seed, "df" if number % 2 else "nv")


def lay_clinic(root: Path) -> None:
    words = {"nv": "Nävus", "mel": "Melanom"}
    rows = [(f"{key}{number}", word, f"{key}{number}") for key, word in words.items() for number in range(30)]
    for name, _, _ in rows:
        save(
            root / f"folder {1 + int(name[-1]) % 2}" / f"{name}.jpg",
            int(name.lstrip("nvmel")),
            name.rstrip("0123456789"),
        )
    sheet = pd.DataFrame(rows, columns=["Datei", "kat.Diagnose", "Patient"]).assign(Alter="40", Geschlecht="w")
    sheet.to_csv(root / "diagnoses.csv", sep=";", index=False)
    (root / "spreadsheet.yaml").write_text(PLAN, encoding="utf-8")


TREES: dict[str, Callable[[Path], None]] = {
    "malignant_vs_benign": lay_moles,
    "melanoma_cancer_dataset": lay_moles,
    "ham10000": lay_frames,
    "chest_xray": lay_chests,
    "MURA-v1.1": lay_bones,
    "dangerous_moles": lay_clinic,
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder that holds a drawn tree for every reference system."""
    root = tmp_path_factory.mktemp("references")
    for name, lay in TREES.items():
        (root / name).mkdir()
        lay(root / name)
    return root


def test_every_reference_system_has_its_recipes() -> None:
    assert {name.split("-")[0] for name in REFERENCES} == {"r1", "r2", "r3", "r4", "r5"}
    assert len(REFERENCES) == 15


@pytest.mark.parametrize("name", REFERENCES)
def test_one_command_goes_from_its_data_to_measured_evidence(
    name: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECONDLOOK_DATA", str(data))
    monkeypatch.setenv("SECONDLOOK_CACHE", str(tmp_path / "cache"))
    recipe = make_quick(read_recipe(name, changes=[SMALLER[name]] if name in SMALLER else []))
    predictor = load_predictor(train_run(recipe, tmp_path / "run", watcher=Watcher()))
    assert predictor.task.key == recipe.task
    assert predictor.bundle.evidence is not None
    assert predictor.bundle.evidence.manifest["split"] == "test"
    picture = next((data / str(recipe.data.folder)).rglob("*.jp*g"), None) or next(data.rglob("*.png"))
    assert sum(predictor.predict(picture).probabilities.values()) == pytest.approx(1)

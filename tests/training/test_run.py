import csv
import dataclasses
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from secondlook.data.manifest import Manifest, read_manifest, write_manifest
from secondlook.errors import DatasetError, RecipeError
from secondlook.inference.bundle import open_bundle
from secondlook.inference.predictor import load_predictor, read_input
from secondlook.training import run
from secondlook.training.loop import Watcher
from secondlook.training.run import (
    encode_labels,
    open_run,
    prepare_material,
    record_epochs,
    settle_machine,
    train_run,
)
from secondlook.training.sections import Export
from secondlook.training.writing import write_history
from tests.training.tiny import make_recipe


def test_a_recipe_that_learned_nothing_leaves_its_folder_to_a_corrected_one(tmp_path: Path) -> None:
    with open_run(tmp_path, make_recipe()):
        for name in ("machine.json", "weights.txt"):
            (tmp_path / name).write_text("of the first recipe")
    with open_run(tmp_path, make_recipe()):
        assert (tmp_path / "machine.json").is_file()
    corrected = make_recipe(seed=6)
    with open_run(tmp_path, corrected):
        assert (tmp_path / "recipe.yaml").read_text() == corrected.dump()
        assert not (tmp_path / "machine.json").exists()
        assert not (tmp_path / "weights.txt").exists()


LEARNED_FILES = ["checkpoints/1-0.pt", "fold-2/checkpoints/1-0.pt", "bundle/bundle.json", "study.sqlite3"]


@pytest.mark.parametrize("what", LEARNED_FILES)
def test_a_run_folder_belongs_to_one_recipe_but_words_and_export_may_change(tmp_path: Path, what: str) -> None:
    (tmp_path / what).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / what).touch()
    with open_run(tmp_path, make_recipe()):
        pass
    changed = make_recipe(about="Words.", export={"input_size_px": 48, "views": 4})
    with open_run(tmp_path, changed):
        assert (tmp_path / "recipe.yaml").read_text() == changed.dump()
    with pytest.raises(RecipeError, match="holds a run of another recipe"), open_run(tmp_path, make_recipe(seed=6)):
        pass
    assert (tmp_path / "recipe.yaml").read_text() == changed.dump()


def test_device_and_precision_are_settled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = make_recipe(machine={"device": "auto", "precision": "auto"})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(run, "choose_precision", lambda *args: "bf16")
    assert settle_machine(tmp_path, recipe) == (torch.device("cpu"), "bf16")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(run, "choose_precision", lambda *args: "fp32")
    assert settle_machine(tmp_path, recipe) == (torch.device("cpu"), "bf16")
    assert json.loads((tmp_path / "machine.json").read_text())["torch"] == torch.__version__


@pytest.mark.parametrize("begun", [False, True])
def test_a_gpu_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    if begun:
        (tmp_path / "machine.json").write_text('{"device": "cuda", "precision": "bf16"}')
    device = "auto" if begun else "cuda"
    with pytest.raises(RecipeError, match=r"Expected a GPU.*--set machine\.device=cpu"):
        settle_machine(tmp_path, make_recipe(machine={"device": device, "precision": "fp32"}))


def test_labels_are_numbered_as_the_task_orders_them(drawn: Manifest) -> None:
    labels = encode_labels(drawn)
    assert [("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")[number] for number in labels] == list(
        drawn.frame["label"]
    )


def test_unknown_labels_and_labels_without_training_pictures_are_refused(drawn: Manifest) -> None:
    frame = drawn.frame.copy()
    frame.loc[0, "label"] = "freckle"
    with pytest.raises(DatasetError) as refusal:
        encode_labels(dataclasses.replace(drawn, frame=frame))
    assert "freckle" in str(refusal.value)
    frame = drawn.frame[(drawn.frame["label"] != "vasc") | (drawn.frame["split"] != "train")]
    with pytest.raises(DatasetError) as refusal:
        encode_labels(dataclasses.replace(drawn, frame=frame))
    assert refusal.value.faults == ["vasc"]


def test_a_label_without_pictures_to_calibrate_from_is_refused_and_one_without_test_pictures_is_told(
    drawn: Manifest, own: dict[str, Any]
) -> None:
    absent = drawn.frame["label"].isin(["df", "vasc"])
    frame = drawn.frame[~absent | (drawn.frame["split"] != "calibration")]
    with pytest.raises(DatasetError, match=r"every label of skin in the split calibration.*split\.seed") as refusal:
        encode_labels(dataclasses.replace(drawn, frame=frame))
    assert refusal.value.faults == ["df", "vasc"]
    frame = drawn.frame[~absent | (drawn.frame["split"] != "test")]
    write_manifest(dataclasses.replace(drawn, frame=frame), Path(own["manifest"]))
    said: list[str] = []
    prepare_material(make_recipe(data=own), watcher=Watcher(warn=said.append))
    assert said == ["The split test holds no picture of df, vasc; its figures will be undefined."]


def test_a_manifest_without_a_test_is_refused_before_training(
    drawn: Manifest, own: dict[str, Any], tmp_path: Path
) -> None:
    frame = drawn.frame[drawn.frame["split"] != "test"]
    write_manifest(dataclasses.replace(drawn, frame=frame), Path(own["manifest"]))
    with pytest.raises(DatasetError, match=r"Expected pictures in the split test.*there is none"):
        train_run(make_recipe(data=own), tmp_path / "run", watcher=Watcher())
    assert not (tmp_path / "run").exists()


def test_one_patient_in_all_is_refused_before_training(drawn: Manifest, own: dict[str, Any], tmp_path: Path) -> None:
    frame = drawn.frame.drop(columns="split").assign(group="the one")
    write_manifest(dataclasses.replace(drawn, frame=frame), Path(own["manifest"]))
    with pytest.raises(DatasetError, match="Expected at least 3 groups of every label"):
        train_run(make_recipe(data=own), tmp_path / "run", watcher=Watcher())
    assert not (tmp_path / "run").exists()


def test_a_history_that_cannot_be_written_costs_no_run(tmp_path: Path) -> None:
    (tmp_path / "history.csv.tmp").mkdir()
    said: list[str] = []
    seen: list[int] = []
    watcher = record_epochs(Watcher(warn=said.append, epoch=lambda history: seen.append(len(history))), tmp_path)
    watcher.epoch([{"epoch": 1, "loss": 1.5}])
    assert said == ["history.csv and its plot cannot be written: Is a directory."]
    assert seen == [1]


def test_the_history_is_a_csv_that_spreadsheets_read(tmp_path: Path) -> None:
    rows = [{"epoch": 1, "loss": 1.5}, {"epoch": 2, "loss": 1.25}]
    write_history(tmp_path / "history.csv", rows)
    with (tmp_path / "history.csv").open(newline="") as stream:
        assert list(csv.DictReader(stream)) == [{"epoch": "1", "loss": "1.5"}, {"epoch": "2", "loss": "1.25"}]


@pytest.fixture
def own(drawn: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the recipe's data section for drawn lesions; decoded pictures go to a folder of the test."""
    monkeypatch.setenv("SECONDLOOK_CACHE", str(tmp_path / "cache"))
    write_manifest(drawn, tmp_path / "drawn.csv")
    return {"manifest": str(tmp_path / "drawn.csv"), "cache_px": 40}


def test_a_run_goes_from_a_manifest_to_a_bundle_that_answers(tmp_path: Path, own: dict[str, Any]) -> None:
    notes: list[str] = []
    decoded: list[tuple[int, int]] = []
    watcher = Watcher(note=notes.append, decoded=lambda *count: decoded.append(count))
    folder = tmp_path / "run"
    bundle = train_run(make_recipe(data=own), folder, watcher=watcher)
    assert bundle == folder / "bundle"
    with (folder / "history.csv").open(newline="") as stream:
        assert [row["epoch"] for row in csv.DictReader(stream)] == ["1", "2", "3", "4"]
    assert (folder / "plots" / "history.png").read_bytes().startswith(b"\x89PNG")
    assert len(list((folder / "checkpoints").iterdir())) == 2
    assert (folder / "tensorboard").is_dir() == (find_spec("tensorboard") is not None)
    split = read_manifest(folder / "split.csv")
    assert decoded[-1] == (len(split), len(split))
    assert len(notes) >= 4
    picture = split.select("test").paths()[0]
    prediction = load_predictor(bundle).predict(picture)
    assert sum(prediction.probabilities.values()) == pytest.approx(1.0)
    graph = (bundle / "model.onnx").read_bytes()
    assert (
        train_run(make_recipe(data=own), folder, watcher=Watcher(step=lambda progress: pytest.fail("a step"))) == bundle
    )
    assert (bundle / "model.onnx").read_bytes() == graph


def test_further_runs_look_beside_a_runs_own_network(tmp_path: Path, own: dict[str, Any]) -> None:
    first = make_recipe(data=own, stages=[{"epochs": 1, "size_px": 32}])
    alone = train_run(first, tmp_path / "first", watcher=Watcher())
    export = {"input_size_px": 32, "weights": "int8", "members": [str(tmp_path / "first")]}
    second = make_recipe(data=own, seed=6, stages=[{"epochs": 1, "size_px": 32}], export=export)
    both = train_run(second, tmp_path / "second", watcher=Watcher())
    facts = open_bundle(both).facts
    assert facts.graph.members == 2
    assert "beside it looks the run tiny" in facts.training.weights
    picture = read_manifest(tmp_path / "first" / "split.csv").select("test").paths()[0]
    pixels = read_input(picture, (32, 32), resize=facts.resize)[1][None]
    own_export = {"input_size_px": 32, "weights": "int8"}
    apart = train_run(
        second.model_copy(update={"export": Export(**own_export)}), tmp_path / "second", watcher=Watcher()
    )
    logits = [open_bundle(bundle).session.run(pixels).logits for bundle in (alone, apart)]
    train_run(second, tmp_path / "second", watcher=Watcher())
    together = open_bundle(both).session.run(pixels)
    np.testing.assert_allclose(together.logits, np.mean(logits, axis=0), atol=0.02)
    assert np.abs(logits[0] - logits[1]).max() > 0.1
    assert together.embedding.shape[1] == 2 * open_bundle(alone).session.run(pixels).embedding.shape[1]


def test_further_runs_that_cannot_look_are_refused_before_training(tmp_path: Path, own: dict[str, Any]) -> None:
    missing = make_recipe(data=own, export={"input_size_px": 32, "members": [str(tmp_path / "none")]})
    with pytest.raises(RecipeError, match="found none at none"):
        train_run(missing, tmp_path / "run", watcher=Watcher())
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "recipe.yaml").write_text(make_recipe(data=own | {"resize": "stretch"}).dump())
    other = make_recipe(data=own, export={"input_size_px": 32, "members": [str(tmp_path / "other")]})
    with pytest.raises(RecipeError, match="for skin with stretch"):
        train_run(other, tmp_path / "run", watcher=Watcher())
    file = tmp_path / "other" / "recipe.yaml"
    file.write_text(make_recipe(data=own).dump())
    manifest = read_manifest(Path(own["manifest"]))
    turned = manifest.frame["split"].map({"train": "test", "test": "train", "calibration": "calibration"})
    write_manifest(
        dataclasses.replace(manifest, frame=manifest.frame.assign(split=turned)), tmp_path / "other/split.csv"
    )
    with pytest.raises(DatasetError, match="that the run other has learned from"):
        train_run(other, tmp_path / "run", watcher=Watcher())
    assert not (tmp_path / "run").exists()


def test_a_manifest_of_another_task_is_refused(tmp_path: Path, own: dict[str, Any]) -> None:
    text = Path(own["manifest"]).read_text().replace("\nskin,", "\nchest,")
    Path(own["manifest"]).write_text(text)
    with pytest.raises((RecipeError, DatasetError)):
        train_run(make_recipe(data=own), tmp_path / "run", watcher=Watcher())
    assert not (tmp_path / "run" / "checkpoints").exists()

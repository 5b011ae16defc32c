import hashlib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from torch import Tensor

from secondlook.data.manifest import Manifest, write_manifest
from secondlook.errors import DatasetError, RecipeError
from secondlook.training.checkpoint import save_checkpoint
from secondlook.training.earlier import blend_with_start, read_answering_weights, require_unseen
from secondlook.training.origin import ORIGIN_FILE, describe_origin
from secondlook.training.run import settle_origin
from secondlook.training.sections import Model
from secondlook.training.zoo import build_network
from tests.training.tiny import NETWORK, make_recipe


def make_model(folder: Path | str, **changes: Any) -> dict[str, Any]:
    return {"name": NETWORK, "weights": str(folder)} | changes


@pytest.fixture
def earlier(tmp_path: Path) -> tuple[Path, dict[str, Tensor]]:
    """Return an earlier run's folder of seven classes, and the weights that it answered with."""
    torch.manual_seed(11)
    weights = build_network(make_recipe(model={"name": NETWORK}), classes=7).state_dict()
    last = {key: value + 1 for key, value in weights.items()}
    packed = {
        "network": last,
        "average": {f"module.{key}": value for key, value in weights.items()} | {"n_averaged": 3},
    }
    folder = tmp_path / "before"
    save_checkpoint(folder / "checkpoints", packed, step=9)
    (folder / "recipe.yaml").write_text(make_recipe(model={"name": NETWORK}).dump(), encoding="utf-8")
    return folder, weights


def test_a_run_starts_from_the_moving_average_of_an_earlier_one(earlier: tuple[Path, dict[str, Tensor]]) -> None:
    folder, weights = earlier
    got = build_network(make_recipe(model=make_model(folder)), classes=7).state_dict()
    assert all(torch.equal(got[key], value) for key, value in weights.items())


def test_a_run_that_kept_its_best_epoch_is_gone_on_from_that_one(tmp_path: Path) -> None:
    torch.manual_seed(11)
    best = build_network(make_recipe(model={"name": NETWORK}), classes=7).state_dict()
    last = {key: value + 1 for key, value in best.items()}
    save_checkpoint(tmp_path / "checkpoints", {"network": last, "average": None, "best": best}, step=9)
    for keep, expected in (("best", best), ("last", last)):
        recipe = make_recipe(model={"name": NETWORK}, keep=keep)
        (tmp_path / "recipe.yaml").write_text(recipe.dump(), encoding="utf-8")
        got = read_answering_weights(tmp_path)
        assert all(torch.equal(got[key], value) for key, value in expected.items())


@pytest.mark.parametrize(("classes", "head"), [(2, {}), (7, {"hidden": [5]})])
def test_a_head_of_other_classes_or_layers_is_left_as_it_is(
    earlier: tuple[Path, dict[str, Tensor]], classes: int, head: dict[str, Any]
) -> None:
    folder, weights = earlier
    torch.manual_seed(4)
    own = build_network(make_recipe(model=make_model("none", head=head)), classes=classes).state_dict()
    torch.manual_seed(4)
    got = build_network(make_recipe(model=make_model(folder, head=head)), classes=classes).state_dict()
    for key, value in got.items():
        assert torch.equal(value, (weights if key.startswith("backbone.") else own)[key]), key


def test_a_run_that_blends_answers_so_and_is_gone_on_from_so(
    tmp_path: Path, earlier: tuple[Path, dict[str, Tensor]]
) -> None:
    folder, weights = earlier
    trained = {key: value + 1 if value.is_floating_point() else value for key, value in weights.items()}
    run = tmp_path / "second"
    save_checkpoint(run / "checkpoints", {"network": trained, "average": None}, step=9)
    recipe = make_recipe(model=make_model(folder), export={"input_size_px": 32, "start_share": 0.25})
    (run / "recipe.yaml").write_text(recipe.dump(), encoding="utf-8")
    got = read_answering_weights(run)
    for key, value in weights.items():
        torch.testing.assert_close(got[key], value + 0.75 if value.is_floating_point() else value)


def test_networks_of_other_classes_are_not_blended(earlier: tuple[Path, dict[str, Tensor]]) -> None:
    weights = build_network(make_recipe(model=make_model("none")), classes=2).state_dict()
    recipe = make_recipe(model=make_model(earlier[0]), export={"input_size_px": 32, "start_share": 0.5})
    with pytest.raises(RecipeError, match=r"same network and classes in the earlier run before.*start_share=0"):
        blend_with_start(weights, recipe)


def test_without_a_share_the_earlier_run_is_not_read(tmp_path: Path) -> None:
    weights = {"head.0.weight": torch.ones(2)}
    assert blend_with_start(weights, make_recipe(model=make_model(tmp_path / "gone"))) is weights


@pytest.mark.parametrize("weights", ["none", "hub", "given.safetensors"])
def test_a_share_of_the_start_needs_an_earlier_run(weights: str) -> None:
    with pytest.raises(ValueError, match="needs the folder of an earlier run"):
        make_recipe(model=make_model(weights), export={"input_size_px": 32, "start_share": 0.5})


def test_a_run_without_a_moving_average_gives_its_last_weights(tmp_path: Path) -> None:
    weights = build_network(make_recipe(), classes=7).state_dict()
    save_checkpoint(tmp_path / "plain" / "checkpoints", {"network": weights, "average": None}, step=1)
    got = build_network(make_recipe(model=make_model(tmp_path / "plain")), classes=7).state_dict()
    assert all(torch.equal(got[key], value) for key, value in weights.items())


def test_another_backbone_is_refused(earlier: tuple[Path, dict[str, Tensor]]) -> None:
    recipe = make_recipe(model=make_model(earlier[0], name="test_resnet"))
    with pytest.raises(RecipeError, match=r"network of the earlier run before; \d+ tensors .* first 'backbone\."):
        build_network(recipe, classes=7)


def test_a_folder_without_a_whole_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecipeError, match=r"empty holds no whole checkpoint\. Train that run first"):
        build_network(make_recipe(model=make_model(tmp_path / "empty")), classes=7)


def test_colours_that_the_new_run_measures_are_its_own(earlier: tuple[Path, dict[str, Tensor]]) -> None:
    network = build_network(make_recipe(model=make_model(earlier[0], normalise="data")), classes=7)
    network.standardise_by(((0.1, 0.2, 0.3), (1.0, 2.0, 3.0)))
    assert {"mean", "deviation"} < set(network.state_dict())
    torch.testing.assert_close(network.state_dict()["mean"].flatten(), torch.tensor([0.1, 0.2, 0.3]))


def make_manifest(folder: Path, splits: dict[str, str], *, task: str = "skin") -> Manifest:
    """Return a manifest with one picture for each group and the split that it lies in."""
    rows = [
        {"image": f"{group}.png", "label": "normal" if task == "chest" else "nv", "group": group, "split": split}
        for group, split in splits.items()
    ]
    return Manifest(pd.DataFrame(rows), folder, task)


def write_split(folder: Path, manifest: Manifest) -> Path:
    folder.mkdir()
    write_manifest(manifest, folder / "split.csv")
    return folder


def test_a_run_that_has_learned_from_a_measured_group_is_refused_with_the_groups(tmp_path: Path) -> None:
    before = make_manifest(tmp_path, {"a": "train", "b": "train", "c": "train", "d": "test", "e": "calibration"})
    folder = write_split(tmp_path / "before", before)
    now = make_manifest(tmp_path, {"a": "test", "b": "calibration", "c": "train", "d": "test", "f": "test"})
    with pytest.raises(
        DatasetError, match=r"the run before has learned from\. Train both with the same split"
    ) as refusal:
        require_unseen(now, folder)
    assert refusal.value.faults == ["a", "b"]
    require_unseen(before, folder)
    require_unseen(make_manifest(tmp_path, {"a": "test"}, task="chest"), folder)


def test_what_the_run_before_the_earlier_one_has_learned_from_counts_too(tmp_path: Path) -> None:
    write_split(tmp_path / "first", make_manifest(tmp_path, {"a": "train", "b": "test"}))
    second = write_split(tmp_path / "second", make_manifest(tmp_path, {"b": "train", "c": "test"}))
    recipe = make_recipe(model=make_model(tmp_path / "first"))
    (second / "recipe.yaml").write_text(recipe.dump(), encoding="utf-8")
    require_unseen(make_manifest(tmp_path, {"a": "train", "c": "test"}), second)
    with pytest.raises(DatasetError, match="the run first has learned from") as refusal:
        require_unseen(make_manifest(tmp_path, {"a": "test", "c": "test"}), second)
    assert refusal.value.faults == ["a"]
    (tmp_path / "first").rename(tmp_path / "elsewhere")
    with pytest.raises(DatasetError, match="run folder first, which second started from"):
        require_unseen(make_manifest(tmp_path, {"c": "test"}), second)


def test_a_group_of_another_task_on_the_same_kind_of_picture_counts(tmp_path: Path) -> None:
    folder = write_split(tmp_path / "before", make_manifest(tmp_path, {"a": "train"}))
    with pytest.raises(DatasetError, match="has learned from"):
        require_unseen(make_manifest(tmp_path, {"a": "test"}, task="mole"), folder)


def test_a_run_that_does_not_say_what_it_has_learned_from_is_refused(tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    with pytest.raises(DatasetError, match=r"split\.csv in the run folder before"):
        require_unseen(make_manifest(tmp_path, {"a": "train"}), tmp_path / "before")


def test_the_origin_of_weights_is_told_and_kept(tmp_path: Path, earlier: tuple[Path, dict[str, Tensor]]) -> None:
    assert describe_origin(Model()) == "drawn at random"
    hub = describe_origin(Model(name="resnet50", weights="hub"))
    assert hub == "timm's hub, timm/resnet50.a1_in1k, licence apache-2.0"
    file = tmp_path / "given.safetensors"
    file.write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    assert describe_origin(Model(weights=str(file))) == f"the file given.safetensors (SHA-256 {digest})"
    with pytest.raises(
        RecipeError, match=r"gone\.safetensors cannot be read: No such file or directory\. Check the path"
    ) as refusal:
        describe_origin(Model(weights=str(tmp_path / "gone.safetensors")))
    assert str(tmp_path) not in str(refusal.value)
    recipe = make_recipe(model={"name": NETWORK, "weights": str(earlier[0])})
    assert describe_origin(recipe.model).endswith("which started from: drawn at random")
    (earlier[0] / ORIGIN_FILE).write_text("timm's hub\n")
    told = settle_origin(tmp_path, recipe)
    assert told.startswith("the run tiny (recipe ")
    assert told.endswith("which started from: timm's hub")
    (earlier[0] / ORIGIN_FILE).write_text("something else\n")
    assert settle_origin(tmp_path, recipe) == told, "written once"


def test_a_head_that_fits_in_part_is_left_as_it_is_in_whole(tmp_path: Path) -> None:
    head = {"hidden": [5], "batch_norm": True}
    weights = build_network(make_recipe(model=make_model("none", head=head)), classes=7).state_dict()
    save_checkpoint(tmp_path / "before" / "checkpoints", {"network": weights, "average": None}, step=1)
    recipe = make_recipe(model=make_model(tmp_path / "before", head=head))
    got = build_network(recipe, classes=2).state_dict()
    assert not torch.equal(got["head.0.weight"], weights["head.0.weight"])
    same = build_network(recipe, classes=7).state_dict()
    assert all(torch.equal(same[key], value) for key, value in weights.items())

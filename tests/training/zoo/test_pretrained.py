import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from secondlook.errors import RecipeError
from secondlook.training.sections import Model
from secondlook.training.zoo import build_network, pretrained
from secondlook.training.zoo.pretrained import build_timm
from tests.training.tiny import NETWORK, make_recipe

Save = Callable[[dict[str, Tensor]], str]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Return a function that writes weights as a safetensors file and returns its path."""

    def write(weights: dict[str, Tensor]) -> str:
        save_file({key: value.contiguous() for key, value in weights.items()}, tmp_path / "given.safetensors")
        return str(tmp_path / "given.safetensors")

    return write


@pytest.fixture
def given() -> dict[str, Tensor]:
    """Return the weights of a whole timm network, its own head of 1,000 classes included."""
    torch.manual_seed(7)
    return timm.create_model(NETWORK).state_dict()


def build(weights: str, **options: Any) -> nn.Module:
    return build_timm(Model(name=NETWORK, weights=weights, **options), (64, 64))


def test_from_nowhere_weights_come_from_the_seed() -> None:
    torch.manual_seed(1)
    first = build("none").state_dict()
    torch.manual_seed(1)
    second = build("none").state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_feature_maps_are_left_unpooled_and_ready_to_learn() -> None:
    network = build_timm(Model(name="mobilenetv2_035"), (64, 64))
    assert network.training
    assert network(torch.zeros(2, 3, 64, 64)).shape == (2, 1280, 2, 2)


def test_weights_of_the_same_network_with_another_head_are_taken_from_a_file(
    save: Save, given: dict[str, Tensor]
) -> None:
    heads = [key for key in given if key.startswith("head.")]
    assert heads
    got = build(save(given)).state_dict()
    assert all(torch.equal(got[key], given[key]) for key in got)
    assert not set(heads) & set(got)
    given["head.fc.weight"] = torch.zeros(5, 3)
    build(save(given))


def test_weights_of_an_own_checkpoint_are_taken_without_its_prefix(save: Save, given: dict[str, Tensor]) -> None:
    own = {f"backbone.{key}": value for key, value in given.items() if not key.startswith("head.")}
    own |= {"head.weight": torch.zeros(7, 3), "head.bias": torch.zeros(7)}
    got = build(save(own)).state_dict()
    assert all(torch.equal(got[key], given[key]) for key in got)


def test_a_half_precision_file_is_widened(save: Save, given: dict[str, Tensor]) -> None:
    halved = {key: value.half() if value.is_floating_point() else value for key, value in given.items()}
    got = build(save(halved)).state_dict()
    assert all(value.dtype != torch.float16 for value in got.values())
    assert torch.equal(got["stem.conv.weight"], halved["stem.conv.weight"].float())


@pytest.mark.parametrize("fault", ["missing", "shape", "larger"])
def test_weights_of_another_network_are_refused(save: Save, given: dict[str, Tensor], fault: str) -> None:
    if fault == "missing":
        del given["stem.conv.weight"]
    elif fault == "shape":
        given["stem.conv.weight"] = given["stem.conv.weight"][:-1]
    else:
        given["stages.9.0.conv.weight"] = torch.zeros(3)
    with pytest.raises(RecipeError, match=r"this very network in given\.safetensors; 1 tensors are missing") as refusal:
        build(save(given))
    assert ("stages.9" if fault == "larger" else "stem.conv.weight") in str(refusal.value)


def test_a_damaged_or_missing_file_gives_a_sentence(save: Save, given: dict[str, Tensor], tmp_path: Path) -> None:
    path = Path(save(given))
    path.write_bytes(path.read_bytes()[:-1000])
    for content in (path.read_bytes(), b"PK\3\4 no weights at all", b""):
        path.write_bytes(content)
        with pytest.raises(RecipeError, match=r"the folder of an earlier run; given\.safetensors cannot be read"):
            build(str(path))
    path.unlink()
    with pytest.raises(RecipeError, match="No such file or directory") as refusal:
        build(str(path))
    assert str(tmp_path) not in str(refusal.value)


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(1)}, tmp_path / "given.pth")
    with pytest.raises(RecipeError, match="cannot be read"):
        build(str(tmp_path / "given.pth"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": "regnetx_0002"}, r"got 'regnetx_0002'; the nearest is 'regnetx_002'"),
        ({"name": f"{NETWORK}.r160"}, rf"the nearest is '{NETWORK}\.r160_in1k'"),
        ({"name": "vgg11", "drop_path": 0.1}, "model.drop_path is not 0; vgg11 is none"),
    ],
)
def test_networks_that_are_unknown_or_unfit_give_a_sentence(options: dict[str, Any], said: str) -> None:
    recipe = make_recipe(model=options, stages=[{"epochs": 1, "size_px": 64}], export={"input_size_px": 64})
    with pytest.raises(RecipeError, match=said):
        build_network(recipe, classes=2)


class Offline:
    """A hub that cannot be reached, as the client library tells it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def head(self, address: str, *, timeout: float) -> None:
        self.asked.append(address)
        raise ConnectionError("Name or service not known")


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the hub's client look for files in an empty folder."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.file_download.HF_HUB_CACHE", str(tmp_path / "hub"), raising=False)
    return tmp_path / "hub"


def test_hub_weights_offline_give_a_sentence_after_one_question(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hub = Offline()
    monkeypatch.setattr(pretrained, "get_session", lambda: hub)
    with caplog.at_level(logging.WARNING), pytest.raises(RecipeError) as refusal:
        build("hub")
    message = str(refusal.value)
    assert f"the hub weights of {NETWORK}; the hub does not give them (ConnectionError)" in message
    assert "--set model.weights=none" in message
    assert "safetensors file as model.weights" in message
    assert len(hub.asked) == 1
    assert not caplog.records


def test_offline_mode_asks_nobody(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.utils._http._GLOBAL_CLIENT", None)
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    with pytest.raises(RecipeError, match="Offline"):
        build("hub")
    assert waited == [], "nothing is asked for again after a while"
    huggingface_hub.close_session()


def test_a_download_that_breaks_off_gives_a_sentence(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Online:
        def head(self, address: str, *, timeout: float) -> None:
            pass

    def break_off(*args: Any, **options: Any) -> None:
        raise OSError("connection reset")

    monkeypatch.setattr(pretrained, "get_session", Online)
    monkeypatch.setattr(timm, "create_model", break_off)
    with pytest.raises(RecipeError, match=r"does not give them \(OSError\)"):
        build("hub")


def test_a_fault_without_a_download_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise OSError("a bug")

    monkeypatch.setattr(timm, "create_model", fail)
    with pytest.raises(OSError, match="a bug"):
        build("none")


def test_hub_weights_in_the_cache_are_taken_without_a_question(
    save: Save, given: dict[str, Tensor], empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = timm.get_pretrained_cfg(NETWORK)
    folder = empty_cache / f"models--{facts.hf_hub_id.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("0" * 40)
    (folder / "snapshots" / ("0" * 40)).mkdir(parents=True)
    Path(save(given)).rename(folder / "snapshots" / ("0" * 40) / "model.safetensors")
    hub = Offline()
    monkeypatch.setattr(pretrained, "get_session", lambda: hub)
    got = build("hub").state_dict()
    assert all(torch.equal(got[key], given[key]) for key in got)
    assert not hub.asked


def test_a_network_that_has_no_hub_weights_gives_a_sentence() -> None:
    name = next(name for name in timm.list_models("resnet*") if not has_weights(name))
    with pytest.raises(RecipeError, match=f"{name} has none"):
        build_timm(Model(name=name, weights="hub"), (64, 64))


def has_weights(name: str) -> bool:
    facts = timm.get_pretrained_cfg(name)
    return facts is not None and bool(facts.hf_hub_id)

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, numpy_helper
from torch import Tensor, nn

import secondlook
from secondlook.conditions import SKIN
from secondlook.errors import BundleError
from secondlook.inference.session import Session
from secondlook.training import export
from secondlook.training.export import (
    Served,
    compare_graph,
    draw_probe,
    render_graph,
    trace_graph,
    write_draft,
)
from secondlook.training.recipe import Recipe
from secondlook.training.zoo import build_network
from secondlook.training.zoo.classifier import Classifier
from tests.training.tiny import NETWORK, make_recipe

SIDE = 32
PRIOR = np.log(np.array([5, 10, 15, 2, 18, 47, 3], np.float32) / 100)


def build_small(classes: int = 7) -> Classifier:
    """Return a network that looks different in a mirror, its norms with statistics of their own."""
    torch.manual_seed(3)
    backbone = nn.Sequential(
        nn.Conv2d(3, 12, 5, stride=4, padding=2),
        nn.BatchNorm2d(12),
        nn.ReLU(),
        nn.Conv2d(12, 16, 3, padding=1),
        nn.SiLU(),
    )
    network = Classifier(backbone, width=16, classes=classes).train()
    for _ in range(3):
        network(torch.rand(8, 3, SIDE, SIDE))
    with torch.no_grad():
        network.head.weight.mul_(4)
    return network.eval()


def make(**options: Any) -> Recipe:
    """Return a recipe with these options of export, or top-level sections given as `sections`."""
    sections = options.pop("sections", {})
    return make_recipe(export={"input_size_px": SIDE, "licence": "CC0-1.0"} | options, **sections)


def draft(folder: Path, network: nn.Module, recipe: Recipe) -> bytes:
    graph = render_graph(network, recipe, log_prior=PRIOR)
    write_draft(graph, recipe, folder, data_fingerprint="0" * 64, weights="drawn at random", map_kind=network.map_kind)
    return (folder / "model.onnx").read_bytes()


def draw_images(count: int) -> np.ndarray:
    images = np.random.default_rng(1).integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)
    images[0] = draw_probe((SIDE, SIDE))
    return images


def run_batch(model: bytes, images: np.ndarray) -> list[np.ndarray]:
    """Run all pictures through the graph at once, unlike serving, which runs them one by one."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(None, {"image": images})


def look_from(network: Classifier, images: np.ndarray, views: int) -> list[np.ndarray]:
    """Average a network's answers over the first symmetries of the square, written apart from the export."""
    symmetries = [
        (lambda a: a, lambda a: a),
        (lambda a: a[:, :, ::-1], lambda a: a[..., ::-1]),
        (lambda a: a[:, ::-1], lambda a: a[..., ::-1, :]),
        (lambda a: a[:, ::-1, ::-1], lambda a: a[..., ::-1, ::-1]),
    ]
    symmetries += [(lambda a, f=f: f(a).swapaxes(1, 2), lambda a, b=b: b(a.swapaxes(2, 3))) for f, b in symmetries]
    total = None
    for forth, back in symmetries[:views]:
        pixels = torch.from_numpy(forth(images).transpose(0, 3, 1, 2).astype(np.float32) / 255)
        with torch.no_grad():
            logits, embedding, *maps = (part.numpy() for part in network.explain(pixels))
        parts = [logits, embedding, *map(back, maps)]
        total = parts if total is None else [whole + part for whole, part in zip(total, parts, strict=True)]
    return [whole / views for whole in total]


@pytest.mark.parametrize(("views", "weights"), [(1, "fp32"), (2, "fp16"), (4, "int8"), (8, "fp16")])
def test_the_graph_gives_what_torch_gives_for_any_number_of_pictures(tmp_path: Path, views: int, weights: str) -> None:
    network = build_small()
    model = draft(tmp_path, network, make(views=views, weights=weights))
    images = draw_images(5)
    # fp16 and int8 round the network's own weights, so it is compared as it is after the export.
    expected = look_from(network, images, views)
    for count in (1, 2, 5):
        for got, wanted in zip(run_batch(model, images[:count]), expected, strict=True):
            np.testing.assert_allclose(got, wanted[:count], atol=2e-5)
    served = Session(model).run(images)
    np.testing.assert_allclose(served.logits, expected[0], atol=2e-5)
    np.testing.assert_allclose(
        served.map.mean(axis=(2, 3)) + network.head.bias.detach().numpy(), served.logits, atol=2e-5
    )
    assert np.ptp(expected[0], axis=0).min() > 0.01, "the pictures must differ for this to mean anything"


def test_fp16_halves_the_file_and_changes_answers_little(tmp_path: Path) -> None:
    whole, network = build_small(), build_small()
    large = draft(tmp_path / "fp32", whole, make())
    small = draft(tmp_path / "fp16", network, make(weights="fp16"))
    halves = [
        tensor for tensor in onnx.load_from_string(small).graph.initializer if tensor.data_type == TensorProto.FLOAT16
    ]
    saved = sum(2 * numpy_helper.to_array(tensor).size for tensor in halves)
    assert saved > 0.4 * len(large) / 2
    assert len(large) - len(small) > 0.8 * saved
    images = draw_images(4)
    first, second = run_batch(large, images)[0], run_batch(small, images)[0]
    assert 0 < np.abs(first - second).max() < 0.02


class Watching(nn.Module):
    """A backbone that sees nothing but how dark a cell is."""

    def forward(self, pixels: Tensor) -> Tensor:
        return -nn.functional.avg_pool2d(pixels.mean(dim=1, keepdim=True), 4)


@pytest.mark.parametrize("views", [1, 2, 4, 8])
def test_the_maps_peak_stays_at_its_place_in_all_views(tmp_path: Path, views: int) -> None:
    network = Classifier(Watching(), width=1, classes=7)
    with torch.no_grad():
        network.head.weight.fill_(1.0)
    model = draft(tmp_path, network, make(views=views))
    image = np.full((1, SIDE, SIDE, 3), 230, np.uint8)
    image[0, 4:8, 20:24] = 10  # second row of cells, sixth column
    _, _, activation = run_batch(model, image)
    for label in activation[0]:
        assert np.unravel_index(label.argmax(), label.shape) == (1, 5)
        assert np.ptp(np.delete(label, 1 * label.shape[1] + 5)) < 1e-5, "no other view left a trace elsewhere"


def test_views_make_the_answer_the_same_in_a_mirror(tmp_path: Path) -> None:
    network = build_small()
    image = draw_images(2)[1:]
    mirrored = np.ascontiguousarray(image[:, :, ::-1])
    one = draft(tmp_path / "one", network, make(views=1))
    two = draft(tmp_path / "two", network, make(views=2))
    assert np.abs(run_batch(one, image)[0] - run_batch(one, mirrored)[0]).max() > 1e-3
    np.testing.assert_allclose(run_batch(two, image)[0], run_batch(two, mirrored)[0], atol=1e-5)


def test_views_of_several_magnifications_are_averaged_and_their_map_adds_up(tmp_path: Path) -> None:
    network = build_small()
    model = draft(tmp_path, network, make(views=2, scales=[0.5, 2.0]))
    images = draw_images(3)
    logits, _, activation = run_batch(model, images)
    pixels = torch.from_numpy(images.transpose(0, 3, 1, 2).astype(np.float32) / 255)
    # Whole blocks' means, and the central quarter enlarged and mirrored, written apart from the export.
    centre = pixels[:, :, SIDE // 4 : -SIDE // 4, SIDE // 4 : -SIDE // 4]
    small = nn.functional.interpolate(pixels, scale_factor=0.5, mode="bilinear", antialias=True)
    large = nn.functional.interpolate(centre, scale_factor=2, mode="bilinear").flip(3)
    with torch.no_grad():
        whole, part = network.explain(small), network.explain(large)
    np.testing.assert_allclose(logits, (whole[0] + part[0]).numpy() / 2, atol=2e-5)
    cells = 2 * part[2].shape[-1]
    assert activation.shape[2:] == (cells, cells)
    bias = network.head.bias.detach().numpy()
    np.testing.assert_allclose(activation.mean(axis=(2, 3)) + bias, logits, atol=2e-5)
    assert json.loads((tmp_path / "bundle.json").read_text())["graph"]["scales"] == [0.5, 2.0]


@pytest.mark.parametrize("cell", [(1, 5), (3, 3), (6, 2)])
def test_a_map_of_several_magnifications_peaks_where_the_picture_does(tmp_path: Path, cell: tuple[int, int]) -> None:
    network = Classifier(Watching(), width=1, classes=7)
    with torch.no_grad():
        network.head.weight.fill_(1.0)
    model = draft(tmp_path, network, make(views=2, scales=[0.75, 1.25]))
    image = np.full((1, SIDE, SIDE, 3), 230, np.uint8)
    image[0, 4 * cell[0] : 4 * cell[0] + 4, 4 * cell[1] : 4 * cell[1] + 4] = 10
    (activation,) = run_batch(model, image)[2]
    row, column = np.unravel_index(activation[0].argmax(), activation[0].shape)
    side = activation.shape[-1]
    assert abs((row + 0.5) / side - (4 * cell[0] + 2) / SIDE) < 0.1
    assert abs((column + 0.5) / side - (4 * cell[1] + 2) / SIDE) < 0.1


def test_a_network_that_learnt_class_shares_is_exported_without_them(tmp_path: Path) -> None:
    images = draw_images(3)
    plain = run_batch(draft(tmp_path / "even", build_small(), make(sections={"loss": {"balance": "weights"}})), images)
    none = run_batch(draft(tmp_path / "none", build_small(), make(sections={"loss": {"balance": "none"}})), images)
    np.testing.assert_allclose(none[0], plain[0] - PRIOR, atol=1e-5)
    np.testing.assert_allclose(none[2], plain[2], atol=1e-6)


def test_the_draft_says_what_it_is_and_holds_a_pair_to_check_it_by(tmp_path: Path) -> None:
    recipe = make(views=2)
    model = draft(tmp_path, build_small(), recipe)
    facts = json.loads((tmp_path / "bundle.json").read_text())
    assert facts["name"] == "tiny"
    assert facts["labels"] == list(SKIN.keys)
    assert facts["graph"]["views"] == 2
    assert facts["licence"] == "CC0-1.0"
    assert facts["training"]["recipe_sha256"] == recipe.fingerprint()
    assert facts["training"]["secondlook_version"] == secondlook.__version__
    with np.load(tmp_path / "reference.npz", allow_pickle=False) as arrays:
        probe, logits = arrays["probe_image"], arrays["probe_logits"]
    assert probe.shape == (SIDE, SIDE, 3)
    np.testing.assert_array_equal(Session(model).run(probe[None]).logits[0], logits)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["bundle.json", "model.onnx", "reference.npz"]


def test_real_networks_export_without_a_trace_of_the_machine(tmp_path: Path) -> None:
    for family, name in (("timm", NETWORK), ("mobilenetv2_blocks", "mobilenetv2_035")):
        torch.manual_seed(0)
        sections = {"model": {"family": family, "name": name, "drop_path": 0.1, "dropout": 0.1}}
        recipe = make(weights="fp16", sections=sections)
        network = build_network(recipe, classes=7)
        model = draft(tmp_path / name, network, recipe)
        for trace in (b"site-packages", b".py", b"torch/", str(Path.home()).encode(), str(Path.cwd()).encode()):
            if len(trace) > 3 or trace == b".py":
                assert trace not in model, trace
        assert os.environ.get("USER", "no user") not in model.decode("latin-1")
        assert not onnx.load_from_string(model).metadata_props
        images = draw_images(2)
        for got, wanted in zip(run_batch(model, images), look_from(network, images, 1), strict=True):
            np.testing.assert_allclose(got, wanted, atol=1e-3 * max(1, float(wanted.std())))


def spoil(model: onnx.ModelProto, fault: str) -> bytes:
    """Return the graph with one fault."""
    if fault == "weights":
        tensor = next(item for item in model.graph.initializer if item.name.endswith("head.weight"))
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * np.float32(1.01), tensor.name))
    elif fault == "nan":
        tensor = next(item for item in model.graph.initializer if item.name.endswith("head.bias"))
        tensor.CopyFrom(numpy_helper.from_array(np.full(7, np.nan, np.float32), tensor.name))
    return model.SerializeToString()


@pytest.mark.parametrize(("fault", "said"), [("weights", "logits|map"), ("nan", "logits differs from torch's by nan")])
def test_a_broken_graph_fails_the_comparison(tmp_path: Path, fault: str, said: str) -> None:
    served = Served(build_small(), views=[0], shift=np.zeros(7, np.float32)).eval()
    model = trace_graph(served, outputs=served.outputs, size_px=(SIDE, SIDE))
    compare_graph(served, model.SerializeToString(), size_px=(SIDE, SIDE))
    with pytest.raises(BundleError, match=said):
        compare_graph(served, spoil(model, fault), size_px=(SIDE, SIDE))


def test_an_export_that_does_not_hold_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trace = trace_graph
    monkeypatch.setattr(
        export, "trace_graph", lambda *args, **options: onnx.load_from_string(spoil(trace(*args, **options), "weights"))
    )
    with pytest.raises(BundleError, match="differs from torch's"):
        draft(tmp_path / "draft", build_small(), make())
    assert not (tmp_path / "draft").exists()


def test_a_graph_of_another_shape_fails_the_comparison() -> None:
    served = Served(build_small(classes=6), views=[0], shift=np.zeros(6, np.float32)).eval()
    model = trace_graph(served, outputs=served.outputs, size_px=(SIDE, SIDE)).SerializeToString()
    other = Served(build_small(), views=[0], shift=np.zeros(7, np.float32)).eval()
    with pytest.raises(BundleError, match="logits has the shape"):
        compare_graph(other, model, size_px=(SIDE, SIDE))


def test_only_classifiers_are_exported(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="Expected a Classifier, got Linear"):
        draft(tmp_path, nn.Linear(2, 2), make())

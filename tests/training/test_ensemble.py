"""Graphs merged into one, against the same graphs run one by one."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from secondlook.errors import BundleError
from secondlook.inference.session import Session
from secondlook.training import ensemble
from secondlook.training.ensemble import compare_members, merge_graphs
from tests.bundles import SIZE_PX, draw_split, make_model


def turn_weights(seed: int) -> bytes:
    """Return the tiny graph with other weights."""
    model = onnx.ModelProto.FromString(make_model().SerializeToString())
    random = np.random.default_rng(seed)
    for tensor in model.graph.initializer:
        if tensor.name in {"weights", "colours"}:
            values = numpy_helper.to_array(tensor)
            changed = values + random.normal(0, values.std(), values.shape).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(changed, tensor.name))
    return model.SerializeToString()


@pytest.fixture(scope="module")
def graphs() -> list[bytes]:
    return [turn_weights(seed) for seed in range(3)]


def test_logits_and_maps_are_averaged_and_embeddings_stand_side_by_side(graphs: list[bytes]) -> None:
    images = draw_split("test")[0][:4]
    got = Session(merge_graphs(graphs)).run(images)
    apart = [Session(graph).run(images) for graph in graphs]
    assert np.abs(apart[0].logits - apart[1].logits).max() > 0.1
    np.testing.assert_allclose(got.logits, np.mean([one.logits for one in apart], axis=0), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(got.map, np.mean([one.map for one in apart], axis=0), rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(got.embedding, np.concatenate([one.embedding for one in apart], axis=1))


def test_graphs_without_maps_are_averaged_too(graphs: list[bytes]) -> None:
    mapless = []
    for graph in graphs:
        model = onnx.load_from_string(graph)
        assert model.graph.output.pop().name == "map"
        mapless.append(model.SerializeToString())
    merged = merge_graphs(mapless)
    images, _ = draw_split("test")
    compare_members(merged, mapless, images[0])
    assert Session(merged).run(images[:1]).map is None
    np.testing.assert_allclose(
        Session(merged).run(images[:4]).logits, Session(merge_graphs(graphs)).run(images[:4]).logits, atol=1e-5
    )


def test_long_embeddings_are_shortened_and_keep_their_distances(
    graphs: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    images = draw_split("test")[0][:30]
    whole = Session(merge_graphs(graphs)).run(images).embedding
    monkeypatch.setattr(ensemble, "MOST_FEATURES", 72)
    short = Session(merge_graphs(graphs)).run(images).embedding
    assert (whole.shape[1], short.shape[1]) == (96, 72)
    distances = [np.linalg.norm(part[:, None] - part[None], axis=-1) for part in (whole, short)]
    above = np.triu_indices(len(images), 1)
    assert np.corrcoef(distances[0][above], distances[1][above])[0, 1] > 0.9


def test_graphs_of_another_onnx_version_are_refused(graphs: list[bytes]) -> None:
    other = onnx.ModelProto.FromString(graphs[1])
    other.opset_import[0].version = 16
    with pytest.raises(BundleError, match="one ONNX version"):
        merge_graphs([graphs[0], other.SerializeToString()])


def test_a_merged_graph_that_is_not_the_average_is_refused(graphs: list[bytes]) -> None:
    probe = np.zeros((SIZE_PX, SIZE_PX, 3), dtype=np.uint8)
    compare_members(merge_graphs(graphs), graphs, probe)
    with pytest.raises(BundleError, match="logits differs from the members' average"):
        compare_members(merge_graphs(graphs[:2]), graphs, probe)

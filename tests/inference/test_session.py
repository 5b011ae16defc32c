from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from secondlook.errors import BundleError
from secondlook.inference import session as module
from secondlook.inference.session import OUTPUTS, Session, share_session
from tests.bundles import SIZE_PX, draw_split, make_model


@pytest.fixture(scope="module")
def session() -> Session:
    return Session(make_model().SerializeToString())


def test_a_batch_gives_exactly_what_singles_give(session: Session) -> None:
    images, _ = draw_split("test")
    batch = session.run(images[:16])
    singles = [session.run(images[number : number + 1]) for number in range(16)]
    for name in OUTPUTS:
        expected = np.concatenate([getattr(single, name) for single in singles])
        assert getattr(batch, name).tobytes() == expected.tobytes()


def test_outputs_are_those_of_plain_onnx_runtime(session: Session) -> None:
    images, _ = draw_split("test")
    plain = onnxruntime.InferenceSession(make_model().SerializeToString())
    expected = plain.run(list(OUTPUTS), {"image": images[:8]})
    for name, values in zip(OUTPUTS, expected, strict=True):
        np.testing.assert_allclose(getattr(session.run(images[:8]), name), values, atol=1e-5)


def test_logits_are_the_mean_of_the_map(session: Session) -> None:
    images, _ = draw_split("test")
    outputs = session.run(images[:4])
    np.testing.assert_allclose(outputs.map.mean(axis=(2, 3)), outputs.logits, atol=1e-4)


def test_one_session_serves_a_process_even_when_threads_race(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    class Counted(Session):
        def __init__(self, model: bytes) -> None:
            made.append(model)
            super().__init__(model)

    monkeypatch.setattr(module, "Session", Counted)
    model = onnx.ModelProto.FromString(make_model().SerializeToString())
    model.doc_string = "a graph of its own"
    data = model.SerializeToString()
    with ThreadPoolExecutor(8) as pool:
        sessions = list(pool.map(lambda _: share_session(data), range(32)))
    assert len(made) == 1
    assert len(set(map(id, sessions))) == 1


def test_threads_do_not_spin(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {}
    plain = onnxruntime.InferenceSession

    def spy(data, options, **kwargs):
        seen.update(
            spinning=options.get_session_config_entry("session.intra_op.allow_spinning"),
            threads=options.intra_op_num_threads,
            mode=options.execution_mode,
        )
        return plain(data, options, **kwargs)

    monkeypatch.setattr(onnxruntime, "InferenceSession", spy)
    Session(make_model().SerializeToString())
    assert seen == {"spinning": "0", "threads": 1, "mode": onnxruntime.ExecutionMode.ORT_SEQUENTIAL}


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((0, SIZE_PX, SIZE_PX, 3), np.uint8),
        np.zeros((1, SIZE_PX, SIZE_PX, 3), np.float32),
        np.zeros((1, SIZE_PX + 1, SIZE_PX, 3), np.uint8),
        np.zeros((SIZE_PX, SIZE_PX, 3), np.uint8),
    ],
)
def test_a_wrong_array_is_named(session: Session, images: np.ndarray) -> None:
    with pytest.raises(ValueError, match="Expected uint8"):
        session.run(images)


def rename_output(model: onnx.ModelProto) -> None:
    model.graph.output[0].name = "other"
    model.graph.node[-1].output[0] = "other"


def fix_batch(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1


def add_input(model: onnx.ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [1]))


@pytest.mark.parametrize("change", [rename_output, fix_batch, add_input])
def test_a_graph_with_another_signature_is_refused(change) -> None:
    model = onnx.ModelProto.FromString(make_model().SerializeToString())
    change(model)
    with pytest.raises(BundleError, match="Export it again"):
        Session(model.SerializeToString())


def test_a_graph_that_onnx_runtime_cannot_load_is_refused(tmp_path: Path) -> None:
    model = onnx.ModelProto.FromString(make_model().SerializeToString())
    model.graph.node[0].op_type = "NoSuchOperator"
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(BundleError, match="cannot load it"):
        Session(tmp_path / "model.onnx")


def test_a_graph_without_a_map_gives_the_rest() -> None:
    model = onnx.ModelProto.FromString(make_model().SerializeToString())
    whole = Session(model.SerializeToString())
    assert model.graph.output.pop().name == "map"
    session = Session(model.SerializeToString())
    images, _ = draw_split("test")
    outputs, expected = session.run(images[:3]), whole.run(images[:3])
    assert (session.has_map, whole.has_map) == (False, True)
    assert outputs.map is None
    np.testing.assert_array_equal(outputs.logits, expected.logits)
    np.testing.assert_array_equal(outputs.embedding, expected.embedding)


def test_a_map_alone_cannot_stand_in_for_the_embedding() -> None:
    model = onnx.ModelProto.FromString(make_model().SerializeToString())
    del model.graph.output[1]
    with pytest.raises(BundleError, match="Export it again"):
        Session(model.SerializeToString())

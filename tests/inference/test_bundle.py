import hashlib
import io
import json
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from secondlook.errors import BundleError
from secondlook.inference import bundle as module
from secondlook.inference import reference
from secondlook.inference.bundle import (
    SEALED_FILES,
    find_bundle,
    list_bundles,
    open_bundle,
    open_draft,
    read_facts,
    seal_bundle,
)
from tests.bundles import build_bundle, read_json, write_json


def test_a_sealed_bundle_opens(tiny_bundle: Path) -> None:
    bundle = open_bundle(tiny_bundle)
    assert bundle.facts.name == "tiny"
    assert bundle.evidence is not None
    assert bundle.evidence.manifest["split"] == "test"
    assert bundle.card.startswith("# tiny")
    assert bundle.sha256 == hashlib.sha256((tiny_bundle / "SHA256SUMS").read_bytes()).hexdigest()


def test_building_twice_gives_the_same_hash(tiny_bundle: Path, tmp_path: Path) -> None:
    again = build_bundle(tmp_path / "again")
    assert (again / "model.onnx").read_bytes() == (tiny_bundle / "model.onnx").read_bytes()
    assert open_bundle(again).facts == open_bundle(tiny_bundle).facts


def test_sha256sum_reads_the_sums(tiny_bundle: Path) -> None:
    lines = (tiny_bundle / "SHA256SUMS").read_text().splitlines()
    assert sorted(line.split("  ")[1] for line in lines) == sorted(SEALED_FILES)


@pytest.mark.parametrize("name", [*SEALED_FILES, "SHA256SUMS"])
def test_one_flipped_bit_is_refused(bundle_copy: Path, name: str) -> None:
    data = bytearray((bundle_copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (bundle_copy / name).write_bytes(bytes(data))
    with pytest.raises(BundleError, match=r"Fetch the bundle again"):
        open_bundle(bundle_copy)


@pytest.mark.parametrize("name", [*SEALED_FILES, "SHA256SUMS"])
def test_a_missing_file_is_named(bundle_copy: Path, name: str) -> None:
    (bundle_copy / name).unlink()
    with pytest.raises(BundleError, match=f"lacks {name}"):
        open_bundle(bundle_copy)


@pytest.mark.parametrize("name", ["notes.txt", "weights.bin", ".hidden", "model.onnx.data"])
def test_a_file_too_many_is_refused(bundle_copy: Path, name: str) -> None:
    (bundle_copy / name).write_text("anything")
    with pytest.raises(BundleError, match=f"no bundle has: {name}"):
        open_bundle(bundle_copy)


@pytest.mark.parametrize("name", ["weights.pkl", "weights.pt", "scaler.joblib"])
def test_a_pickle_in_the_folder_is_refused_and_said_to_be_one(bundle_copy: Path, name: str) -> None:
    (bundle_copy / name).write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(BundleError, match="Pickles are never read"):
        open_bundle(bundle_copy)


def test_a_link_is_refused_wherever_it_leads(bundle_copy: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    shutil.move(bundle_copy / "evidence.json", outside)
    (bundle_copy / "evidence.json").symlink_to(outside)
    with pytest.raises(BundleError, match=r"evidence\.json is a link"):
        open_bundle(bundle_copy)


def test_a_folder_in_place_of_a_file_is_refused(bundle_copy: Path) -> None:
    (bundle_copy / "README.md").unlink()
    (bundle_copy / "README.md").mkdir()
    with pytest.raises(BundleError, match=r"README\.md is a link or a folder"):
        open_bundle(bundle_copy)


class Trap:
    """Sets a mark when it is unpickled."""

    sprung = False

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (setattr, (Trap, "sprung", True))


def change_reference(folder: Path, **changes: object) -> None:
    with np.load(folder / "reference.npz") as stored:
        arrays = {**dict(stored), **changes}
    np.savez(folder / "reference.npz", **{name: array for name, array in arrays.items() if array is not None})
    seal_bundle(folder)


def test_a_pickled_array_is_refused_and_never_unpickled(bundle_copy: Path) -> None:
    change_reference(bundle_copy, label=np.array([Trap()], dtype=object))
    with pytest.raises(BundleError, match="pickled objects"):
        open_bundle(bundle_copy)
    assert not Trap.sprung


@pytest.mark.parametrize("wrap", [False, True])
def test_a_bare_pickle_named_as_reference_is_never_unpickled(bundle_copy: Path, wrap: bool) -> None:
    data = pickle.dumps(Trap())
    if wrap:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            for name in ("probe_image", "probe_logits", "embedding", "label"):
                archive.writestr(f"{name}.npy", data)
        data = stream.getvalue()
    (bundle_copy / "reference.npz").write_bytes(data)
    seal_bundle(bundle_copy)
    with pytest.raises(BundleError, match=r"reference\.npz"):
        open_bundle(bundle_copy)
    assert not Trap.sprung


@pytest.mark.parametrize(
    "changes",
    [
        {"label": None},
        {"more": np.zeros(3)},
        {"probe_image": np.zeros((8, 8, 3), np.uint8)},
        {"probe_logits": np.zeros(6, np.float32)},
        {"probe_logits": np.full(7, np.nan, np.float32)},
        {"label": np.full(70, 7)},
        {"label": np.zeros(3, np.int64)},
        {"label": np.zeros((), np.int64)},
        {"embedding": np.zeros((70, 5), np.float16)},
        {"embedding": np.zeros((0, 32), np.float16), "label": np.zeros(0, np.int64)},
    ],
)
def test_reference_arrays_that_do_not_fit_are_refused(bundle_copy: Path, changes: dict[str, object]) -> None:
    change_reference(bundle_copy, **changes)
    with pytest.raises(BundleError, match=r"again|Calibrate"):
        open_bundle(bundle_copy)


def test_a_bomb_of_zeros_is_refused_before_it_is_unpacked(bundle_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "MAX_ARRAY_BYTES", 10_000)
    with pytest.raises(BundleError, match="at most 1 GiB of arrays"):
        open_bundle(bundle_copy)


def test_an_enormous_file_is_refused_before_it_is_read(bundle_copy: Path) -> None:
    with (bundle_copy / "README.md").open("r+b") as stream:
        stream.truncate(2**31)
    with pytest.raises(BundleError, match="at most 1 GiB"):
        open_bundle(bundle_copy)


def test_another_result_than_the_stored_one_is_refused(bundle_copy: Path) -> None:
    with np.load(bundle_copy / "reference.npz") as stored:
        shifted = stored["probe_logits"] + np.float32(0.05)
    change_reference(bundle_copy, probe_logits=shifted)
    with pytest.raises(BundleError, match="another result on this machine"):
        open_bundle(bundle_copy)


def change_graph(folder: Path, model: onnx.ModelProto) -> None:
    """Put another graph into a bundle and make every sum fit, as somebody who means harm would."""
    data = model.SerializeToString()
    (folder / "model.onnx").write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    facts, evidence = read_json(folder / "bundle.json"), read_json(folder / "evidence.json")
    facts["graph"]["sha256"] = evidence["bundle"]["graph_sha256"] = digest
    write_json(folder / "bundle.json", facts)
    write_json(folder / "evidence.json", evidence)
    seal_bundle(folder)


def test_external_data_is_refused_even_when_every_sum_fits(bundle_copy: Path) -> None:
    model = onnx.load(bundle_copy / "model.onnx")
    tensor = next(tensor for tensor in model.graph.initializer if tensor.name == "weights")
    (bundle_copy.parent / "weights.bin").write_bytes(tensor.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../weights.bin")
    change_graph(bundle_copy, model)
    with pytest.raises(BundleError, match="points to data outside it"):
        open_bundle(bundle_copy)


def test_another_graph_under_the_old_facts_is_refused(bundle_copy: Path) -> None:
    model = onnx.load(bundle_copy / "model.onnx")
    model.doc_string = "changed"
    (bundle_copy / "model.onnx").write_bytes(model.SerializeToString())
    seal_bundle(bundle_copy)
    with pytest.raises(BundleError, match="not the graph that"):
        open_bundle(bundle_copy)


def change_json(folder: Path, file: str, **changes: object) -> None:
    content = read_json(folder / file)
    for key, value in changes.items():
        target, *rest = key.split("__")
        holder = content
        while rest:
            holder, target, *rest = holder[target], *rest
        holder[target] = value
    write_json(folder / file, content)
    seal_bundle(folder)


@pytest.mark.parametrize("version", [0, 2, "1.5", None])
@pytest.mark.parametrize("name", ["bundle.json", "evidence.json"])
def test_an_unknown_schema_asks_for_an_update(bundle_copy: Path, name: str, version: object) -> None:
    change_json(bundle_copy, name, schema_version=version)
    with pytest.raises(BundleError, match=f"Expected schema version 1 in {name}"):
        open_bundle(bundle_copy)


@pytest.mark.parametrize(
    ("name", "changes", "place"),
    [
        ("bundle.json", {"surprise": 1}, "surprise"),
        ("bundle.json", {"task": "teeth"}, "task"),
        ("bundle.json", {"labels": ["nv", "mel"]}, "labels"),
        ("bundle.json", {"input_size_px": 10**6}, "input_size_px"),
        ("bundle.json", {"graph__views": 0}, r"graph\.views"),
        ("bundle.json", {"name": "../../etc"}, "name"),
        ("calibration.json", {"temperature": 0}, "temperature"),
        ("calibration.json", {"operating_points": []}, "operating_points"),
        ("calibration.json", {"outlier__method": "guess"}, r"outlier\.method"),
        ("evidence.json", {"measures": None}, "measures"),
    ],
)
def test_what_does_not_follow_the_schema_is_named(
    bundle_copy: Path, name: str, changes: dict[str, object], place: str
) -> None:
    change_json(bundle_copy, name, **changes)
    with pytest.raises(BundleError, match=f"{name} does not follow the bundle's schema at .*{place}"):
        open_bundle(bundle_copy)


def test_thresholds_in_the_wrong_order_are_refused(bundle_copy: Path) -> None:
    points = read_json(bundle_copy / "calibration.json")["operating_points"]
    points[0]["threshold"], points[1]["threshold"] = 0.1, 0.4
    change_json(bundle_copy, "calibration.json", operating_points=points)
    with pytest.raises(BundleError, match="not above"):
        open_bundle(bundle_copy)


def test_numbers_that_are_not_finite_are_refused(bundle_copy: Path) -> None:
    path = bundle_copy / "calibration.json"
    path.write_text(path.read_text().replace('"temperature": 1.0', '"temperature": NaN'))
    seal_bundle(bundle_copy)
    with pytest.raises(BundleError, match="temperature"):
        open_bundle(bundle_copy)


def test_a_prior_of_another_length_is_refused(bundle_copy: Path) -> None:
    change_json(bundle_copy, "calibration.json", log_prior=[0.0, 0.0])
    with pytest.raises(BundleError, match="Expected 7 values of log_prior"):
        open_bundle(bundle_copy)


def test_evidence_of_another_calibration_is_refused(bundle_copy: Path) -> None:
    change_json(bundle_copy, "calibration.json", temperature=0.5)
    with pytest.raises(BundleError, match="another graph or calibration"):
        open_bundle(bundle_copy)


@pytest.mark.parametrize("text", ["", "not json", "[]", "\xff", '{"schema_version": 1'])
def test_broken_json_is_refused(bundle_copy: Path, text: str) -> None:
    (bundle_copy / "bundle.json").write_bytes(text.encode("latin-1"))
    seal_bundle(bundle_copy)
    with pytest.raises(BundleError, match=r"bundle\.json does not follow"):
        open_bundle(bundle_copy)


def test_sums_that_name_other_files_are_refused(bundle_copy: Path) -> None:
    sums = bundle_copy / "SHA256SUMS"
    sums.write_text(sums.read_text().replace("README.md", "../README.md"))
    with pytest.raises(BundleError, match="one sum for each file"):
        open_bundle(bundle_copy)


def test_a_draft_needs_neither_sums_nor_evidence(bundle_copy: Path) -> None:
    for name in ("SHA256SUMS", "evidence.json", "README.md"):
        (bundle_copy / name).unlink()
    draft = open_draft(bundle_copy)
    assert (draft.evidence, draft.sha256) == (None, "")
    with pytest.raises(BundleError, match="lacks"):
        open_bundle(bundle_copy)
    with pytest.raises(BundleError, match=r"lacks evidence\.json, README\.md"):
        seal_bundle(bundle_copy)


def test_sealing_twice_gives_the_same_hash_and_leaves_no_scrap(bundle_copy: Path) -> None:
    before = open_bundle(bundle_copy).sha256
    (bundle_copy / "SHA256SUMS.tmp").write_text("left by a sealing that was killed")
    assert seal_bundle(bundle_copy) == before
    assert len(list(bundle_copy.iterdir())) == 7


def test_facts_can_be_read_alone(tiny_bundle: Path) -> None:
    assert read_facts(tiny_bundle).input_size_px == 64


def test_bundles_are_found_by_name_and_by_folder(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_bundle(tiny_bundle) == tiny_bundle
    monkeypatch.setattr(module, "SHIPPED", tiny_bundle.parent)
    assert list_bundles() == ("tiny",)
    assert find_bundle("tiny") == tiny_bundle


def test_an_unknown_bundle_is_answered_with_those_that_are_there(tiny_bundle: Path, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(module, "SHIPPED", tiny_bundle.parent)
    with pytest.raises(BundleError, match=r"shipped bundle \(tiny\).*'tini' is neither"):
        find_bundle("tini")
    with pytest.raises(BundleError, match=r"a folder without bundle\.json") as caught:
        find_bundle(tmp_path)
    assert str(tmp_path) not in str(caught.value)


def test_no_refusal_shows_a_full_path(bundle_copy: Path) -> None:
    for name in ("evidence.json", "bundle.json"):
        (bundle_copy / name).unlink()
        with pytest.raises(BundleError) as caught:
            open_bundle(bundle_copy)
        assert str(bundle_copy.parent) not in str(caught.value)
    with pytest.raises(BundleError) as caught:
        read_facts(bundle_copy)
    assert str(bundle_copy.parent) not in str(caught.value)


def test_every_measure_of_the_evidence_is_plain_json(tiny_bundle: Path) -> None:
    bundle = open_bundle(tiny_bundle)
    assert bundle.evidence is not None
    assert json.loads(bundle.evidence.model_dump_json())["measures"]["accuracy"]["value"] > 0.8

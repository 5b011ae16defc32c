"""The Open Inference Protocol on the same engine."""

import base64
import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.test import Client
from PIL import Image

from secondlook import load
from secondlook.clinic.api.models import Scope
from tests.clinic.api.conftest import MakeProgram, Program
from tests.site import draw_triage

INFER = "/v2/models/tiny/infer"
HEAD = "Inference-Header-Content-Length"
OCTETS = "application/octet-stream"


@pytest.fixture
def caller(make_program: MakeProgram) -> Program:
    """Return a program that may ask the models and nothing else."""
    return make_program("administrator", scopes=(Scope.INFER,))


def read_pixels(triage: str = "urgent") -> "np.ndarray[Any, np.dtype[np.uint8]]":
    """Return the pixels of a drawn picture, uint8 1×H×W×3."""
    with Image.open(io.BytesIO(draw_triage(triage))) as image:
        return np.asarray(image.convert("RGB"))[None]


def by_name(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the outputs of an answer in JSON by name, as arrays."""
    return {one["name"]: np.array(one["data"]).reshape(one["shape"]) for one in answer["outputs"]}


def as_files(*contents: bytes) -> dict[str, Any]:
    """Return a request with files in JSON."""
    data = [base64.b64encode(content).decode() for content in contents]
    return {"inputs": [{"name": "file", "datatype": "BYTES", "shape": [len(data)], "data": data}]}


def test_anybody_may_ask_what_is_here(client: Client, site_bundle: Path) -> None:
    for address in ("/v2", "/v2/"):
        assert client.get(address).json()["extensions"] == ["binary_tensor_data"]
    assert client.get("/v2/health/live").json() == {"live": True}
    load(site_bundle)
    assert client.get("/v2/models/tiny/ready").json() == {"name": "tiny", "ready": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}
    facts = client.get("/v2/models/tiny").json()
    assert facts["parameters"]["labels"] == "akiec;bcc;bkl;df;mel;nv;vasc"
    assert {"name": "image", "datatype": "UINT8", "shape": [-1, -1, -1, 3]} in facts["inputs"]
    assert {"name": "probabilities", "datatype": "FP64", "shape": [-1, 7]} in facts["outputs"]
    version = f"/v2/models/tiny/versions/{facts['versions'][0]}"
    assert client.get(version).json() == facts
    assert client.get(f"{version}/ready").json() == {"name": "tiny", "ready": True}


def test_who_may_not_ask(client: Client, clinician: Program, make_program: MakeProgram) -> None:
    request = as_files(draw_triage("urgent"))
    assert client.post(INFER, json.dumps(request), content_type="application/json").status_code == 401
    reader = make_program("clinician", scopes=(Scope.READ,))
    assert reader.ask("POST", INFER, request).status_code == 403
    assert clinician.ask("POST", INFER, request).status_code == 200


def test_files_and_pixels_give_what_python_gives(caller: Program, site_bundle: Path) -> None:
    expected = load(site_bundle).predict(draw_triage("urgent"))
    files = caller.ask("POST", INFER, as_files(draw_triage("urgent")) | {"id": "mine"}).json()
    assert (files["id"], files["model_name"], files["model_version"]) == ("mine", "tiny", expected.bundle.version)
    same = caller.ask(
        "POST", f"/v2/models/tiny/versions/{expected.bundle.version}/infer", as_files(draw_triage("urgent"))
    )
    assert same.json()["outputs"] == files["outputs"]
    pixels = read_pixels()
    tensor = {"name": "image", "datatype": "UINT8", "shape": list(pixels.shape), "data": pixels.ravel().tolist()}
    raw = caller.ask("POST", INFER, {"inputs": [tensor]}).json()
    assert by_name(raw).keys() == by_name(files).keys()
    for name, values in by_name(files).items():
        assert np.array_equal(values, by_name(raw)[name])
    said = by_name(files)
    assert said["probabilities"].tolist() == [list(expected.probabilities.values())]
    assert np.array_equal(said["logits"].astype(np.float32)[0], expected.logits)
    assert np.array_equal(said["embedding"].astype(np.float32)[0], expected.embedding)
    assert (said["label"].tolist(), said["triage"].tolist()) == (["mel"], ["urgent"])


def test_nested_pixels_are_the_same(caller: Program) -> None:
    pixels = read_pixels()[:, ::4, ::4]
    tensor = {"name": "image", "datatype": "UINT8", "shape": list(pixels.shape)}
    flat, nested = (
        caller.ask("POST", INFER, {"inputs": [tensor | {"data": data}], "outputs": [{"name": "logits"}]}).json()
        for data in (pixels.ravel().tolist(), pixels.tolist())
    )
    assert flat == nested


def test_several_pictures_are_answered_in_their_order(caller: Program) -> None:
    answer = caller.ask("POST", INFER, as_files(*map(draw_triage, ("urgent", "routine", "not_evaluable")))).json()
    assert by_name(answer)["triage"].tolist() == ["urgent", "routine", "not_evaluable"]
    assert by_name(answer)["probabilities"].shape == (3, 7)


def test_tensors_travel_as_bytes(caller: Program) -> None:
    pixels = read_pixels()
    plain = by_name(caller.ask("POST", INFER, as_files(draw_triage("urgent"))).json())
    tensor = {"name": "image", "datatype": "UINT8", "shape": list(pixels.shape)}
    tensor["parameters"] = {"binary_data_size": pixels.size}
    outputs = [{"name": "logits", "parameters": {"binary_data": True}}, {"name": "label"}]
    head = json.dumps({"inputs": [tensor], "outputs": outputs}).encode()
    response = send_bytes(caller, head, pixels.tobytes())
    assert response.headers["Content-Type"] == OCTETS
    length = int(response.headers[HEAD])
    logits, label = json.loads(response.content[:length])["outputs"]
    assert (logits["parameters"], label["data"]) == ({"binary_data_size": 28}, ["mel"])
    assert np.frombuffer(response.content[length:], "<f4").tolist() == plain["logits"][0].tolist()


def test_a_body_beyond_that_of_a_form_is_read(caller: Program) -> None:
    large = draw_triage("urgent") + bytes(2 * settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    assert by_name(caller.ask("POST", INFER, as_files(large)).json())["triage"].tolist() == ["urgent"]


def test_files_travel_as_bytes(caller: Program) -> None:
    contents = [draw_triage("urgent"), draw_triage("routine")]
    behind = b"".join(struct.pack("<I", len(one)) + one for one in contents)
    tensor = {"name": "file", "datatype": "BYTES", "shape": [2], "parameters": {"binary_data_size": len(behind)}}
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    response = send_bytes(caller, head, behind)
    length = int(response.headers[HEAD])
    outputs = json.loads(response.content[:length])["outputs"]
    place = length
    for output in outputs:
        size = output["parameters"]["binary_data_size"]
        if output["name"] == "triage":
            assert response.content[place : place + size] == b"\6\0\0\0urgent\7\0\0\0routine"
        place += size
    assert place == len(response.content)
    assert send_bytes(caller, head, behind[:-1]).status_code == 400


def send_bytes(caller: Program, head: bytes, behind: bytes) -> Any:
    """Send a request with bytes behind its JSON."""
    headers = {"authorization": f"Bearer {caller.text}", HEAD: str(len(head))}
    return Client(headers=headers).generic("POST", INFER, head + behind, content_type=OCTETS)


TENSOR = {"name": "image", "datatype": "UINT8", "shape": [1, 2, 2, 3], "data": [0] * 12}
FILE = {"name": "file", "datatype": "BYTES", "shape": [1], "data": ["!"]}


@pytest.mark.parametrize(
    ("tensor", "status"),
    [
        (TENSOR | {"name": "picture"}, 400),
        (TENSOR | {"datatype": "FP32"}, 400),
        (TENSOR | {"shape": [1, 2, 2, 4]}, 400),
        (TENSOR | {"shape": [1, 2, 3, 3]}, 400),
        (TENSOR | {"shape": [0, 2, 2, 3]}, 400),
        (TENSOR | {"shape": [17, 2, 2, 3]}, 400),
        (TENSOR | {"shape": [1, -2, -2, 3]}, 400),
        (TENSOR | {"shape": [1, 2**40, 2**40, 3]}, 400),
        (TENSOR | {"data": [256] * 12}, 400),
        (TENSOR | {"data": [0.5] * 12}, 400),
        (TENSOR | {"data": ["a"] * 12}, 400),
        (TENSOR | {"data": [[0], [0, 1]]}, 400),
        (TENSOR | {"data": None}, 400),
        (FILE, 400),
        (FILE | {"data": [1]}, 400),
        (FILE | {"data": [base64.b64encode(b"no picture").decode()]}, 400),
        (FILE | {"shape": "one"}, 422),
        ({"name": "file"}, 422),
    ],
)
def test_a_wrong_tensor_is_refused_in_the_protocol_s_way(caller: Program, tensor: Any, status: int) -> None:
    refused = caller.ask("POST", INFER, {"inputs": [tensor]})
    assert refused.status_code == status
    assert refused.json()["error"] == refused.json()["detail"]


@pytest.mark.parametrize("head", ["-1", "x", "99999", "9" * 400])
def test_a_wrong_length_of_the_json_is_refused(caller: Program, head: str) -> None:
    headers = {"authorization": f"Bearer {caller.text}", HEAD: head}
    assert Client(headers=headers).generic("POST", INFER, b"{}", content_type=OCTETS).status_code == 400


def test_unknown_names_are_refused(caller: Program) -> None:
    request = as_files(draw_triage("urgent"))
    assert caller.ask("POST", "/v2/models/none/infer", request).status_code == 404
    assert caller.ask("POST", "/v2/models/tiny/versions/0.0.2/infer", request).status_code == 404
    assert caller.ask("GET", "/v2/models/none").status_code == 404
    assert caller.ask("GET", "/v2/nothing").json()["error"]
    assert caller.ask("POST", INFER, request | {"outputs": [{"name": "diagnosis"}]}).status_code == 400

"""What is measured is what is served: page, API, command line and Python give the same probabilities."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from secondlook import load
from tests.drawing import draw_lesion, draw_phone_photo, encode, encode_turned
from tests.site import Server

PICTURES = {
    "small.jpg": lambda: encode(draw_lesion(11, "mel", size=(320, 240))),
    "phone.jpg": lambda: encode(draw_phone_photo(12, "bcc"), quality=90),
    "turned.jpg": lambda: encode_turned(draw_lesion(13, "bkl", size=(900, 600)), 6),
    "deep.png": lambda: encode(draw_lesion(14, "nv", size=(640, 480)), "PNG"),
    "sixteen.tiff": lambda: encode(draw_lesion(15, "df", size=(500, 500)), "TIFF"),
}


@pytest.fixture(scope="module", params=PICTURES)
def picture(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a picture's file."""
    path = tmp_path_factory.mktemp("pictures") / request.param
    path.write_bytes(PICTURES[request.param]())
    return path


def read_page(client: Client, path: Path) -> dict[str, float]:
    """Return the probabilities on the page."""
    page = client.post(
        "/try/", {"file": SimpleUploadedFile(path.name, path.read_bytes()), "task": "skin"}
    ).content.decode()
    return {key: float(value) for key, value in re.findall(r'data-label="(\w+)" value="([^"]+)"', page)}


def read_api(server: Server, path: Path) -> dict[str, float]:
    """Return the probabilities of the running API."""
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    body = head + path.read_bytes() + b"\r\n--x--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    status, answer = server.ask("POST", "/api/v1/predict", body=body, headers=headers)
    assert status == 200, answer
    return dict(json.loads(answer)["probabilities"])


def read_command_line(bundle: Path, path: Path) -> dict[str, float]:
    """Return the probabilities of `secondlook predict`."""
    command = [str(Path(sys.executable).with_name("secondlook")), "predict", str(path), "--bundle", str(bundle)]
    ended = subprocess.run([*command, "--format", "json"], capture_output=True, text=True, timeout=300, check=True)
    (record,) = json.loads(ended.stdout)
    return dict(record["probabilities"])


def test_every_door_gives_the_same_probabilities(
    client: Client, server: Server, site_bundle: Path, picture: Path
) -> None:
    prediction = load(site_bundle).predict(picture)
    assert prediction.triage != "not_evaluable"
    expected = pytest.approx(dict(prediction.probabilities), abs=1e-6, rel=0)
    assert read_page(client, picture) == expected
    assert read_api(server, picture) == expected
    assert read_command_line(site_bundle, picture) == expected

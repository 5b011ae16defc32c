"""The running site: bodies that are too large, static files, and what it leaves behind."""

import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from secondlook.errors import BundleError
from secondlook.inference.bundle import seal_bundle
from tests.site import Server, draw_triage

PREDICT = "/api/v1/predict"
LIMIT = 31_000_000
FORM = {"Content-Type": "multipart/form-data; boundary=x"}


def build_form(content: bytes) -> bytes:
    """Return a multipart body with one file."""
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="Jane Doe 1961.png"\r\n\r\n'
    return head + content + b"\r\n--x--\r\n"


def test_a_picture_is_answered(server: Server) -> None:
    status, body = server.ask("POST", PREDICT, body=build_form(draw_triage("urgent")), headers=FORM)
    assert status == 200
    assert json.loads(body)["triage"] == "urgent"


def test_a_declared_body_that_is_too_large_is_refused_before_it_is_sent(server: Server) -> None:
    with socket.create_connection(("localhost", server.port), timeout=20) as connection:
        head = f"POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        connection.sendall(f"{head}Content-Length: {LIMIT + 1}\r\n\r\n".encode())
        answer = connection.recv(65536).decode()
    assert answer.startswith("HTTP/1.1 413")
    assert "application/problem+json" in answer


def test_a_body_of_unknown_length_is_cut_off_at_the_limit(server: Server) -> None:
    def pieces() -> Iterator[bytes]:
        yield from (b"0" * 1_000_000 for _ in range(34))

    status, body = server.ask("POST", PREDICT, body=pieces(), headers=FORM, encode_chunked=True)
    assert status == 413
    assert json.loads(body)["detail"].startswith("Expected a file of at most 30 MB")


def test_the_largest_body_is_read_and_its_content_judged(server: Server) -> None:
    status, body = server.ask("POST", PREDICT, body=build_form(b"0" * 30_500_000), headers=FORM)
    assert status == 400
    assert "30 MB" in json.loads(body)["detail"]


def test_the_page_refuses_large_bodies_as_a_page(server: Server) -> None:
    status, body = server.ask("POST", "/try/", body=build_form(b"0" * LIMIT), headers=FORM)
    assert status == 413
    assert b"<html" in body
    assert b"at most 30 MB" in body
    assert b'href="/try/">Back to the form' in body
    assert b"Log in" not in body, "who asks is not known yet"


def test_static_files_may_be_kept_for_ever_and_come_compressed(server: Server) -> None:
    page = server.ask("GET", "/try/")[1].decode()
    path = next(part for part in page.split('"') if part.startswith("/static/vendor/bootstrap/"))
    with closing(http.client.HTTPConnection("localhost", server.port, timeout=60)) as connection:
        connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        response = connection.getresponse()
        body = response.read()
    assert response.status == 200
    assert "immutable" in response.headers["Cache-Control"]
    assert response.headers["Content-Encoding"] == "gzip"
    assert len(body) < 60_000


def test_a_static_path_does_not_leave_its_folder(server: Server) -> None:
    assert server.ask("GET", "/static/../secret-key")[0] == 404
    assert server.ask("GET", "/static/%2e%2e/secret-key")[0] == 404


def test_nothing_of_a_picture_is_kept_or_logged(server: Server) -> None:
    before = server.list_files()
    for content in (draw_triage("urgent"), b"no picture", b"0" * 5_000_000):
        for path in ("/", PREDICT):
            server.ask("POST", path, body=build_form(content), headers=FORM)
    assert server.list_files() == before
    log = server.log.read_text()
    assert "Ready with tiny." in log
    assert "Jane" not in log


def serve(tmp_path: Path, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run `secondlook serve` to its end."""
    import os

    environment = {**os.environ, "SECONDLOOK_DATA_FOLDER": str(tmp_path / "data"), **settings}
    command = [str(Path(sys.executable).with_name("secondlook")), "serve", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_a_port_that_is_taken_is_refused(server: Server, site_bundle: Path, tmp_path: Path) -> None:
    ended = serve(tmp_path, "--port", str(server.port), SECONDLOOK_BUNDLES=str(site_bundle))
    assert ended.returncode == 1
    assert f"Expected to listen on 127.0.0.1:{server.port}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_tampered_bundle_is_refused_at_the_start(bundle_copy: Path, tmp_path: Path) -> None:
    (bundle_copy / "README.md").write_text("Trust me.")
    ended = serve(tmp_path, "--port", "1", SECONDLOOK_BUNDLES=str(bundle_copy))
    assert ended.returncode == 1
    assert "was changed after it was sealed" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_bundle_from_a_leaking_split_is_refused_by_the_server_and_by_its_workers(
    bundle_copy: Path, tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence = json.loads((bundle_copy / "evidence.json").read_text()) | {"leak": "3 lesions in two splits"}
    (bundle_copy / "evidence.json").write_text(json.dumps(evidence))
    seal_bundle(bundle_copy)
    ended = serve(tmp_path, "--port", "1", SECONDLOOK_BUNDLES=str(bundle_copy))
    assert ended.returncode == 1
    assert "(3 lesions in two splits). Measure it: `secondlook evaluate BUNDLE" in ended.stderr

    from django.conf import settings

    from secondlook.clinic.look.predictors import load_offered

    offered = settings.CONFIGURATION.model_copy(update={"bundles": (str(bundle_copy),)})
    monkeypatch.setattr(settings, "CONFIGURATION", offered)
    with pytest.raises(BundleError, match="not fit to serve"):
        load_offered()


@pytest.mark.parametrize(
    ("name", "value"), [("SECONDLOOK_MODE", "production"), ("SECONDLOOK_LANGUAGE", "de"), ("SECONDLOOK_BUNDLE", "x")]
)
def test_a_wrong_setting_is_refused_at_the_start(tmp_path: Path, name: str, value: str) -> None:
    ended = serve(tmp_path, **{name: value})
    assert ended.returncode == 1
    assert ended.stderr.startswith("Refused: The settings in the environment cannot be used: ")
    assert "Traceback" not in ended.stderr

"""The served site itself: many people at once over HTTP, refusals before bodies are read, and a kill in the middle."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clinic.keeping.test_backup import Place
from tests.site import Server, draw_triage, run_server

PEOPLE, ENOUGH = 50, 5


def build_form(visit: str) -> tuple[bytes, dict[str, str]]:
    """Return a form with a picture of a visit."""
    parts = [
        b'--x\r\nContent-Disposition: form-data; name="visit"\r\n\r\n' + visit.encode(),
        b'--x\r\nContent-Disposition: form-data; name="task"\r\n\r\nskin',
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="Jane Doe 1961.png"\r\n\r\n'
        + draw_triage("urgent", size=(240, 180)),
    ]
    return b"\r\n".join(parts) + b"\r\n--x--\r\n", {"Content-Type": "multipart/form-data; boundary=x"}


@pytest.fixture
def place(tmp_path: Path, site_bundle: Path) -> Place:
    """Return the place of a site that is about to be served."""
    return Place(tmp_path / "data", {"SECONDLOOK_DATABASE_URL": ""})


@pytest.fixture
def doctors(place: Place) -> list[dict[str, str]]:
    """Return the token and a visit of each of many people."""
    found: list[dict[str, str]] = place.torture("invite", "--people", str(PEOPLE))["doctors"]
    return found


@pytest.fixture
def served(place: Place, doctors: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Return the site, served."""
    monkeypatch.setenv("SECONDLOOK_PICTURES_PER_DAY", "3")
    bundles = os.environ["SECONDLOOK_BUNDLES"]
    with run_server(bundles, place.folder.parent) as server:
        yield server


def send(server: Server, doctor: dict[str, str], *, key: str | None = None) -> tuple[int, dict[str, Any]]:
    """Send a picture and return status and answer."""
    body, headers = build_form(doctor["visit"])
    headers |= {"Authorization": f"Bearer {doctor['token']}"} | ({"Idempotency-Key": key} if key else {})
    status, answer = server.ask("POST", "/api/v1/pictures", body=body, headers=headers)
    return status, json.loads(answer)


def send_together(
    server: Server,
    doctors: list[dict[str, str]],
    kept: list[str],
    statuses: list[int],
    enough: Callable[[], None] = lambda: None,
) -> None:
    """Have everybody send one picture at the same moment, and do something when some were acknowledged."""
    one_by_one = threading.Lock()

    def run(doctor: dict[str, str]) -> None:
        try:
            status, answer = send(server, doctor)
        except (OSError, ValueError):
            return  # killed meanwhile: never acknowledged
        with one_by_one:  # of two at once each would see the other's counted, and neither that it is enough
            statuses.append(status)
            if status == 201:
                kept.append(answer["key"])
                if len(kept) == ENOUGH:
                    enough()

    threads = [threading.Thread(target=run, args=(doctor,)) for doctor in doctors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_fifty_people_send_over_http_and_more_than_allowed_is_refused(
    served: Server, doctors: list[dict[str, str]], place: Place
) -> None:
    kept: list[str] = []
    statuses: list[int] = []
    started = time.monotonic()
    send_together(served, doctors, kept, statuses)
    print(f"{PEOPLE} people at once over HTTP: {time.monotonic() - started:.1f} s")  # noqa: T201 - a figure
    assert statuses == [201] * PEOPLE
    assert len(set(kept)) == PEOPLE

    one = doctors[0]
    assert [send(served, one)[0] for _ in range(3)] == [201, 201, 429]
    # The head alone is enough: nothing of the body was sent.
    head = (
        "POST /api/v1/pictures HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        f"Authorization: Bearer {one['token']}\r\nContent-Length: 30000000\r\n\r\n"
    )
    with socket.create_connection(("localhost", served.port), timeout=20) as connection:
        connection.sendall(head.encode())
        answer = connection.recv(65536).decode()
    assert answer.startswith("HTTP/1.1 429")
    assert re.search(r"retry-after: \d+", answer, re.IGNORECASE)
    log = served.log.read_text()
    for word in ("Jane", "1961", "Patient", "doctor", "example.org", one["token"]):
        assert word not in log
    found = place.torture("reproduce")
    assert set(kept) <= set(found["pictures"])
    assert len(found["pictures"]) == found["identical"] == PEOPLE + 2
    assert (found["missing"], found["damaged"], found["strange"]) == (0, 0, 0)


def test_a_killed_server_loses_nothing_that_it_acknowledged(place: Place, doctors: list[dict[str, str]]) -> None:
    bundles, folder = os.environ["SECONDLOOK_BUNDLES"], place.folder.parent
    kept: list[str] = []
    with run_server(bundles, folder) as server:
        send_together(server, doctors, kept, [], enough=lambda: os.kill(server.pid, signal.SIGKILL))
    assert ENOUGH <= len(kept) < PEOPLE, "killed in the middle"
    with run_server(bundles, folder) as server:
        assert server.ask("GET", "/readyz")[0] == 200
    command = [sys.executable, "-m", "tests.clinic.keeping.torture", "settle"]
    ended = subprocess.run(command, env=place.environment, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert set(kept) <= set(found["pictures"])
    assert found["orphans"] == 0
    assert found["answered_once"] == len(found["pictures"])

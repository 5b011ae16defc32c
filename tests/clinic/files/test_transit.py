"""Uploads on their way in: never plain on a disk, never whole in memory, and gone with the process."""

import io
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory

from secondlook.clinic.files.transit import ROOM, TransitFile
from tests.site import Server, draw_triage, run_server

LARGE = settings.FILE_UPLOAD_MAX_MEMORY_SIZE * 4
SENT, DECLARED = 16_000_000, 24_000_000
PREDICT = "/api/v1/predict"
HEAD = b'--x\r\nContent-Disposition: form-data; name="file"; filename="Jane Doe 1961.png"\r\n\r\n'
FORM = {"Content-Type": "multipart/form-data; boundary=x"}


def list_held(pid: int | str = "self") -> dict[Path, int]:
    """Return the open files of a process that have no name, each with its bytes."""
    held = {}
    for handle in Path(f"/proc/{pid}/fd").iterdir():
        # The process goes on, and may close a file between two looks at it.
        with suppress(FileNotFoundError):
            if str(handle.readlink()).endswith("(deleted)"):
                held[handle] = handle.stat().st_size
    return held


def count_resident(pid: int) -> int:
    """Return the bytes of memory that a process has of its own."""
    resident, shared = Path(f"/proc/{pid}/statm").read_text().split()[1:3]
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 4095, LARGE + 7])
def test_what_was_written_is_read_again_from_any_place(site: Path, size: int) -> None:
    plain = os.urandom(size)
    with TransitFile() as file:
        for start in range(0, size, 70_001):
            file.write(plain[start : start + 70_001])
        for place in (0, size // 2, size):
            assert file.seek(place) == place
            assert file.read(33) == plain[place : place + 33]
            assert file.tell() == min(place + 33, size)
        assert file.seek(-min(size, 20), io.SEEK_END) == size - min(size, 20)
        assert file.read() == plain[-20:]
        file.seek(0)
        assert b"".join(iter(lambda: file.read(65_537), b"")) == plain


def test_a_large_one_lies_encrypted_in_a_file_without_a_name(site: Path) -> None:
    before = sorted(site.rglob("*")), len(list_held())
    with TransitFile() as file:
        file.write(b"Jane Doe " * (LARGE // 9))
        file.seek(0)
        held = [path for path, size in list_held().items() if size == LARGE // 9 * 9]
        assert len(held) == 1
        lies = held[0].read_bytes()
        assert b"Jane" not in lies
        assert len({lies[start : start + 16] for start in range(0, len(lies), 144)}) == len(range(0, len(lies), 144))
        assert sorted(site.rglob("*")) == before[0]
    assert len(list_held()) == before[1]


def test_the_same_twice_lies_otherwise(site: Path) -> None:
    with TransitFile() as one, TransitFile() as other:
        for file in (one, other):
            file.write(bytes(LARGE + 1))
            file.seek(0)
        assert len({path.read_bytes() for path, size in list_held().items() if size == LARGE + 1}) == 2


def test_a_small_one_stays_in_memory(site: Path) -> None:
    before = len(list_held())
    with TransitFile() as file:
        file.write(bytes(settings.FILE_UPLOAD_MAX_MEMORY_SIZE))
        assert len(list_held()) == before


def test_all_together_stay_within_the_memory_that_they_share(site: Path) -> None:
    before, left = len(list_held()), ROOM.left_bytes
    plain = os.urandom(settings.FILE_UPLOAD_MAX_MEMORY_SIZE)
    files = [TransitFile() for _ in range(left // len(plain) + 2)]
    for file in files:
        file.write(plain[:70_000])
        file.write(plain[70_000:])
        file.seek(0)
    assert 0 <= ROOM.left_bytes < len(plain)
    assert len(list_held()) - before == 2
    assert all(file.read() == plain for file in files)
    for file in files:
        file.close()
        file.close()
    assert (len(list_held()), ROOM.left_bytes) == (before, left)


def test_several_pictures_in_one_form_come_whole(site: Path) -> None:
    contents = [os.urandom(size) for size in (10, LARGE, 0, LARGE + 1)]
    fields = {"file": [SimpleUploadedFile(f"{n}.png", content) for n, content in enumerate(contents)], "task": "skin"}
    request = RequestFactory().post("/", fields)
    came = request.FILES.getlist("file")
    assert request.POST["task"] == "skin"
    assert all(isinstance(one.file, TransitFile) for one in came)
    assert [(one.size, one.read()) for one in came] == [(len(content), content) for content in contents]
    request.close()
    assert all(one.closed for one in came)


def test_a_picture_that_is_cut_short_is_dropped(site: Path) -> None:
    before = len(list_held())
    request = RequestFactory().generic("POST", "/", HEAD + bytes(LARGE), content_type=FORM["Content-Type"])
    assert not request.FILES
    assert len(list_held()) == before


@pytest.fixture(scope="module")
def served(site_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a site of this file alone; its last test kills it."""
    with run_server(site_bundle, tmp_path_factory.mktemp("killed")) as server:
        yield server


def send_half(server: Server) -> socket.socket:
    """Send the head of an upload and a part of its body."""
    connection = socket.create_connection(("localhost", server.port), timeout=20)
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM['Content-Type']}\r\n"
    connection.sendall(f"{head}Content-Length: {DECLARED}\r\n\r\n".encode() + HEAD)
    for _ in range(SENT // 1_000_000):
        connection.sendall(b"Jane Doe, born 1961." * 50_000)
    return connection


def wait_until_held(server: Server) -> Path:
    """Return the file that holds what was sent."""
    for _ in range(600):
        for path, size in list_held(server.pid).items():
            if size >= SENT:
                return path
        time.sleep(0.05)
    raise AssertionError("what was sent is nowhere")


def test_whoever_goes_away_in_the_middle_leaves_nothing(server: Server) -> None:
    with closing(send_half(server)):
        wait_until_held(server)
    for _ in range(600):
        if all(size <= 1_000_000 for size in list_held(server.pid).values()):
            break
        time.sleep(0.05)
    else:
        raise AssertionError("the file is still held")
    assert server.ask("GET", "/readyz")[0] == 200


def test_a_body_of_unknown_length_is_read(server: Server) -> None:
    def pieces() -> Iterator[bytes]:
        yield HEAD
        yield draw_triage("urgent")
        yield b"\r\n--x--\r\n"

    status, body = server.ask("POST", PREDICT, body=pieces(), headers=FORM, encode_chunked=True)
    assert status == 200
    assert json.loads(body)["triage"] == "urgent"


def test_a_disk_without_room_is_said(served: Server) -> None:
    data = served.log.parent / "data"
    data.rename(data.with_name("elsewhere"))
    status, body = served.ask("POST", PREDICT, body=HEAD + b"0" * LARGE + b"\r\n--x--\r\n", headers=FORM)
    data.with_name("elsewhere").rename(data)
    assert status == 503
    assert json.loads(body)["detail"].startswith("There is no room here for what you sent.")
    assert "There is no room for an upload" in served.log.read_text()


def test_pages_take_large_pictures_alike(client: Client) -> None:
    large = draw_triage("urgent") + bytes(LARGE)
    page = client.post("/try/", {"file": SimpleUploadedFile("a.png", large)})
    assert page.status_code == 200
    assert "urgent" in page.content.decode().lower()


def test_a_kill_in_the_middle_of_an_upload_leaves_nothing(served: Server) -> None:
    before, resident = served.list_files(), count_resident(served.pid)
    with closing(send_half(served)):
        held = wait_until_held(served)
        assert b"Jane" not in held.read_bytes()
        assert count_resident(served.pid) - resident < SENT / 4
        assert served.list_files() == before
        os.kill(served.pid, signal.SIGKILL)
        os.waitid(os.P_PID, served.pid, os.WEXITED | os.WNOWAIT)
    assert served.list_files() == before
    folder = served.log.parent / "data"
    assert all(b"Jane" not in path.read_bytes() for path in folder.rglob("*") if path.is_file())

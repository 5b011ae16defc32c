"""Upload → answer on the page: one person, one core, pictures of 110 kB; and what of it is decoding and ONNX Runtime.

Each round sends a picture to a visit of the demo's practice, asks for its answer's page, and for the picture on it.
The server is held to one core where the system can; its CPU time is read from /proc, as in :mod:`benchmarks.server`.
"""

import http.client
import itertools
import os
import re
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.server import BOUNDARY, draw_uploads, measure_floor, read_cpu_s
from benchmarks.timing import print_table, read_options
from secondlook.inference.session import Session
from tests.site import Server, run_server

UPLOADS, WARM_UP = 100, 5
TARGET_MS = 300


@dataclass
class Person:
    """A clinician of the demo at a browser that keeps cookies."""

    server: Server
    cookies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, str, bytes]:
        """Return status, the address that is led to, and body."""
        headers |= {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        headers |= {"Host": f"localhost:{self.server.port}"}
        self.connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = self.connection.getresponse()
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, _equals, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return response.status, response.headers.get("Location", ""), response.read()

    def find(self, path: str, pattern: str) -> str:
        """Return what the pattern finds first on a page."""
        status, _led, page = self.ask("GET", path)
        found = re.search(pattern, page.decode())
        if status != http.client.OK or not found:
            raise RuntimeError(f"Expected {pattern} at {path}, got status {status}.")
        return found[1]


def enter(server: Server) -> tuple[Person, str, str]:
    """Return the demo's clinician, the address that pictures of a visit are sent to, and the form's token."""
    person = Person(server)
    link = re.search(r"clinician +http://[^/]+(/\S+)", server.log.read_text(encoding="utf-8"))
    if link is None:
        raise RuntimeError("Expected a link of the demo's clinician in the server's log.")
    person.ask("GET", link[1])
    patient = person.find("/patients/", r'href="(/patients/[\w-]{16}/)"')
    visit = person.find(patient, r'href="(/visits/[\w-]{16}/)"')
    address = f"{visit}pictures/"
    return person, address, person.find(address, r'name="csrfmiddlewaretoken" value="(\w+)"')


def build_form(picture: bytes, token: str, key: str) -> bytes:
    """Return the body that the page's script sends."""
    fields = {"csrfmiddlewaretoken": token, "task": "skin", "lesion": "", "upload_key": key}
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    return "".join([*parts, head]).encode() + picture + f"\r\n--{BOUNDARY}--\r\n".encode()


def send_one(person: Person, address: str, body: bytes) -> dict[str, float]:
    """Send a picture, see its answer, and return the milliseconds of each step."""
    marks = [time.perf_counter()]
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    status, _led, part = person.ask("POST", address, body, Content_Type=kind, HX_Request="true")
    marks.append(time.perf_counter())
    link = re.search(r'href="(/pictures/[\w-]{16}/)"', part.decode())
    if status != http.client.OK or link is None:
        raise RuntimeError(f"Expected an answered picture, got status {status}.")
    _status, _led, page = person.ask("GET", link[1])
    marks.append(time.perf_counter())
    if b"data-answer" not in page:
        raise RuntimeError("Expected the answer on the picture's page.")
    person.ask("GET", f"{link[1]}shown.jpg")
    marks.append(time.perf_counter())
    sent, shown, drawn = (1000 * (after - before) for before, after in itertools.pairwise(marks))
    return {"sending, keeping, answering": sent, "its page": shown, "the picture on it": drawn}


def run(bundle: Path, *, rounds: int) -> None:
    """Measure and print."""
    uploads = max(20, UPLOADS * rounds // 5)
    name, picture = next(iter(draw_uploads().items()))
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    demo = ("--demo",)
    with (
        tempfile.TemporaryDirectory() as scratch,
        run_server(bundle.resolve(), Path(scratch), arguments=demo) as server,
    ):
        os.sched_setaffinity(0, cores)
        person, address, token = enter(server)
        before, steps = 0.0, []
        for number in range(uploads + WARM_UP):
            if number == WARM_UP:
                before = read_cpu_s(server.pid)
            steps.append(send_one(person, address, build_form(picture, token, f"benchmark-{number}")))
        cpu_ms = (read_cpu_s(server.pid) - before) / uploads * 1000
    report(name, steps[WARM_UP:], cpu_ms, measure_floor(Session(bundle / "model.onnx"), picture, requests=uploads))


def report(name: str, steps: list[dict[str, float]], cpu_ms: float, floor_ms: float) -> None:
    """Print what was measured."""
    totals = [sum(step.values()) for step in steps]
    title = f"Upload → answer on the page: {name}, {len(steps)} uploads, one core (target: p95 under {TARGET_MS} ms)"
    print(f"\n{title}")
    for step in steps[0]:
        print(f"  {step:<28}  median {statistics.median(each[step] for each in steps):6.0f} ms")
    high = statistics.quantiles(totals, n=20)[-1]
    print(f"  {'all of it':<28}  median {statistics.median(totals):6.0f} ms, p95 {high:.0f} ms")
    figures = {"upload, page and picture": cpu_ms, "decoding + ONNX Runtime alone": floor_ms}
    print_table("CPU time of the server for one of them", "ms", figures, ours="decoding + ONNX Runtime alone")


if __name__ == "__main__":
    chosen = read_options(__doc__ or "")
    run(chosen.bundle, rounds=chosen.rounds)

"""CPU time that the server spends on one request, against decoding and ONNX Runtime alone.

Linux only: the server's time is read from /proc, that of its child processes included.
"""

import http.client
import io
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.timing import print_table, read_options
from secondlook.inference.bundle import read_facts
from secondlook.inference.session import Session
from tests.drawing import draw_lesion, draw_phone_photo
from tests.site import Server, run_server

REQUESTS = 40
WARMING = 5
IDLE_CPU_S = 0.05  # in a second
SMALL_BYTES = 110_000
BOUNDARY = "secondlook-benchmark"


def encode_to(image: Image.Image, wanted_bytes: int) -> bytes:
    """Encode a picture as the JPEG whose size is nearest to what is wanted."""
    files = []
    for quality in range(40, 100, 3):
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=quality)
        files.append(stream.getvalue())
    return min(files, key=lambda file: abs(len(file) - wanted_bytes))


def draw_uploads() -> dict[str, bytes]:
    """Return the two files that are sent."""
    stream = io.BytesIO()
    draw_phone_photo(1, "nv").save(stream, "JPEG", quality=90)
    small = encode_to(draw_lesion(0, "mel", size=(1024, 768)), SMALL_BYTES)
    return {f"JPEG of {len(small) / 1000:.0f} kB": small, "phone photograph of 12 megapixels": stream.getvalue()}


def read_cpu_s(root: int) -> float:
    """Return the CPU seconds that a process and its descendants have used."""
    parents, ticks = {}, {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            except OSError:
                continue  # it ended meanwhile
            parents[int(folder.name)] = int(fields[1])
            ticks[int(folder.name)] = int(fields[11]) + int(fields[12])
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(ticks[pid] for pid in family) / os.sysconf("SC_CLK_TCK")


def wait_until_idle(root: int) -> None:
    """Wait until the jobs that a server does at its start are done, so that none is counted as a request's."""
    before = -1.0
    while (used := read_cpu_s(root)) - before > IDLE_CPU_S:
        before = used
        time.sleep(1)


def post_picture(connection: http.client.HTTPConnection, picture: bytes) -> dict[str, object]:
    """Ask the API about one picture."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'.encode()
    body = head + picture + f"\r\n--{BOUNDARY}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    connection.request("POST", "/api/v1/predict", body, headers)
    response = connection.getresponse()
    answer = json.loads(response.read())
    if response.status != http.client.OK:
        raise RuntimeError(f"Expected an answer, got {response.status}: {answer}")
    return dict(answer)


def measure_requests(server: Server, picture: bytes, *, requests: int) -> float:
    """Return CPU milliseconds per request."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    for pause in (True, False):
        for _ in range(WARMING):
            post_picture(connection, picture)
        if pause:
            wait_until_idle(server.pid)
    before = read_cpu_s(server.pid)
    for _ in range(requests):
        post_picture(connection, picture)
    return (read_cpu_s(server.pid) - before) / requests * 1000


def measure_floor(session: Session, picture: bytes, *, requests: int) -> float:
    """Return CPU milliseconds for decoding at reduced scale, resizing and ONNX Runtime, and nothing else."""
    before = 0.0
    for number in range(requests + 3):
        if number == 3:
            before = time.process_time()
        with Image.open(io.BytesIO(picture)) as image:
            image.draft("RGB", (2 * session.size_px[1], 2 * session.size_px[0]))
            pixels = np.asarray(image.convert("RGB").resize(session.size_px[::-1]))
        session.run(pixels[np.newaxis])
    return (time.process_time() - before) / requests * 1000


def run(bundle: Path, *, rounds: int) -> None:
    """Measure and print."""
    session = Session(bundle / "model.onnx")
    requests = max(1, REQUESTS * rounds // 5)
    with tempfile.TemporaryDirectory() as scratch, run_server(bundle.resolve(), Path(scratch)) as server:
        for name, picture in draw_uploads().items():
            figures = {
                "POST /api/v1/predict": measure_requests(server, picture, requests=requests),
                "decoding + ONNX Runtime alone": measure_floor(session, picture, requests=requests),
            }
            (side, _), views = session.size_px, read_facts(bundle).graph.views
            title = f"CPU time for one {name} ({requests} requests; {side} px, {views} views)"
            print_table(title, "ms", figures, ours="POST /api/v1/predict")


if __name__ == "__main__":
    chosen = read_options(__doc__ or "")
    run(chosen.bundle, rounds=chosen.rounds)

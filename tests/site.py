"""The real site for tests: bundles that reach every triage on drawn pictures, and `secondlook serve`."""

import hashlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from secondlook.inference.bundle import seal_bundle
from tests.bundles import DRAWN, build_bundle
from tests.drawing import draw_text_page, encode

START_S = 600.0  # a demo is drawn and answered before the site listens


@dataclass(frozen=True)
class Show:
    """Drawn pictures are easy: softened, and with these thresholds, they reach every triage of their task.

    Attributes:
        temperature: Softens the probabilities.
        urgent: Threshold for 90 % sensitivity.
        refer: Threshold for 95 % sensitivity.
        pictures: Label and seed of a drawn picture for each triage.
        size: Width and height of the pictures.
    """

    temperature: float
    urgent: float
    refer: float
    pictures: dict[str, tuple[str, int]]
    size: tuple[int, int]


SHOWS = {
    "skin": Show(3.0, 0.35, 0.15, {"urgent": ("mel", 7), "refer": ("nv", 7), "routine": ("bkl", 5)}, (480, 360)),
    "chest": Show(
        2.0, 0.85, 0.3, {"urgent": ("pneumonia", 7), "refer": ("pneumonia", 4), "routine": ("normal", 4)}, (480, 380)
    ),
    "knee": Show(2.0, 0.6, 0.35, {"refer": ("3", 5), "routine": ("0", 4)}, (400, 400)),
}
CARD = """---
licence: Apache-2.0
---
# tiny

A bundle for tests, of drawn lesions. Not for any patient. <script>alert("card")</script>

| measure | value | lower | upper | resamples | pictures | groups | split of the manifest |
|---|---|---|---|---|---|---|---|
| macro AUC | 0.99 | 0.98 | 1.00 | 2,000 | 1,234 | 1,100 | test |

    secondlook evaluate tiny MANIFEST.csv --split test --check --resamples 2000

[Checklists](CHECKLISTS.md)
"""
PAGES = {
    "README.fr.md": "# tiny\n\nUn modèle d’essai, de lésions dessinées.\n\n[Listes](CHECKLISTS.fr.md)\n",
    "CHECKLISTS.md": "# tiny: reporting checklists\n",
    "CHECKLISTS.fr.md": "# tiny : listes de contrôle\n",
}


@cache
def draw_triage(triage: str, task: str = "skin", *, size: tuple[int, int] | None = None) -> bytes:
    """Return a drawn picture that the site answers with this triage, as a PNG."""
    show = SHOWS[task]
    if triage == "not_evaluable":
        return encode(draw_text_page(3, size=size or show.size), "PNG")
    label, seed = show.pictures[triage]
    return encode(DRAWN[task].draw(seed, label, size=size or show.size), "PNG")


def build_site_bundles(place: Path, tiny: Path | None = None) -> str:
    """Make a bundle for each task that can be drawn, and return what SECONDLOOK_BUNDLES takes; skin is the first.

    Args:
        place: Folder for them; the one for skin lies in ``place / "skin"``.
        tiny: The tiny bundle for skin, where it has been made already.
    """
    folders = []
    for task in SHOWS:
        name = "tiny" if task == "skin" else f"tiny-{task}"
        plain = tiny if tiny and task == "skin" else build_bundle(place / "plain" / task, task=task, name=name)
        folders.append(build_site_bundle(plain, place / task, task=task))
    return ",".join(map(str, folders))


def build_site_bundle(tiny: Path, folder: Path, *, task: str = "skin") -> Path:
    """Copy a tiny bundle and give it the evidence, the card and the thresholds that a page shows."""
    shutil.copytree(tiny, folder)
    show = SHOWS[task]
    calibration = read_json(folder / "calibration.json") | {"temperature": show.temperature}
    for point in calibration["operating_points"]:
        point["threshold"] = {"sensitivity_90": show.urgent, "sensitivity_95": show.refer}[point["name"]]
    write_json(folder / "calibration.json", calibration)
    evidence = read_json(folder / "evidence.json")
    evidence["calibration_sha256"] = hashlib.sha256((folder / "calibration.json").read_bytes()).hexdigest()
    evidence["manifest"] |= {"pictures": 1234, "groups": 1100}
    evidence["measures"] |= {
        "risk": {
            "operating_points": {
                "sensitivity_90": {"sensitivity": measure(0.912), "specificity": measure(0.9)},
                "sensitivity_95": {"sensitivity": measure(0.956), "specificity": measure(0.8)},
            }
        },
        "triage_counts": {"alarming": {"urgent": 200, "refer": 34}, "other": {"urgent": 100, "routine": 900}},
    }
    write_json(folder / "evidence.json", evidence)
    (folder / "README.md").write_text(CARD, encoding="utf-8")
    if task == "skin":  # the others stand for bundles that were made before there were pages in French
        for name, text in PAGES.items():
            (folder / name).write_text(text, encoding="utf-8")
    seal_bundle(folder)
    return folder


def measure(value: float) -> dict[str, float]:
    """Return a measure as evidence holds it."""
    return {"value": value, "lower": value - 0.02, "upper": value + 0.02}


def read_json(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file."""
    path.write_text(json.dumps(content), encoding="utf-8")


@dataclass(frozen=True)
class Server:
    """A running site; its bundles as SECONDLOOK_BUNDLES names them."""

    port: int
    log: Path
    pid: int
    bundles: str

    @property
    def bundle(self) -> str:
        """The default bundle."""
        return self.bundles.split(",")[0]

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://localhost:{self.port}"

    def list_files(self) -> list[Path]:
        """What lies in its data folder, but for what SQLite puts beside a database while somebody is at it."""
        found = (self.log.parent / "data").rglob("*")
        return sorted(path for path in found if not path.name.endswith(("-wal", "-shm")))

    def ask(self, method: str, path: str, **options: Any) -> tuple[int, bytes]:
        """Return status and body of one request."""
        with closing(http.client.HTTPConnection("localhost", self.port, timeout=60)) as connection:
            connection.request(method, path, **options)
            response = connection.getresponse()
            return response.status, response.read()


@contextmanager
def hold_port() -> Iterator[int]:
    """Return a port that nobody listens on, and keep it from being given to anybody else.

    A socket that is bound and does not listen holds it; a server that reuses addresses can listen there all the same.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@contextmanager
def run_server(
    bundles: str | Path,
    folder: Path,
    *,
    router: Path | None = None,
    arguments: tuple[str, ...] = (),
    start_s: float = START_S,
) -> Iterator[Server]:
    """Run `secondlook serve` with a bundle or several and a router, its data and its log in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "SECONDLOOK_BUNDLES": str(bundles), "SECONDLOOK_DATA_FOLDER": str(folder / "data")}
    environment |= {"SECONDLOOK_ROUTER": str(router)} if router else {}
    with hold_port() as port:
        command = [str(Path(sys.executable).with_name("secondlook")), "serve", "--port", str(port), *arguments]
        with (folder / "serve.log").open("wb") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        server = Server(port, folder / "serve.log", process.pid, str(bundles))
        try:
            wait_until_ready(process, server, start_s)
            yield server
        finally:
            process.terminate()
            process.wait(timeout=60)


def wait_until_ready(process: "subprocess.Popen[bytes]", server: Server, start_s: float = START_S) -> None:
    """Wait until the site says that it is ready."""
    limit = time.monotonic() + start_s
    while time.monotonic() < limit and process.poll() is None:
        try:
            if server.ask("GET", "/readyz")[0] == http.client.OK:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"The site did not become ready:\n{server.log.read_text()}")

"""Nothing is lost when processes are killed, nor when many people send at once; on SQLite and on PostgreSQL."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clinic.databases import DATABASES, fresh_database


@pytest.fixture(params=DATABASES)
def environment(request: pytest.FixtureRequest, tmp_path: Path, site_bundle: Path) -> Iterator[dict[str, str]]:
    """Return the environment of a site of its own."""
    with fresh_database(request.param) as database:
        yield {**os.environ, "SECONDLOOK_DATA_FOLDER": str(tmp_path / "site"), **database}


def torture(environment: dict[str, str], *arguments: str) -> dict[str, Any]:
    """Run the torture and return what it found."""
    command = [sys.executable, "-m", "tests.clinic.keeping.torture", *arguments]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400, check=False)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    print(found)  # noqa: T201 - the figures, with `pytest -rP`
    return found


def test_fifty_kills_lose_nothing_and_leave_nothing(environment: dict[str, str]) -> None:
    found = torture(environment, "kill", "--rounds", "50")
    assert found["acknowledged"] > 50
    assert found["erased"] > 5
    assert found["swept"] > 5, "kills that leave nothing behind prove nothing"
    assert found["taken_over"] > 5
    assert (found["missing"], found["orphans"], found["unreadable"]) == (0, 0, 0)
    assert found["answered_once"] == found["kept"]


def test_fifty_people_send_at_once(environment: dict[str, str]) -> None:
    found = torture(environment, "crowd", "--people", "50")
    assert found["faults"] == []
    assert (found["pictures"], found["answered_once"], found["readable"], found["files"]) == (100, 100, 100, 300)
    assert found["entries"] == 200


def test_a_killed_workers_job_is_taken_over_once(environment: dict[str, str]) -> None:
    found = torture(environment, "lease")
    assert found["early"] == 0, "not before its lease is over"
    assert (found["state"], found["attempts"], found["effects"]) == ("done", 2, 1)
    assert found["by_another"]

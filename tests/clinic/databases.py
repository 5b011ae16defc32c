"""Databases that the same tests run on: SQLite, and PostgreSQL where one is named or can be started here."""

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
import pytest

from tests.site import hold_port

SQLITE, POSTGRESQL = "sqlite", "postgresql"
DATABASES = [SQLITE, POSTGRESQL]
OWNER = "postgres"


@contextmanager
def fresh_database(kind: str) -> Iterator[dict[str, str]]:
    """Return the variables that name a database without any table; skip where there is none of the kind."""
    if kind == SQLITE:
        yield {"SECONDLOOK_DATABASE_URL": "", "DATABASE_URL": ""}
        return
    server = find_server()
    if server is None:
        pytest.skip("no PostgreSQL: set DATABASE_URL to one, or install Debian's package postgresql")
    name = f"secondlook_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as session:
        session.execute(f"CREATE DATABASE {name}".encode())
        yield {"SECONDLOOK_DATABASE_URL": f"{server.rpartition('/')[0]}/{name}", "DATABASE_URL": ""}
        session.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@cache
def find_server() -> str | None:
    """Return the address of a server's own database: the one that DATABASE_URL names, or one that is started here."""
    named = os.environ.get("DATABASE_URL", "")
    if named.startswith("postgres"):
        return named
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    return start_server(programs[-1]) if programs else None


def start_server(programs: Path) -> str:
    """Start a server of its own, for these tests alone; it refuses to run as root."""
    folder = Path(tempfile.mkdtemp(prefix="secondlook-postgresql-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    switch = [] if os.getuid() else ["runuser", "-u", OWNER, "--"]
    if switch:
        os.chown(folder, pwd.getpwnam(OWNER).pw_uid, -1)

    def run(program: str, *arguments: str) -> None:
        command = [*switch, str(programs / program), "-D", str(folder / "data"), *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=folder)

    run("initdb", "--username", OWNER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8")
    with hold_port() as port:
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=200"
        run("pg_ctl", "start", "--wait", "--log", str(folder / "log"), "-o", options)
    atexit.register(run, "pg_ctl", "stop", "--mode", "immediate")
    return f"postgres://{OWNER}@127.0.0.1:{port}/postgres"

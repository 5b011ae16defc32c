"""The database at one moment, taken while others write to it; and put back into an empty one."""

import contextlib
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from secondlook.clinic.audit.chain import FIRST, Head
from secondlook.clinic.audit.models import Entry
from secondlook.clinic.files.models import FileState, KeptFile
from secondlook.errors import InputError

NAMES = f"SELECT name FROM {KeptFile._meta.db_table} WHERE state = '{FileState.KEPT.value}'"  # noqa: S608 - ours
HEAD = f"SELECT number, seal FROM {Entry._meta.db_table} ORDER BY number DESC LIMIT 1"  # noqa: S608 - ours

Found = tuple[frozenset[str], Head]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The database at one moment.

    Attributes:
        vendor: Kind of database.
        path: Where its dump lies for now.
        files: Names of the files that its rows speak of.
        head: Where its audit chain ends.
    """

    vendor: str
    path: Path
    files: frozenset[str]
    head: Head


@contextmanager
def take_snapshot(folder: Path) -> Iterator[Snapshot]:
    """Return the database as it is now, dumped into the folder until the block ends.

    Raises:
        InputError: PostgreSQL's own programs are not there or refuse.
    """
    path = folder / "database.dump"
    take = {"sqlite": dump_sqlite, "postgresql": dump_postgresql}[connection.vendor]
    try:
        files, head = take(path)
        yield Snapshot(connection.vendor, path, files, head)
    finally:
        path.unlink(missing_ok=True)


def dump_sqlite(path: Path) -> Found:
    """Copy the database as it is to one reader, whom nobody who writes meanwhile disturbs."""
    connection.ensure_connection()
    source: Any = connection.connection
    with contextlib.closing(sqlite3.connect(path)) as target:
        source.backup(target)
        return read_found(target.execute(NAMES).fetchall(), target.execute(HEAD).fetchone())


def dump_postgresql(path: Path) -> Found:
    """Have pg_dump dump the very snapshot that the names are read from."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT pg_export_snapshot()")
        (snapshot,) = cursor.fetchone()
        run_program("pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--file={path}")
        cursor.execute(NAMES)
        names = cursor.fetchall()
        cursor.execute(HEAD)
        return read_found(names, cursor.fetchone())


def read_found(names: list[tuple[str]], last: tuple[int, str] | None) -> Found:
    """Return what the rows say."""
    return frozenset(name for (name,) in names), Head(*last) if last else Head(0, FIRST)


def load_sqlite(dump: Path) -> None:
    """Check a dump and put it where the database is to be."""
    with contextlib.closing(sqlite3.connect(dump)) as source:
        if source.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise InputError("Expected a whole database in the backup; SQLite finds it damaged. Take another backup.")
    target = Path(connection.settings_dict["NAME"])
    connection.close()
    for leftover in (target.with_name(f"{target.name}-wal"), target.with_name(f"{target.name}-shm")):
        leftover.unlink(missing_ok=True)
    dump.replace(target)


def load_postgresql(dump: Path) -> None:
    """Have pg_restore fill the empty database, wholly or not at all."""
    connection.close()
    run_program("pg_restore", "--single-transaction", "--no-owner", "--exit-on-error", "--dbname=", str(dump))


LOADERS = {"sqlite": load_sqlite, "postgresql": load_postgresql}


def run_program(program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs on the database of the settings; the password goes by the environment.

    Raises:
        InputError: It is not there or refuses.
    """
    database = connection.settings_dict
    named = {"HOST": "PGHOST", "PORT": "PGPORT", "USER": "PGUSER", "PASSWORD": "PGPASSWORD", "NAME": "PGDATABASE"}
    environment = {
        **os.environ,
        **{variable: str(database[name]) for name, variable in named.items() if database[name]},
    }
    arguments = tuple(f"--dbname={database['NAME']}" if each == "--dbname=" else each for each in arguments)
    try:
        subprocess.run([program, *arguments], env=environment, check=True, capture_output=True)  # noqa: S603 - ours
    except FileNotFoundError as error:
        raise InputError(
            f"Expected {program} on this machine; install PostgreSQL's client programs (postgresql-client)."
        ) from error
    except subprocess.CalledProcessError as error:
        # What it says names tables and versions, and rows where it fails on them: that stays here.
        first = error.stderr.decode(errors="replace").splitlines()[:1]
        version = first[0] if first and "version" in first[0] else ""
        raise InputError(f"{program} refused (exit code {error.returncode}). {version}".strip()) from error


def is_empty() -> bool:
    """Return whether the database has no tables of ours yet."""
    return not connection.introspection.table_names()

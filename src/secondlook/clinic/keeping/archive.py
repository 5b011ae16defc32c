"""How a backup is laid out: one tar archive, read and written member by member, without any of Django."""

import io
import json
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from secondlook.errors import InputError

FACTS = "backup.json"
KEYS = "keys.json"
PICTURES = "pictures/"
DATABASE = "database/"
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Facts:
    """What a backup is; the last member of its archive, so that a backup without it was not finished.

    Attributes:
        schema: Version of this layout.
        key: Its own name.
        made_at: When.
        software: Version that made it.
        vendor: Kind of database.
        parts: Parts of the database.
        files: Number of pictures' files.
        lost: Files that rows speak of and that are nowhere.
        key_mark: What tells the key apart that it is sealed with.
        head: End of the audit chain.
    """

    schema: int
    key: str
    made_at: str
    software: str
    vendor: str
    parts: int
    files: int
    lost: int
    key_mark: str
    head: str


def refuse_backup() -> InputError:
    """Return the refusal of what is no whole backup."""
    return InputError("Expected what `secondlook backup` wrote; this is something else, or was not finished.")


def open_backup(path: Path) -> tarfile.TarFile:
    """Return the archive of a backup.

    Raises:
        InputError: It is none.
    """
    try:
        return tarfile.open(path)
    except (OSError, tarfile.TarError) as error:
        raise refuse_backup() from error


def read_json(archive: tarfile.TarFile, name: str) -> dict[str, Any]:
    """Return a member that is JSON."""
    content: dict[str, Any] = json.loads(read_member(archive, name))
    return content


def list_members(archive: tarfile.TarFile) -> list[str]:
    """Return the names of all members.

    Raises:
        InputError: The archive is cut short.
    """
    try:
        return archive.getnames()
    except (OSError, EOFError, tarfile.TarError) as error:
        raise refuse_backup() from error


def read_member(archive: tarfile.TarFile, name: str) -> bytes:
    """Return a member.

    Raises:
        InputError: It is not there, or cut short.
    """
    try:
        stream: IO[bytes] = archive.extractfile(name)  # type: ignore[assignment]  # nothing for folders alone
        with stream:
            return stream.read()
    except (KeyError, AttributeError, EOFError, OSError, tarfile.TarError) as error:
        raise refuse_backup() from error


def read_keys(path: Path) -> dict[str, str] | None:
    """Return the keys in a backup, if they are in it.

    Raises:
        InputError: It is no backup.
    """
    with open_backup(path) as archive:
        return read_json(archive, KEYS) if KEYS in list_members(archive) else None


def add_member(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    """Add a member."""
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = len(data), 0o600, int(time.time())
    archive.addfile(member, io.BytesIO(data))

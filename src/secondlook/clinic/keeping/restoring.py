"""Put a backup back where nothing is yet."""

import tarfile
import tempfile
from pathlib import Path

from django.conf import settings
from django.db import connection

from secondlook.clinic.audit.services import record
from secondlook.clinic.files.models import KeptFile
from secondlook.clinic.files.sealing import SealError, mark_key, unseal
from secondlook.clinic.files.store import delete_sealed, write_sealed
from secondlook.clinic.keeping.archive import (
    DATABASE,
    FACTS,
    PICTURES,
    SCHEMA,
    Facts,
    list_members,
    open_backup,
    read_json,
    read_member,
)
from secondlook.clinic.keeping.snapshots import LOADERS, is_empty
from secondlook.errors import InputError


def restore_backup(path: Path) -> Facts:
    """Put a backup into the empty site that the settings describe: the pictures first, the database last and at once.

    Raises:
        InputError: It is no whole backup, the site is not empty, or has another key or kind of database.
    """
    with open_backup(path) as archive:
        facts = Facts(**read_json(archive, FACTS))
        demand_fit(facts)
        pictures = [name for name in list_members(archive) if name.startswith(PICTURES)]
        for member in pictures:
            write_picture(archive, member)
        with tempfile.TemporaryDirectory(dir=settings.CONFIGURATION.data_folder) as folder:
            dump = Path(folder) / "database.dump"
            write_dump(archive, facts, dump)
            LOADERS[facts.vendor](dump)
    # What was erased while the backup was taken is in the archive and in no row.
    names = {name.removeprefix(PICTURES) for name in pictures}
    for name in names.difference(KeptFile.objects.values_list("name", flat=True)):
        delete_sealed(name)
    record(None, "backup.restored", details={"key": facts.key, "files": facts.files})
    return facts


def demand_fit(facts: Facts) -> None:
    """Refuse a backup that cannot be put back here.

    Raises:
        InputError: The site is not empty, or has another key or kind of database.
    """
    if facts.schema != SCHEMA:
        raise InputError(f"Expected a backup of layout {SCHEMA}, got {facts.schema}. Use the version that made it.")
    if facts.key_mark != mark_key(settings.FILES_KEY).hex():
        raise InputError(
            "Expected the key that the backup is sealed with; this site has another one. Set SECONDLOOK_FILES_KEY, or "
            "SECONDLOOK_FILES_KEY_FILE, to that of the site that was backed up."
        )
    if facts.vendor != connection.vendor:
        raise InputError(
            f"Expected a database of the kind {facts.vendor}, got {connection.vendor}. Set SECONDLOOK_DATABASE_URL."
        )
    if not is_empty():
        raise InputError(
            "Expected an empty site, this one has data. Set SECONDLOOK_DATA_FOLDER (and SECONDLOOK_DATABASE_URL) to a "
            "place where nothing is yet."
        )


def write_picture(archive: tarfile.TarFile, member: str) -> None:
    """Check a picture's file and put it into the store.

    Raises:
        InputError: It was changed.
    """
    name, sealed = member.removeprefix(PICTURES), read_member(archive, member)
    open_part(sealed, name=name)
    # A restoring that was killed left some: the same again is harmless.
    delete_sealed(name)
    write_sealed(name, sealed)


def write_dump(archive: tarfile.TarFile, facts: Facts, dump: Path) -> None:
    """Write the database's dump from its sealed parts.

    Raises:
        InputError: A part was changed.
    """
    with dump.open("wb") as stream:
        for number in range(1, facts.parts + 1):
            sealed = read_member(archive, f"{DATABASE}{number:06}")
            stream.write(open_part(sealed, name=f"{facts.key}/{number}"))


def open_part(sealed: bytes, *, name: str) -> bytes:
    """Return what a member holds.

    Raises:
        InputError: It was changed.
    """
    try:
        return unseal(sealed, name=name)
    except SealError as error:
        raise InputError("Expected a whole backup; a part of it was changed. Take another one.") from error

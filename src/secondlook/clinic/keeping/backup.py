"""Backups: one file with the database at one moment and every picture that it speaks of, sealed as it lies.

The file is a tar archive. Pictures are in it as they are stored, encrypted; the database is encrypted in parts with the
same key; the keys are in it only where that was asked for.
"""

import base64
import json
import tarfile
import tempfile
from dataclasses import asdict
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from secondlook import __version__
from secondlook.clinic.audit.services import record
from secondlook.clinic.files.durable import write_durably
from secondlook.clinic.files.models import FileState, KeptFile
from secondlook.clinic.files.sealing import mark_key, seal
from secondlook.clinic.files.store import read_sealed
from secondlook.clinic.keeping.archive import DATABASE, FACTS, KEYS, PICTURES, SCHEMA, Facts, add_member
from secondlook.clinic.keeping.snapshots import Snapshot, take_snapshot
from secondlook.clinic.keys import make_key
from secondlook.errors import InputError

PART_BYTES = 16 * 2**20


def write_backup(path: Path, *, with_keys: bool = False) -> Facts:
    """Write a backup, while the site may run; the file appears under its name when it is whole.

    Args:
        path: Where to.
        with_keys: Whether the keys are in it; whoever has the file then has everything.

    Raises:
        InputError: The file is there already or cannot be written.
    """
    if path.exists():
        raise InputError(f"Expected a new file for the backup; {path.name} is there already. Choose another name.")
    try:
        with write_durably(path) as draft, tarfile.open(fileobj=draft, mode="w", format=tarfile.PAX_FORMAT) as archive:
            facts = fill_archive(archive, with_keys=with_keys)
    except OSError as error:
        raise InputError(f"Expected a place for the backup: {error.strerror}.") from error
    record(None, "backup.made", details={"key": facts.key, "files": facts.files, "with_keys": with_keys})
    return facts


def fill_archive(archive: tarfile.TarFile, *, with_keys: bool) -> Facts:
    """Write all of a backup; the database is the last of it, and speaks of no file that is not there before it."""
    if with_keys:
        keys = {"files_key": base64.b64encode(settings.FILES_KEY).decode(), "secret_key": settings.SECRET_KEY}
        add_member(archive, KEYS, json.dumps(keys).encode())
    copied = set[str]()
    with tempfile.TemporaryDirectory(dir=settings.CONFIGURATION.data_folder) as folder:
        while True:
            with take_snapshot(Path(folder)) as snapshot:
                gone = copy_files(archive, snapshot.files - copied, copied)
                lost = set(KeptFile.objects.filter(name__in=gone, state=FileState.KEPT).values_list("name", flat=True))
                if gone == lost:
                    return add_database(archive, snapshot, lost=len(lost))
                # Something was erased meanwhile: take the database as it is after that.


def copy_files(archive: tarfile.TarFile, names: frozenset[str], copied: set[str]) -> set[str]:
    """Copy sealed files, and return which are not there."""
    gone = set[str]()
    for name in sorted(names):
        try:
            add_member(archive, PICTURES + name, read_sealed(name))
            copied.add(name)
        except FileNotFoundError:
            gone.add(name)
    return gone


def add_database(archive: tarfile.TarFile, snapshot: Snapshot, *, lost: int) -> Facts:
    """Add the database in sealed parts, and what the backup is."""
    key, count = make_key(), 0
    with snapshot.path.open("rb") as stream:
        while part := stream.read(PART_BYTES):
            count += 1
            add_member(archive, f"{DATABASE}{count:06}", seal(part, name=f"{key}/{count}"))
    facts = Facts(
        schema=SCHEMA,
        key=key,
        made_at=timezone.now().isoformat(),
        software=__version__,
        vendor=snapshot.vendor,
        parts=count,
        files=len(snapshot.files) - lost,
        lost=lost,
        key_mark=mark_key(settings.FILES_KEY).hex(),
        head=str(snapshot.head),
    )
    add_member(archive, FACTS, json.dumps(asdict(facts), indent=1).encode())
    return facts

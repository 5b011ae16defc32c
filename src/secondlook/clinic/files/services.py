"""Keep files together with the rows that name them, whatever happens in between.

The order is what keeps them together. First a row that says which file is to be, committed; then the file, forced to
the disk; then one transaction with the row that names it and the confirmation. A process that is killed leaves either
both, or an unconfirmed row, which `sweep_files` removes with its file. Dropping runs backwards: one transaction
condemns the file and removes what names it, then the file goes, then its row.

    with kept_files(practice) as keep:
        shown = keep(jpeg)
        with transaction.atomic():
            Picture.objects.create(shown=shown, ...)
            keep.confirm()
"""

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from secondlook.clinic.accounts.models import Practice
from secondlook.clinic.files.models import FileState, KeptFile
from secondlook.clinic.files.sealing import seal, unseal
from secondlook.clinic.files.store import delete_sealed, read_sealed, write_sealed
from secondlook.errors import SecondlookError

logger = logging.getLogger(__name__)

# Nobody takes as long from the first file to the confirmation; one who does is refused then, and loses nothing else.
GRACE = timedelta(minutes=10)


class FileLostError(SecondlookError):
    """A file that a row names is not there, or may no longer be confirmed."""


class Keep:
    """Keeps files of one upload, which are confirmed together."""

    def __init__(self, practice: Practice) -> None:
        self.practice = practice
        self.names: list[str] = []

    def __call__(self, data: bytes) -> str:
        """Keep one file, as yet unconfirmed, and return its name."""
        self.names.append(keep_file(data, practice=self.practice))
        return self.names[-1]

    def confirm(self) -> None:
        """Confirm all of them, within the transaction that stores their names."""
        confirm_files(*self.names)


@contextmanager
def kept_files(practice: Practice) -> Iterator[Keep]:
    """Return what keeps the files of one upload; where the block fails they are removed at once."""
    keep = Keep(practice)
    try:
        yield keep
    except BaseException:
        discard_files(KeptFile.objects.filter(name__in=keep.names, state=FileState.INTENDED))
        raise


def keep_file(data: bytes, *, practice: Practice) -> str:
    """Seal and store a file, and return its random name; it stays only if `confirm_files` is called in time.

    It cannot be called within a transaction, for the row that says which file is to be must be there before the file.
    """
    name = secrets.token_hex(20)
    with transaction.atomic(durable=True):
        row = KeptFile.objects.create(name=name, practice=practice, size_bytes=len(data))
    try:
        write_sealed(name, seal(data, name=name))
    except BaseException:
        discard_files(KeptFile.objects.filter(pk=row.pk))
        raise
    return name


def confirm_files(*names: str) -> None:
    """Make files stay, within the transaction that stores their names.

    Raises:
        FileLostError: One is not waiting for it any more; the transaction must not be committed.
    """
    waiting = KeptFile.objects.filter(name__in=names, state=FileState.INTENDED)
    if waiting.update(state=FileState.KEPT, changed_at=timezone.now()) != len(set(names)):
        raise FileLostError("A file took too long to be confirmed and was removed. Send the picture again.")


def read_file(name: str) -> bytes:
    """Return the content of a kept file.

    Raises:
        FileLostError: It is not there.
        SealError: It was changed, or is sealed with another key.
    """
    try:
        return unseal(read_sealed(name), name=name)
    except FileNotFoundError as error:
        raise FileLostError("A kept file is not there any more. Restore it from a backup.") from error


def drop_file(*names: str) -> None:
    """Remove files for good together with the rows that name them: both when this transaction is committed, or none."""
    with transaction.atomic():
        rows = KeptFile.objects.filter(name__in=names)
        rows.update(state=FileState.CONDEMNED, changed_at=timezone.now())
        transaction.on_commit(lambda: discard_files(rows.filter(state=FileState.CONDEMNED)), robust=True)


def sweep_files(*, grace: timedelta = GRACE) -> int:
    """Remove what killed processes left, files and rows, and return how many there were."""
    before = timezone.now() - grace
    left = KeptFile.objects.filter(state__in=(FileState.INTENDED, FileState.CONDEMNED), changed_at__lt=before)
    return discard_files(left)


def discard_files(rows: QuerySet[KeptFile]) -> int:
    """Remove unconfirmed and condemned files, then their rows; a row that is confirmed meanwhile keeps its file."""
    discarded = 0
    for pk, name in rows.values_list("pk", "name"):
        row = KeptFile.objects.filter(pk=pk).exclude(state=FileState.KEPT)
        # Nobody can confirm a condemned file: only after this is it safe to remove it.
        if row.update(state=FileState.CONDEMNED):
            delete_sealed(name)
            discarded += row.delete()[0]
    return discarded

"""Files for their owner alone that are whole and on the disk, or not there."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def write_durably(path: Path) -> Iterator[BinaryIO]:
    """Give a file beside the path; once it is forced to the disk, it takes the path's place.

    Only its owner reads it, from the first byte on. Whatever goes wrong while it is written, nothing is left of it.

    Raises:
        OSError: It cannot be written; a file that was there before is as it was.
    """
    handle, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".draft", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_once(path: Path, content: bytes) -> None:
    """Write a file unless it is there; where several processes do at once, the first one's stays.

    Raises:
        OSError: It cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix=f"{path.name}.", dir=path.parent) as folder:
        draft = Path(folder) / path.name
        with write_durably(draft) as stream:
            stream.write(content)
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Force a folder's own entries to the disk, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

"""Write a file whole or not at all."""

import os
from pathlib import Path


def replace_file(path: Path, content: bytes, *, scrap: str = ".tmp") -> None:
    """Replace a file atomically; where it cannot be written, nothing is left of the attempt.

    Args:
        path: The file.
        content: What it is to hold.
        scrap: What the name of the draft ends with. By the usual one, one process writes the file at a time: what one
            that was killed has left, the next replaces, and a bundle's folder holds nothing that does not belong. Where
            several processes may write the same file, each needs another.

    Raises:
        OSError: It cannot be written; a file that was there before is as it was.
    """
    temporary = path.with_name(f"{path.name}{scrap}")
    try:
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise

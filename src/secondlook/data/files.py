"""Write a file whole or not at all."""

import os
from pathlib import Path


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file atomically; where it cannot be written, nothing is left of the attempt.

    One process writes the file at a time: what one that was killed has left, the next replaces, and a bundle's folder
    holds nothing that does not belong.

    Raises:
        OSError: It cannot be written; a file that was there before is as it was.
    """
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise

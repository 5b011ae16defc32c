"""Write the files of a run folder whole or not at all."""

import csv
import io
from pathlib import Path

from secondlook.data.files import replace_file


def write_text(file: Path, text: str) -> None:
    """Replace a file atomically."""
    replace_file(file, text.encode())


def write_history(file: Path, history: list[dict[str, float]]) -> None:
    """Write the history as CSV, one row per epoch."""
    text = io.StringIO()
    names = dict.fromkeys(name for row in history for name in row)  # earlier versions wrote fewer columns
    writer = csv.DictWriter(text, fieldnames=list(names), lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    write_text(file, text.getvalue())

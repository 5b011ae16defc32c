"""Tables in text files, as this program, others and spreadsheets write them."""

from collections.abc import Mapping
from io import StringIO
from pathlib import Path

import pandas as pd

from secondlook.errors import DatasetError


def read_csv(
    path: Path, *, wanted: str, dtype: type[str] | Mapping[str, type[str]], empty_lines: bool = False
) -> pd.DataFrame:
    """Read a table whose cells are parted by commas, semicolons or tabs; only an empty cell is missing.

    Args:
        path: The file.
        wanted: What was expected, for the message.
        dtype: The type of all columns, or of some.
        empty_lines: Whether an empty line is a row without a value, so that rows count as an editor counts them.

    Raises:
        OSError: The file cannot be opened.
        DatasetError: It is no such table.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            text = stream.read()
        # "NA" and "None" may well be a label, a group or a file.
        frame = pd.read_csv(
            StringIO(text, newline=""),
            sep=find_separator(text.partition("\n")[0]),
            dtype=dtype,
            keep_default_na=False,
            na_values=[""],
            skip_blank_lines=not empty_lines,
        )
    except UnicodeDecodeError as error:
        why = "it is no text in UTF-8. Save it as CSV in UTF-8; Excel calls that “CSV UTF-8”"
        raise explain_table(path, wanted, why) from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        why = str(error).strip().removeprefix("Error tokenizing data. C error: ")
        raise explain_table(path, wanted, why) from error
    if len(frame) and not isinstance(frame.index, pd.RangeIndex):
        # Pandas would take the first cells for the names of the rows, and every value for that of a column further on.
        raise explain_table(path, wanted, "row 2 has more cells than the header has. Give each column a name")
    return frame


def explain_table(path: Path, wanted: str, why: str) -> DatasetError:
    """Return what to say of a file that is no table."""
    return DatasetError(f"Expected {wanted}; {path.name} cannot be read as one: {why}.")


def read_header(path: Path) -> str:
    """Return the first line of a text file; empty where there is none to be read."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as stream:
            return stream.readline().rstrip("\n")
    except OSError:
        return ""


def find_separator(header: str) -> str:
    """Return what parts the columns of a table: a tab, a semicolon (as office programs write) or a comma."""
    return next((mark for mark in ("\t", ";") if mark in header), ",")

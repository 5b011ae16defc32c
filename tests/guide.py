"""The examples of the documentation, for tests that run them."""

import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"


def read_examples(page: str, heading: str, language: str = "python") -> list[str]:
    """Return the blocks of a language below a heading of a page, up to the next heading."""
    text = (DOCS / page).read_text(encoding="utf-8")
    [section] = re.findall(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", text, re.MULTILINE | re.DOTALL)
    return re.findall(rf"^```{language}\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


def run_example(example: str) -> dict[str, Any]:
    """Run a Python example of ours and return the names that it makes."""
    names: dict[str, Any] = {}
    exec(example, names)  # noqa: S102
    return names

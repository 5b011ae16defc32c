"""A progress bar on standard error, where that is a terminal."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from rich.console import Console
from rich.progress import Progress

if TYPE_CHECKING:
    from secondlook.data.fingerprint import Track

Item = TypeVar("Item")


@contextmanager
def show_progress(console: Console) -> "Iterator[Track]":
    """Give a function that shows how far a loop is."""
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:

        def track(items: Iterable[Item], description: str, total: int) -> Iterable[Item]:
            return progress.track(items, total=total, description=description)

        yield track

"""Read a page as a person would who has no network: its text, its tables, and everything that it would load."""

from html.parser import HTMLParser
from pathlib import Path

VOID = {"img", "meta", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Collect text, elements and addresses of a page, and whether its elements are closed in order.

    Attributes:
        text: All text, tags left out.
        elements: Every element that was opened, with its attributes.
        addresses: What the page points at or would load.
        crossed: Closing tags that close another element than the one that was opened last.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.text = ""
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.addresses: list[str] = []
        self.crossed: list[str] = []
        self._open: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        self.crossed += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.elements.append((tag, found))
        self.addresses += [found[name] for name in ("src", "href", "action", "data", "srcset") if name in found]
        self._open += [tag] if tag not in VOID else []

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.crossed.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data if not self._open or self._open[-1] != "style" else ""

    def find(self, tag: str, **attributes: str) -> list[dict[str, str]]:
        """Return the attributes of every element of this tag that has these attributes."""
        return [
            found
            for name, found in self.elements
            if name == tag and all(found.get(key) == value for key, value in attributes.items())
        ]

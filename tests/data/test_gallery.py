"""The page of an audit opens offline and shows what the audit found."""

import base64
import io
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from secondlook.data.gallery import write_gallery
from secondlook.data.leakage import audit_manifest
from secondlook.errors import DatasetError
from tests.data.conftest import Build


class Reader(HTMLParser):
    """Collect images, text and every address in a page."""

    def __init__(self) -> None:
        super().__init__()
        self.images: list[dict[str, str | None]] = []
        self.addresses: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.images += [found] if tag == "img" else []
        self.addresses += [str(found[name]) for name in ("src", "href", "action", "data") if name in found]

    def handle_data(self, data: str) -> None:
        self.text += data


def read_page(path: Path) -> Reader:
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader


def test_the_page_shows_both_pictures_and_needs_no_network(build_manifest: Build, tmp_path: Path) -> None:
    manifest = build_manifest({"in/a<b>.png": ("nv", "g&1", "train"), "in/c.png": ("mel", "g2", "test")})
    shutil.copy(tmp_path / "in" / "a<b>.png", tmp_path / "in" / "c.png")
    write_gallery(audit_manifest(manifest), tmp_path / "pages" / "audit.html")
    page = read_page(tmp_path / "pages" / "audit.html")
    assert [image["alt"] for image in page.images] == ["Picture a<b>.png", "Picture c.png"]
    assert all(address.startswith("data:image/jpeg;base64,") for address in page.addresses)
    assert len(page.addresses) == 2
    for address in page.addresses:
        with Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))) as image:
            assert image.size == (200, 150)
    for words in ("Identical file", "split train, label nv, group g&1", "1 pair of identical files", "do not commit"):
        assert words in page.text
    assert not re.search(r"https?://", (tmp_path / "pages" / "audit.html").read_text())
    assert str(tmp_path) not in page.text


def test_a_page_without_leaks_says_so(build_manifest: Build, tmp_path: Path) -> None:
    write_gallery(audit_manifest(build_manifest({"a.png": ("nv", "g", "train")})), tmp_path / "audit.html")
    page = read_page(tmp_path / "audit.html")
    assert "No leak between splits in 1 picture." in page.text
    assert page.images == []
    assert "pictures of patients" not in page.text


def test_a_long_page_is_cut_and_says_so(build_manifest: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secondlook.data.gallery.SHOWN_PAIRS", 2)
    rows = {f"{part}{number}.png": ("nv", f"g{number}", part) for part in ("train", "test") for number in range(3)}
    write_gallery(audit_manifest(build_manifest(rows)), tmp_path / "audit.html")
    page = read_page(tmp_path / "audit.html")
    assert len(page.images) == 4
    assert "(2 of 3 pairs)" in page.text


def test_a_page_that_cannot_be_written_is_refused(build_manifest: Build, tmp_path: Path) -> None:
    report = audit_manifest(build_manifest({"a.png": ("nv", "g", "train")}))
    (tmp_path / "taken").mkdir()
    with pytest.raises(DatasetError, match="the page taken"):
        write_gallery(report, tmp_path / "taken")
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".tmp"] == []

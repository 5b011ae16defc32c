"""HTML to tagged PDF. Imported when the first report is made, for WeasyPrint needs Pango from the system."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from weasyprint import CSS, HTML
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

STYLE = Path(__file__).with_name("report.css")
SCHEME = "kept:"


class Fetcher(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
    """Hands out the pictures of one report by name, and fetches nothing else from anywhere.

    Args:
        pictures: Content by name, each a PNG or a JPEG.
    """

    def __init__(self, pictures: Mapping[str, bytes]) -> None:
        super().__init__(allowed_protocols=(), allow_redirects=False, fail_on_errors=True)
        self._pictures = pictures

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:  # noqa: ARG002 - as its parent has it
        """Return a picture of the report."""
        name = url.removeprefix(SCHEME)
        if name == url or name not in self._pictures:
            raise FatalURLFetchingError("A report holds its own pictures alone; nothing else is fetched.")
        return URLFetcherResponse(url, body=self._pictures[name], headers={"Content-Type": "image/jpeg"})


def render_pdf(html: str, pictures: Mapping[str, bytes]) -> bytes:
    """Return HTML as PDF/UA-1: tagged, with its title and its language.

    Args:
        html: A whole page; pictures in it are named ``kept:NAME``.
        pictures: Content by name.
    """
    fetcher = Fetcher(pictures)
    page = HTML(string=html, base_url="", url_fetcher=fetcher)
    style = CSS(string=STYLE.read_text(encoding="utf-8"), url_fetcher=fetcher)
    pdf: bytes = page.write_pdf(stylesheets=[style], pdf_variant="pdf/ua-1")
    return pdf

"""Debian's Chromium on the running site. Set SECONDLOOK_NO_BROWSER=1 to leave these tests out, knowingly."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from scripts.screenshots import CHROMIUM, DEVICES, open_browser
from tests.site import Server, build_site_bundles, run_server

OpenPage = Callable[..., Page]
Enter = Callable[[str], StorageState]
PATIENCE_MS = 20_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip only where somebody said so."""
    if os.environ.get("SECONDLOOK_NO_BROWSER"):
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="SECONDLOOK_NO_BROWSER is set"))


@pytest.fixture(autouse=True, scope="session")
def patience() -> None:
    """Wait for what is expected of a page as long as for anything that is done on it."""
    expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return a running Chromium, for one file: Django's own tests refuse to run beside Playwright's event loop."""
    if not shutil.which(CHROMIUM):
        pytest.fail(f"The browser tests need Chromium at {CHROMIUM}: apt-get install chromium", pytrace=False)
    with open_browser() as running:
        yield running


@pytest.fixture(scope="session")
def server(tiny_bundle: Path, tiny_router: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a running `secondlook serve`."""
    folder = tmp_path_factory.mktemp("site")
    bundles = build_site_bundles(folder / "bundles", tiny_bundle)
    with run_server(bundles, folder, router=tiny_router) as running:
        yield running


@pytest.fixture(scope="session")
def demo(tiny_bundle: Path, tiny_router: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a running site with the demo's practice."""
    folder = tmp_path_factory.mktemp("demo")
    bundles = build_site_bundles(folder / "bundles", tiny_bundle)
    with run_server(bundles, folder, router=tiny_router, arguments=("--demo",)) as running:
        yield running


@pytest.fixture(scope="session")
def visitors() -> dict[str, StorageState]:
    """Return what a browser keeps of each role that has come in; a link of the demo opens once."""
    return {}


@pytest.fixture(scope="module")
def enter(browser: Browser, demo: Server, visitors: dict[str, StorageState]) -> Enter:
    """Return ``enter(role)``: what a browser keeps after the link of the demo's person was opened, once."""

    def open_link(role: str) -> StorageState:
        if role in visitors:
            return visitors[role]
        link = re.search(rf"{role} +http://[^/]+(/\S+)", demo.log.read_text(encoding="utf-8"))
        assert link
        context = browser.new_context()
        context.new_page().goto(demo.url + link[1])
        visitors[role] = context.storage_state()
        context.close()
        return visitors[role]

    return open_link


@pytest.fixture
def open_page(browser: Browser, server: Server) -> Iterator[OpenPage]:
    """Return a function that opens the site; at the end nothing may have gone wrong or astray in any page.

    Nothing moves by itself there unless asked to: what still scrolls or fades is no more to be measured than to be hit.
    """
    contexts, troubles, hosts = [], [], set()

    def open_site(device: str = "desktop", path: str = "/try/", *, site: Server = server, **options: Any) -> Page:
        context = browser.new_context(**{"locale": "en", "reduced_motion": "reduce", **DEVICES[device], **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda message: troubles.append(message.text) if is_fault(message.text) else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
        page.goto(site.url + path)
        return page

    yield open_site
    for context in contexts:
        context.close()
    assert troubles == []
    assert hosts <= {"localhost", None, ""}


def is_fault(message: str) -> bool:
    """Tell whether a line of the console is more than a note of a refusal, or of the connection that one test cuts."""
    return not re.search(
        "the server responded with a status of 4|ERR_CONNECTION_FAILED|^htmx:(afterRequest|sendError)", message
    )

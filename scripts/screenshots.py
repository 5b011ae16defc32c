"""Photograph the real site with drawn pictures: each task, desktop and phone, English and French, light and dark.

    python -m scripts.screenshots FOLDER [--bundles skin,chest,knee] [--task TASK]

Without bundles it makes the small ones of the tests, which know drawn pictures and nothing else. `answer.png` is the
picture in the README, one screen of the desktop.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, FilePayload, Page, sync_playwright

from tests.routers import build_router
from tests.site import SHOWS, build_site_bundles, draw_triage, run_server

CHROMIUM = os.environ.get("SECONDLOOK_CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DEVICES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 860}},
    "phone": {
        "viewport": {"width": 360, "height": 740},
        "device_scale_factor": 2,
        "has_touch": True,
        "is_mobile": True,
    },
}
LOOKS: list[tuple[str, Literal["light", "dark"]]] = [("en", "light"), ("fr", "light"), ("en", "dark")]
IN_README = ("desktop-en-light", "skin", "urgent")
SIZES = {"skin": (800, 600), "chest": (960, 760), "knee": (800, 800)}


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Run Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def photograph(page: Page, url: str, name: str, task: str, folder: Path) -> None:
    """Photograph the empty page, the preview and the answers of one task."""
    page.goto(f"{url}/try/?task={task}")
    page.screenshot(path=folder / f"{name}-{task}-empty.png", full_page=True)
    for triage in (*SHOWS[task].pictures, "not_evaluable"):
        page.goto(f"{url}/try/?task={task}")
        picture = draw_triage(triage, task, size=SIZES[task])
        upload: FilePayload = {"name": "picture.png", "mimeType": "image/png", "buffer": picture}
        page.set_input_files("#file", upload)
        page.wait_for_selector("#canvas[style*=width]")
        if triage == "refer":
            page.screenshot(path=folder / f"{name}-{task}-preview.png", full_page=True)
        page.click("#send")
        page.wait_for_selector("#shown[href^=blob]")
        page.screenshot(path=folder / f"{name}-{task}-{triage}.png", full_page=True)
        if (name, task, triage) == IN_README:
            page.screenshot(path=folder / "answer.png")


def photograph_led(page: Page, url: str, name: str, folder: Path) -> None:
    """Photograph the page where the picture itself says what it shows, and where it is nothing of the kind."""
    page.goto(f"{url}/try/")
    page.screenshot(path=folder / f"{name}-auto-empty.png", full_page=True)
    for triage in ("refer", "not_evaluable"):
        page.goto(f"{url}/try/")
        upload: FilePayload = {"name": "picture.png", "mimeType": "image/png", "buffer": draw_triage(triage)}
        page.set_input_files("#file", upload)
        page.wait_for_selector("#canvas[style*=width]")
        page.click("#send")
        page.wait_for_selector("#shown[href^=blob]")
        page.screenshot(path=folder / f"{name}-auto-{triage}.png", full_page=True)


def find_tasks(page: Page, url: str) -> list[str]:
    """Return the tasks that the site offers and that can be drawn."""
    page.goto(f"{url}/try/")
    offered = [radio.get_attribute("value") for radio in page.locator("[name=task]").all()]
    return [task for task in SHOWS if task in offered]


def main() -> None:
    """Photograph every look on every device."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bundles")
    parser.add_argument("--task", choices=tuple(SHOWS))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        bundles = options.bundles or build_site_bundles(place / "bundles")
        router = None if options.bundles else build_router(place / "router")
        with run_server(bundles, place / "server", router=router) as server, open_browser() as browser:
            for device, settings in DEVICES.items():
                for language, scheme in LOOKS:
                    context = browser.new_context(locale=language, color_scheme=scheme, **settings)
                    page = context.new_page()
                    if not options.task and page.goto(f"{server.url}/try/") and page.locator("[value=auto]").count():
                        photograph_led(page, server.url, f"{device}-{language}-{scheme}", options.folder)
                    for task in [options.task] if options.task else find_tasks(page, server.url):
                        photograph(page, server.url, f"{device}-{language}-{scheme}", task, options.folder)
                    context.close()


if __name__ == "__main__":
    main()

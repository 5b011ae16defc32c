"""Photograph the real site with drawn pictures: desktop and phone, English and French, light and dark.

    python -m scripts.screenshots FOLDER [--bundle NAME_OR_FOLDER]

Without a bundle it makes the small one of the tests, which knows drawn lesions and nothing else. `answer.png` is the
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

from tests.bundles import build_bundle
from tests.site import build_site_bundle, draw_triage, run_server

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
IN_README = ("desktop-en-light", "urgent")
TRIAGES = ("urgent", "refer", "routine", "not_evaluable")


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Run Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def photograph(page: Page, url: str, name: str, folder: Path) -> None:
    """Photograph the empty page, the preview and the answers."""
    page.goto(url)
    page.screenshot(path=folder / f"{name}-empty.png", full_page=True)
    for triage in TRIAGES:
        page.goto(url)
        picture = draw_triage(triage, size=(800, 600))
        upload: FilePayload = {"name": "lesion.png", "mimeType": "image/png", "buffer": picture}
        page.set_input_files("#file", upload)
        page.wait_for_selector("#frame[style*=width]")
        if triage == TRIAGES[0]:
            page.screenshot(path=folder / f"{name}-preview.png", full_page=True)
        page.click("#send")
        page.wait_for_selector("#shown[href^=blob]")
        page.screenshot(path=folder / f"{name}-{triage}.png", full_page=True)
        if (name, triage) == IN_README:
            page.screenshot(path=folder / "answer.png")


def main() -> None:
    """Photograph every look on every device."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bundle")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        bundle = options.bundle or build_site_bundle(build_bundle(place / "tiny"), place / "site")
        with run_server(bundle, place / "server") as server, open_browser() as browser:
            for device, settings in DEVICES.items():
                for language, scheme in LOOKS:
                    context = browser.new_context(locale=language, color_scheme=scheme, **settings)
                    photograph(context.new_page(), server.url, f"{device}-{language}-{scheme}", options.folder)
                    context.close()


if __name__ == "__main__":
    main()

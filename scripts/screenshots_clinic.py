"""Photograph the clinic as each role sees it, from the demo's drawn practice: desktop and phone, both languages, dark.

    python -m scripts.screenshots_clinic FOLDER

The shipped models answer; what the script finds shut to somebody (axe) or wider than its window, it prints.
"""

import argparse
import re
import tempfile
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, StorageState

from scripts.screenshots import DEVICES, LOOKS, open_browser
from secondlook.inference.bundle import list_bundles
from tests.site import Server, run_server

START_S = 180  # the demo is drawn and answered before the site listens
# Where each role goes, step by step: an address, or what to click on the page that was opened last.
WALKS = {
    "nobody": {"home": "/", "try": "/try/", "models": "/models/", "log-in": "/account/login/"},
    "clinician": {
        "home": "/",
        "patients": "/patients/",
        "nobody-fits": "/patients/?text=nobody",
        "lesions": "/lesions/",
        "results": "/results/",
        "export": "/results/export/",
        "new-patient": "/patients/new/",
        "patient": "/patients/?text=dupont >> .row-name",
        "new-lesion": "@patient >> a[href$='lesions/new/']",
        "new-visit": "@patient >> a[href$='visits/new/']",
        "data": "@patient >> a[href$='data/']",
        "lesion": "@patient >> .lesion-list a",
        "timeline": "@lesion >> a[href$='timeline/']",
        "visit": "@patient >> .rows-visits a",
        "send": "@visit >> a[href$='pictures/']",
        "picture": "@visit >> .picture-card a",
        "account": "/account/",
        "tokens": "/account/tokens/",
    },
    "reviewer": {"home": "/", "queue": "/review/", "reviewing": "/review/ >> main a[href*='queue']"},
    "administrator": {
        "home": "/",
        "people": "/people/",
        "practice": "/people/practice/",
        "practices": "/people/practices/",
        "audit": "/audit/",
    },
    "patient": {"home": "/", "picture": "/ >> .picture-card a", "record": "/ >> a[href^='/patients/']"},
}


def enter(browser: Browser, server: Server) -> dict[str, StorageState]:
    """Return what the browser of each role keeps after its link was opened; nobody's keeps nothing."""
    links = dict(re.findall(r"^ +(\w+) +http://[^/]+(/demo/\S+)", server.log.read_text(encoding="utf-8"), re.MULTILINE))
    states: dict[str, StorageState] = {"nobody": {"cookies": [], "origins": []}}
    for role, link in links.items():
        context = browser.new_context()
        context.new_page().goto(server.url + link)
        states[role] = context.storage_state()
        context.close()
    return states


def follow(page: Page, url: str, step: str, known: dict[str, str]) -> None:
    """Go where a step leads."""
    address, _arrow, link = step.partition(" >> ")
    page.goto(url + (known[address[1:]] if address.startswith("@") else address))
    if link:
        target = page.locator(link).first.get_attribute("href")
        page.goto(url + str(target))


def photograph_walk(page: Page, url: str, walk: dict[str, str], name: str, folder: Path) -> None:
    """Photograph each page of a walk, and print what is wrong with it."""
    known: dict[str, str] = {}
    for place, step in walk.items():
        follow(page, url, step, known)
        known[place] = page.url.removeprefix(url)
        page.evaluate("for (const image of document.images) image.loading = 'eager'")
        page.wait_for_load_state("networkidle")
        page.screenshot(path=folder / f"{name}-{place}.png", full_page=True)
        faults = [fault["id"] for fault in Axe().run(page).response["violations"]]
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            faults.append("wider than its window")
        if faults:
            print(f"{name}-{place}: {', '.join(faults)}")


def main() -> None:
    """Photograph every role's pages in every look."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--role", choices=tuple(WALKS))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    walks = {options.role: WALKS[options.role]} if options.role else WALKS
    with (
        tempfile.TemporaryDirectory() as scratch,
        run_server(",".join(list_bundles()), Path(scratch), arguments=("--demo",), start_s=START_S) as server,
        open_browser() as browser,
    ):
        states = enter(browser, server)
        for device, settings in DEVICES.items():
            for language, scheme in LOOKS:
                for role, walk in walks.items():
                    context = browser.new_context(
                        locale=language, color_scheme=scheme, storage_state=states[role], **settings
                    )
                    name = f"{device}-{language}-{scheme}-{role}"
                    photograph_walk(context.new_page(), server.url, walk, name, options.folder)
                    context.close()


if __name__ == "__main__":
    main()

"""Photograph the clinic as each role sees it, from the demo's drawn practice: desktop and phone, both languages, dark.

    python -m scripts.screenshots_clinic FOLDER

The shipped models answer; what the script finds shut to somebody (axe) or wider than its window, it prints.
"""

import argparse
import re
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, StorageState

from scripts.screenshots import DEVICES, LOOKS, open_browser
from secondlook.inference.bundle import list_bundles
from tests.browser import journeys
from tests.site import Server, run_server

START_S = 180  # the demo is drawn and answered before the site listens
# Where each role goes, step by step: an address, or what to click on the page that was opened last.
WALKS = {
    "nobody": {
        "home": "/",
        "try": "/try/",
        "models": "/models/",
        "card": "/models/ >> main a[href^='/models/']",
        "card-page": "@card >> main a[href*='CHECKLISTS']",
        "log-in": "/account/login/",
        "sign-up-closed": "/account/signup/",
        "sign-up-sent": "/account/confirm-email/",
        "forgotten": "/account/password/reset/",
        "forgotten-sent": "/account/password/reset/done/",
        "password-set": "/account/password/reset/key/done/",
        "closed": "/account/inactive/",
        "nothing": "/nothing/",
    },
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
        "edit-patient": "@patient >> main a[href^='/patients/'][href$='/edit/']",
        "without-account": "/patients/?text=keller >> .row-name",
        "invite-patient": "@without-account >> a[href^='/people/patients/']",
        "data": "@patient >> a[href$='data/']",
        "lesion": "@patient >> .lesion-list a",
        "edit-lesion": "@lesion >> main a[href^='/lesions/'][href$='/edit/']",
        "timeline": "@lesion >> a[href$='timeline/']",
        "visit": "@patient >> .rows-visits a",
        "edit-visit": "@visit >> main a[href^='/visits/'][href$='/edit/']",
        "send": "@visit >> a[href$='pictures/']",
        "picture": "@visit >> .picture-card a",
        "account": "/account/",
        "details": "/account/details/",
        "address": "/account/email/",
        "password": "/account/password/set/",
        "sessions": "/account/sessions/",
        "second-proof": "/account/2fa/",
        "passkeys": "/account/2fa/webauthn/",
        "join": "/account/join/",
        "not-open": "/people/",
        "tokens": "/account/tokens/",
    },
    "reviewer": {"home": "/", "queue": "/review/", "reviewing": "/review/ >> main a[href*='queue']"},
    "administrator": {
        "home": "/",
        "people": "/people/",
        "invite": "/people/invite/",
        "roles": "/people/ >> a[href^='/people/person/']",
        "practice": "/people/practice/",
        "practices": "/people/practices/",
        "audit": "/audit/",
    },
    "patient": {
        "home": "/",
        "picture": "/ >> .picture-card a",
        "record": "/ >> a[href^='/patients/']",
        "visit": "@record >> .rows-visits a",
        "lesion": "@record >> .lesion-list a",
    },
}
JOURNEYS = {
    "clinician": (journeys.see_patient, journeys.compare_pictures, journeys.make_token, journeys.erase_patient),
    "reviewer": (journeys.review,),
    "administrator": (journeys.run_practice,),
    "patient": (journeys.read_results,),
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
        page.goto(urljoin(page.url, str(target)))


def photograph_walk(page: Page, url: str, walk: dict[str, str], name: str, folder: Path) -> None:
    """Photograph each page of a walk."""
    known: dict[str, str] = {}
    for place, step in walk.items():
        follow(page, url, step, known)
        known[place] = page.url.removeprefix(url)
        photograph(page, folder / f"{name}-{place}.png")


def photograph_journeys(pages: dict[str, Page], server: Server, fresh: Server, name: str, folder: Path) -> None:
    """Photograph what comes up when people come in, a patient is seen and erased, and of a site without anybody."""
    for page in pages.values():
        page.goto(server.url)
    for place, page in journeys.come_in(pages["administrator"], pages["nobody"], server.log):
        photograph(page, folder / f"{name}-newcomer-{place}.png")
    for role, walks in JOURNEYS.items():
        for place in (place for walk in walks for place in walk(pages[role])):
            photograph(pages[role], folder / f"{name}-{role}-{place}.png")
    pages["nobody"].goto(fresh.url)
    for place in journeys.found_site(pages["nobody"], fresh.log):
        photograph(pages["nobody"], folder / f"{name}-nobody-{place}.png")


def photograph(page: Page, path: Path) -> None:
    """Photograph a page, and print what is wrong with it."""
    page.evaluate("for (const image of document.images) image.loading = 'eager'")
    page.wait_for_load_state("networkidle")
    page.wait_for_function("Array.from(document.images).every(image => image.complete)")
    page.screenshot(path=path, full_page=True)
    faults = [fault["id"] for fault in Axe().run(page).response["violations"]]
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        faults.append("wider than its window")
    if faults:
        print(f"{path.stem}: {', '.join(faults)}")


def main() -> None:
    """Photograph every role's pages in every look, then who comes in and goes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--role", choices=tuple(WALKS))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    walks = {options.role: WALKS[options.role]} if options.role else WALKS
    bundles = ",".join(list_bundles())
    with (
        tempfile.TemporaryDirectory() as scratch,
        run_server(bundles, Path(scratch, "demo"), arguments=("--demo",), start_s=START_S) as server,
        run_server(bundles, Path(scratch, "fresh"), start_s=START_S) as fresh,
        open_browser() as browser,
    ):
        states = enter(browser, server)
        for device, settings in DEVICES.items():
            for language, scheme in LOOKS:
                look: dict[str, Any] = {"locale": language, "color_scheme": scheme} | settings
                name = f"{device}-{language}-{scheme}"
                contexts = {role: browser.new_context(storage_state=states[role], **look) for role in WALKS}
                pages = {role: context.new_page() for role, context in contexts.items()}
                for role, walk in walks.items():
                    photograph_walk(pages[role], server.url, walk, f"{name}-{role}", options.folder)
                if not options.role:
                    photograph_journeys(pages, server, fresh, name, options.folder)
                for context in contexts.values():
                    context.close()


if __name__ == "__main__":
    main()

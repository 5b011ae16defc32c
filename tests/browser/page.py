"""What a person does on the page."""

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route

from tests.site import draw_triage

# Chromium tells its driver nothing of an upload's content, so it is read from the form.
READ_FILE = """async () => {
  const reader = new FileReader();
  const read = new Promise((resolve) => (reader.onload = resolve));
  reader.readAsDataURL(document.getElementById("file").files[0]);
  await read;
  return reader.result.split(",")[1];
}"""


def check_access(page: Page) -> None:
    """See that nothing on the page shuts anybody out, and that it fits its window, once all of it is there."""
    page.wait_for_load_state()
    found = Axe().run(page).response["violations"]
    assert [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def pick(page: Page, task: str) -> None:
    """Say what the picture shows."""
    page.locator(f".choice:has([value={task}])").click()


def choose(page: Page, content: bytes, name: str = "lesion.png", kind: str = "image/png") -> None:
    """Choose a file and wait for its preview."""
    page.set_input_files("#file", {"name": name, "mimeType": kind, "buffer": content})
    page.wait_for_selector("#preview:not([hidden])")
    if kind == "image/png":
        page.wait_for_selector("#canvas[style*=width]")


@contextmanager
def hold_script(page: Page, name: str) -> Iterator[None]:
    """Load the page again over a line so slow that a script comes only after what is done meanwhile."""
    held: list[Route] = []
    address = re.compile(rf"/{name}\b[^/]*\.js$")
    page.route(address, lambda route: held.append(route))
    with page.expect_request(address):
        page.reload(wait_until="commit")
    yield
    assert held
    for route in held:
        route.continue_()


def send(page: Page) -> bytes:
    """Send the picture, wait for its answer or refusal, and return the content of the file that the form held."""
    with page.expect_request(lambda request: request.method == "POST"):
        page.click("#send")
    page.wait_for_selector("[data-answer], [data-refusal]")
    return base64.b64decode(page.evaluate(READ_FILE))


def answer(page: Page, triage: str, task: str = "skin") -> None:
    """Go all the way to the answer."""
    pick(page, task)
    choose(page, draw_triage(triage, task))
    send(page)
    page.wait_for_selector("#shown[href^=blob]")

"""The ways in: choosing, dropping, pasting, the camera, the keyboard, and the plain form."""

import base64
import io
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.page import choose, hold_script, send
from tests.drawing import draw_lesion, encode
from tests.site import draw_triage

TRANSFER = """(content) => {
  const transfer = new DataTransfer();
  const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
  transfer.items.add(new File([bytes], "lesion.png", { type: "image/png" }));
  return transfer;
}"""

# The first picture is decoded only when it is told to be.
HOLD_FIRST = """() => {
  const plain = window.createImageBitmap;
  window.createImageBitmap = async (...options) => {
    window.createImageBitmap = plain;
    const decoded = await new Promise((told) => {
      window.releaseFirst = () => new Promise((resolve) => told(resolve));
    });
    const image = await plain(...options);
    setTimeout(decoded); // once whoever waits for the picture has got it
    return image;
  };
}"""


def finish(page: Page, content: bytes) -> None:
    """Send what came in, and see that it is what went out."""
    page.wait_for_selector("#canvas[style*=width]")
    assert send(page) == content
    assert page.inner_text("#answer-title") == "Urgent"


def test_a_chosen_picture_is_sent_as_it_is(open_page: OpenPage) -> None:
    page = open_page()
    choose(page, draw_triage("urgent"))
    finish(page, draw_triage("urgent"))


def test_a_picture_chosen_before_the_script_has_come_is_previewed(open_page: OpenPage) -> None:
    page = open_page()
    with hold_script(page, "page"):
        page.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": draw_triage("urgent")})
    finish(page, draw_triage("urgent"))


def test_of_two_choices_the_last_one_counts_however_long_the_first_takes(open_page: OpenPage) -> None:
    page = open_page(path="/try/?task=skin")
    page.evaluate(HOLD_FIRST)
    first = draw_triage("routine", size=(400, 300))
    page.set_input_files("#file", {"name": "first.png", "mimeType": "image/png", "buffer": first})
    choose(page, draw_triage("urgent"))
    page.evaluate("releaseFirst()")
    page.click("[data-edit=right]")
    with Image.open(io.BytesIO(send(page))) as sent:
        assert sent.size == (360, 360), "turned, and cut to the second one's shorter side"
    assert page.inner_text("#answer-title") == "Urgent"


def test_a_dropped_picture(open_page: OpenPage) -> None:
    page = open_page()
    content = draw_triage("urgent")
    transfer = page.evaluate_handle(TRANSFER, base64.b64encode(content).decode())
    page.dispatch_event("main", "dragover", {"dataTransfer": transfer})
    expect(page.locator("#drop")).to_have_class("drop is-over")
    page.dispatch_event("main", "drop", {"dataTransfer": transfer})
    expect(page.locator("#drop")).to_have_class("drop")
    finish(page, content)


def test_a_pasted_picture(open_page: OpenPage) -> None:
    page = open_page()
    content = draw_triage("urgent")
    transfer = page.evaluate_handle(TRANSFER, base64.b64encode(content).decode())
    page.evaluate(
        "data => document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }))",
        transfer,
    )
    finish(page, content)


def test_the_camera_is_offered_on_a_phone_alone(open_page: OpenPage) -> None:
    phone, desktop = open_page("phone"), open_page("desktop")
    expect(phone.locator("label[for=camera]")).to_be_visible()
    expect(desktop.locator("label[for=camera]")).to_be_hidden()
    assert phone.get_attribute("#camera", "capture") == "environment"
    content = draw_triage("urgent")
    phone.set_input_files("#camera", {"name": "a.png", "mimeType": "image/png", "buffer": content})
    finish(phone, content)


def test_from_start_to_answer_by_keyboard(open_page: OpenPage) -> None:
    page = open_page(path="/try/?task=skin")
    # Playwright does not wait until Chromium hands it file choosers; asked only at the key press, it may come too late.
    page.on("filechooser", lambda chooser: None)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className").startswith("skip")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.value") == "skin"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "file"
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files({"name": "a.png", "mimeType": "image/png", "buffer": draw_triage("urgent")})
    page.wait_for_selector("#frame[style*=width]")
    seen = []
    while "send" not in seen:
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.dataset.edit"))
        assert len(seen) < 12, seen
    assert seen == ["frame", "left", "right", "smaller", "larger", "reset", "send"]
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-answer]")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "opacity"


def test_a_file_that_the_browser_cannot_show_is_sent_all_the_same(open_page: OpenPage) -> None:
    page = open_page()
    content = encode(draw_lesion(5, "mel", size=(800, 600)), "TIFF")
    choose(page, content, "lesion.tiff", "image/tiff")
    expect(page.locator("#plain")).to_have_text(
        "lesion.tiff – This browser cannot show this kind of file. It can be sent as it is."
    )
    expect(page.locator("#stage")).to_be_hidden()
    assert send(page) == content
    assert page.inner_text("#answer-title") == "Urgent"
    assert page.get_attribute("#shown", "href").startswith("data:image/jpeg")


def test_a_wrong_file_is_refused_and_the_next_one_answered(open_page: OpenPage) -> None:
    page = open_page("phone")
    choose(page, b"%PDF-1.7", "letter.pdf", "application/pdf")
    send(page)
    expect(page.locator("#refusal-title")).to_be_in_viewport()
    expect(page.locator("[data-refusal]")).to_contain_text("Expected a picture (JPEG, PNG")
    assert page.evaluate("document.activeElement.id") == "refusal-title"
    choose(page, draw_triage("routine"))
    expect(page.locator("[data-refusal]")).to_have_count(0)
    send(page)
    assert page.inner_text("#answer-title") == "Routine"


def test_a_file_that_is_too_large_never_leaves(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page()
    (tmp_path / "film.bin").write_bytes(bytes(30_000_001))
    sent = []
    page.on("request", lambda request: sent.append(request.method))
    page.set_input_files("#file", tmp_path / "film.bin")
    page.wait_for_selector("#plain:not([hidden])")
    page.click("#send")
    expect(page.locator("#problem")).to_have_text(
        "Expected a file of at most 30 MB, got a larger one. Send the picture in a smaller size."
    )
    assert "POST" not in sent


def test_progress_is_shown_while_a_picture_is_sent(open_page: OpenPage) -> None:
    page = open_page()
    session = page.context.new_cdp_session(page)
    rate = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 1_000}
    choose(page, draw_triage("urgent", size=(1600, 1200)))
    session.send("Network.emulateNetworkConditions", rate)
    page.click("#send")
    expect(page.locator("#progress")).to_be_visible()
    expect(page.locator("#progress-words")).to_have_text("Sending the picture")
    expect(page.locator("#send")).to_be_disabled()
    session.send("Network.emulateNetworkConditions", rate | {"uploadThroughput": -1})
    page.wait_for_selector("[data-answer]")
    expect(page.locator("#progress")).to_be_hidden()


def test_a_lost_connection_is_said(open_page: OpenPage) -> None:
    page = open_page()
    choose(page, draw_triage("urgent"))
    page.route("**/*", lambda route: route.abort("connectionfailed"))
    page.click("#send")
    expect(page.locator("#problem")).to_have_text("The server did not answer. Check the connection and try again.")
    expect(page.locator("#send")).to_be_enabled()


@pytest.mark.parametrize(("locale", "title"), [("en", "Refer"), ("fr", "À adresser")])
@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_the_plain_form_without_javascript(open_page: OpenPage, device: str, locale: str, title: str) -> None:
    page = open_page(device, locale=locale, java_script_enabled=False)
    expect(page.locator("#file")).to_be_visible()
    expect(page.locator("#preview")).to_be_hidden()
    inside, field = page.locator("#drop").bounding_box(), page.locator("#formats").bounding_box()
    assert inside["x"] <= field["x"]
    assert field["x"] + field["width"] <= inside["x"] + inside["width"]
    page.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": draw_triage("refer")})
    page.click("#send")
    expect(page.locator("#answer-title")).to_have_text(title)
    expect(page.locator("#shown")).to_be_visible()
    expect(page.locator("#opacity")).to_be_hidden()
    page.click(".again")
    expect(page.locator("#file")).to_be_visible()

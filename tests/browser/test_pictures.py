"""A day with pictures: several at once with a broken one, answers, a doctor's word, what is urgent, the queue."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.conftest import Enter, OpenPage
from tests.browser.page import check_access, hold_script
from tests.drawing import draw_lesion, encode
from tests.site import Server, draw_triage

# As on a slow machine: what is drawn is there only when it is told to be.
HOLD_DRAWING = """() => {
  const plain = HTMLCanvasElement.prototype.toBlob;
  const released = new Promise((resolve) => (window.releaseDrawing = resolve));
  HTMLCanvasElement.prototype.toBlob = function (...options) {
    released.then(() => plain.apply(this, options));
  };
}"""
SETTLED = "#cards:not(:has([data-state=checking], [data-state=ready], [data-state=sending]))"


@pytest.fixture(scope="module")
def server(demo: Server) -> Server:
    """Return the site with the demo's practice."""
    return demo


def draw_files(*triages: str) -> list[FilePayload]:
    """Return drawn pictures as files, with a letter among them."""
    files: list[FilePayload] = [
        {"name": f"{triage}.png", "mimeType": "image/png", "buffer": draw_triage(triage)} for triage in triages
    ]
    return [*files[:1], {"name": "letter.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"}, *files[1:]]


def open_form(page: Page) -> None:
    """Go to a patient's first visit, and on to the form for pictures."""
    page.goto(page.url.split("/patients/")[0] + "/patients/")
    page.locator(".row-name").first.click()
    page.locator("a[href^='/visits/']").first.click()
    page.locator("a[href$='/pictures/']").first.click()


def choose_all(page: Page, files: list[FilePayload]) -> None:
    """Choose files, and wait until each was checked."""
    page.set_input_files("#file", files)
    page.wait_for_selector(f"#cards:has(li:nth-child({len(files)})):not(:has([data-state=checking]))")


def test_a_picture_that_the_browser_cannot_show_is_previewed_all_the_same(open_page: OpenPage, enter: Enter) -> None:
    page = open_page("desktop", "/patients/", storage_state=enter("clinician"))
    open_form(page)
    tiff = encode(draw_lesion(5, "mel", size=(800, 600)), "TIFF")
    choose_all(page, [{"name": "lesion.tiff", "mimeType": "image/tiff", "buffer": tiff}])
    expect(page.locator(".upload-thumb img")).to_be_visible()
    expect(page.locator("[data-do=adjust]")).to_be_hidden()


def test_pictures_chosen_before_the_script_has_come_are_checked(open_page: OpenPage, enter: Enter) -> None:
    page = open_page("desktop", "/patients/", storage_state=enter("clinician"))
    open_form(page)
    page.wait_for_url("**/pictures/")
    with hold_script(page, "upload"):
        page.set_input_files("#file", draw_files("urgent"))
    page.wait_for_selector("#cards:has(li:nth-child(2)):not(:has([data-state=checking]))")
    expect(page.locator(".check-good")).to_have_count(1)
    expect(page.locator("#send")).to_be_enabled()


@pytest.mark.parametrize(("device", "locale"), [("desktop", "en"), ("phone", "fr")])
def test_several_at_once_an_answer_and_a_word(open_page: OpenPage, enter: Enter, device: str, locale: str) -> None:
    page = open_page(device, "/patients/", locale=locale, storage_state=enter("clinician"))
    open_form(page)
    check_access(page)
    choose_all(page, draw_files("urgent", "routine"))
    expect(page.locator(".check-good")).to_have_count(2)
    expect(page.locator("[data-state=broken] .problem")).to_contain_text("PDF")
    check_access(page)
    page.click("#send")
    page.wait_for_selector(SETTLED)
    expect(page.locator("[data-state=kept] .triage")).to_have_count(2)
    expect(page.locator("[data-state=kept] .triage-urgent")).to_be_visible()
    check_access(page)

    page.locator("[data-state=kept] .upload-answer a").first.click()
    expect(page.locator("#answer-title")).to_have_text("Urgent")
    expect(page.locator("#heatmap")).to_be_attached()
    check_access(page)
    page.click("[name=verdict][value=histology]")
    expect(page.locator("#note")).to_be_focused()
    expect(page.locator("#opinion_error")).to_be_visible()
    check_access(page)
    page.select_option("#label", "nv")
    page.fill("#note", "Regular network.")
    page.click("[name=verdict][value=correct]")
    expect(page.locator(".opinions .is-latest")).to_contain_text("Regular network.")
    page.click("form[action$='/reproduce/'] button")
    expect(page.locator(".messages")).to_contain_text(re.compile("last digit|dernier chiffre"))
    check_access(page)

    address = page.locator(".acknowledgement form").get_attribute("action")
    page.click(".acknowledgement button")
    expect(page.locator(".acknowledgement")).to_contain_text("Camille Martin")
    expect(page.locator(f".urgent-strip form[action='{address}']")).to_have_count(0)


def test_a_page_that_waits_loads_itself_anew_with_the_answer(open_page: OpenPage, enter: Enter, demo: Server) -> None:
    page = open_page("phone", "/results/", locale="fr", storage_state=enter("clinician"))
    page.locator(".row-name").last.click()
    page.wait_for_selector("#heatmap")
    key = page.url.rstrip("/").rsplit("/", 1)[1]
    set_state(demo, key, "waiting")
    page.reload()
    expect(page.locator(".unanswered")).to_be_visible()
    check_access(page)
    set_state(demo, key, "answered")
    expect(page.locator(".unanswered")).to_have_count(0)
    expect(page.locator("#heatmap")).to_be_attached()


def set_state(demo: Server, key: str, state: str) -> None:
    """Set how far a picture is, as a worker does that answers it."""
    with closing(sqlite3.connect(demo.log.parent / "data" / "secondlook.sqlite3", timeout=60)) as rows, rows:
        rows.execute("UPDATE cases_picture SET state = ? WHERE key = ?", (state, key))


def test_a_turned_picture_is_sent_turned_and_one_that_failed_is_sent_again(open_page: OpenPage, enter: Enter) -> None:
    page = open_page("desktop", "/patients/", storage_state=enter("clinician"))
    open_form(page)
    choose_all(page, draw_files("refer")[:1])
    page.click("[data-do=adjust]")
    page.wait_for_selector("#adjust[open] #canvas[style*=width]")
    page.click("[data-edit=left]")
    page.click("#adjust [value=done]")
    page.wait_for_selector("#cards:has([data-state=ready])")
    page.route("**/visits/**", lambda route: route.abort("connectionfailed"))
    page.click("#send")
    expect(page.locator("[data-state=failed] .problem")).to_contain_text("The server did not answer")
    page.unroute("**/visits/**")
    page.click("[data-do=retry]")
    page.wait_for_selector(SETTLED)
    page.click(".upload-answer a")
    assert page.get_attribute("svg.shown", "viewBox") == "0 0 360 480"


def test_what_was_cut_out_is_sent_and_not_the_file_however_soon(open_page: OpenPage, enter: Enter) -> None:
    page = open_page("desktop", "/patients/", storage_state=enter("clinician"))
    open_form(page)
    choose_all(page, draw_files("refer")[:1])
    page.click("[data-do=adjust]")
    page.wait_for_selector("#adjust[open] #canvas[style*=width]")
    page.click("[data-edit=left]")
    page.evaluate(HOLD_DRAWING)
    page.click("#adjust [value=done]")
    page.click("#send")
    page.evaluate("releaseDrawing()")
    page.wait_for_selector(SETTLED)
    page.click(".upload-answer a")
    assert page.get_attribute("svg.shown", "viewBox") == "0 0 360 480"


def test_pictures_wait_for_whoever_was_logged_out(open_page: OpenPage, enter: Enter) -> None:
    page = open_page("desktop", "/patients/", storage_state=enter("clinician"))
    open_form(page)
    choose_all(page, draw_files("urgent"))
    cookies = [one for one in page.context.cookies() if "session" in one["name"]]
    page.context.clear_cookies(name=cookies[0]["name"])
    page.click("#send")
    expect(page.locator("[data-state=failed] .problem a[target=_blank]")).to_have_attribute("href", "/account/login/")
    check_access(page)
    page.context.add_cookies(cookies)  # type: ignore[arg-type]  # what it gave, it takes
    page.context.clear_cookies(name=re.compile("csrf"))  # a log-in gives another token
    page.context.request.get(page.url)
    page.click("#send")
    page.wait_for_selector(SETTLED)
    expect(page.locator("[data-state=kept] .triage-urgent")).to_be_visible()


def test_a_file_that_is_gone_is_said_to_be(open_page: OpenPage, enter: Enter, tmp_path: Path) -> None:
    page = open_page("desktop", "/patients/", storage_state=enter("clinician"))
    open_form(page)
    file = tmp_path / "lesion.png"
    file.write_bytes(draw_triage("routine"))
    page.set_input_files("#file", file)
    page.wait_for_selector("#cards [data-state=ready]")
    file.unlink()
    page.click("#send")
    expect(page.locator("[data-state=broken] .upload-outcome .problem")).to_contain_text("no longer where it was")


def test_leaving_asks_while_pictures_wait(open_page: OpenPage, enter: Enter) -> None:
    page = open_page("desktop", "/patients/", storage_state=enter("clinician"))
    open_form(page)
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    choose_all(page, draw_files("urgent"))
    page.click("#sending a")
    expect(page.locator("#cards > li")).to_have_count(2)
    assert asked == ["beforeunload"]
    page.click("#send")
    page.wait_for_selector(SETTLED)
    page.click("#sending a")
    page.wait_for_url(re.compile("/visits/[^/]+/$"))
    assert asked == ["beforeunload"]


def test_the_plain_form_takes_several(open_page: OpenPage, enter: Enter) -> None:
    page = open_page("phone", "/patients/", storage_state=enter("clinician"), java_script_enabled=False)
    open_form(page)
    page.set_input_files("#file", draw_files("refer", "routine"))
    page.click("#send")
    expect(page.locator(".upload-card .triage")).to_have_count(2)
    expect(page.locator(".upload-card .problem")).to_have_count(1)


def test_what_is_urgent_unfolds_by_key_and_is_acknowledged(open_page: OpenPage, enter: Enter) -> None:
    page = open_page("phone", "/patients/", storage_state=enter("clinician"))
    names, form = page.locator(".urgent-names"), page.locator(".urgent-strip form").first
    expect(names).not_to_be_empty()
    expect(form).to_be_hidden()
    check_access(page)
    page.locator(".urgent-strip summary").focus()
    page.keyboard.press("Enter")
    expect(names).to_be_hidden()
    check_access(page)
    address = form.get_attribute("action")
    form.locator("button").click()
    expect(page.locator(".acknowledgement")).to_be_visible()
    expect(page.locator(f".urgent-strip form[action='{address}']")).to_have_count(0)


def test_a_reviewer_works_through_the_queue_by_keys(open_page: OpenPage, enter: Enter) -> None:
    sender = open_page("desktop", "/patients/", storage_state=enter("clinician"))
    open_form(sender)
    choose_all(sender, draw_files("refer", "urgent"))
    sender.click("#send")
    sender.wait_for_selector(SETTLED)
    page = open_page("desktop", "/review/", storage_state=enter("reviewer"))
    check_access(page)
    page.click(".page-head .btn-primary")
    check_access(page)
    first, waiting = page.url, page.inner_text(".queue-bar p")
    page.keyboard.press("n")
    expect(page).not_to_have_url(first)
    page.go_back()
    page.keyboard.press("c")
    assert page.evaluate("document.activeElement.id") == "label"
    page.keyboard.press("Escape")
    page.locator("#answer-title").focus()
    page.keyboard.press("a")
    expect(page).not_to_have_url(first)
    assert page.inner_text(".queue-bar p") != waiting

"""A lesion over time in the browser: side by side, by an edge between them, by their difference; reports."""

import re

import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.browser.conftest import Enter, OpenPage
from tests.browser.page import check_access, hold_script
from tests.site import Server

WORDS = {
    "en": {"over": "Over time", "slider": "Slider", "difference": "Difference", "report": "Report as PDF"},
    "fr": {"over": "Au fil du temps", "slider": "Curseur", "difference": "Différence", "report": "Rapport en PDF"},
}


@pytest.fixture(scope="module")
def server(demo: Server) -> Server:
    """Return the site with the demo's practice."""
    return demo


@pytest.fixture
def entered(enter: Enter) -> StorageState:
    """Return what the browser of the demo's clinician keeps."""
    return enter("clinician")


def follow_second_lesion(page: Page, over: str) -> None:
    """Go from the patients to the timeline of a mole that was photographed twice and did not change."""
    page.locator("a[href^='/patients/']", has_text="Alex Dupont").first.click()
    page.locator(".lesion-list li").nth(1).get_by_role("link").first.click()
    page.get_by_role("link", name=over).click()
    page.wait_for_selector(".course-steps")


@pytest.mark.parametrize(("device", "locale"), [("desktop", "en"), ("phone", "fr")])
def test_both_pictures_are_compared_in_three_ways(
    open_page: OpenPage, entered: StorageState, device: str, locale: str
) -> None:
    words = WORDS[locale]
    page = open_page(device, "/patients/", locale=locale, storage_state=entered)
    follow_second_lesion(page, words["over"])
    expect(page.locator("[data-shows=beside]")).to_be_visible()
    expect(page.locator("[data-shows=over]")).to_be_hidden()
    check_access(page)

    page.get_by_role("button", name=words["slider"]).click()
    expect(page.locator("[data-shows=beside]")).to_be_hidden()
    width = page.evaluate("document.getElementById('over').viewBox.baseVal.width")
    page.locator("#over-at").focus()
    page.keyboard.press("Home")
    assert float(page.get_attribute("#over-rect", "x") or "nan") == 0
    page.keyboard.press("End")
    assert float(page.get_attribute("#over-rect", "x") or "nan") == width
    page.locator("#over").click()
    assert float(page.get_attribute("#over-edge", "x1") or "nan") == pytest.approx(width / 2, abs=width / 50)
    check_access(page)

    page.get_by_role("button", name=words["difference"]).click()
    image = page.locator("[data-shows=difference] image").last
    answer = page.request.get(server_address(page, image.get_attribute("href") or ""))
    assert answer.headers["content-type"] == "image/png"
    check_access(page)

    report = page.get_by_role("link", name=words["report"]).get_attribute("href") or ""
    answer = page.request.get(server_address(page, report))
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.body().startswith(b"%PDF-")


def test_no_view_is_offered_before_the_script_that_shows_it_has_come(
    open_page: OpenPage, entered: StorageState
) -> None:
    page = open_page("desktop", "/patients/", storage_state=entered)
    follow_second_lesion(page, "Over time")
    expect(page.locator("[data-view]")).to_have_count(3)
    with hold_script(page, "timeline"):
        expect(page.locator("#findings-title")).to_be_visible()
        expect(page.locator("[data-view=over]")).to_be_hidden()
    page.click("[data-view=over]")
    expect(page.locator("[data-shows=over]")).to_be_visible()
    expect(page.locator("[data-shows=beside]")).to_be_hidden()


def server_address(page: Page, path: str) -> str:
    """Return the whole address of a path of this site."""
    return re.sub(r"^(https?://[^/]+).*$", r"\1", page.url) + path


def test_without_scripts_the_pictures_stand_below_one_another(open_page: OpenPage, entered: StorageState) -> None:
    page = open_page("phone", "/patients/", storage_state=entered, java_script_enabled=False)
    page.locator("a[href^='/patients/']", has_text="Alex Dupont").first.click()
    page.locator(".lesion-list li").nth(1).get_by_role("link").first.click()
    page.get_by_role("link", name="Over time").click()
    expect(page.locator("[data-shows=beside]")).to_be_visible()
    expect(page.locator("[data-shows=difference]")).to_be_visible()
    expect(page.locator("[data-shows=over]")).to_be_hidden()
    page.get_by_role("link", name="Measure them all").click()
    expect(page.locator(".course-steps li")).to_have_count(2)

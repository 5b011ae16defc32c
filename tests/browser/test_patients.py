"""A clinician's day with patients: create one, mark a lesion, add a visit, search; and the first page."""

import re

import pytest
from playwright.sync_api import Route, StorageState, expect

from tests.browser.conftest import Enter, OpenPage
from tests.browser.page import check_access
from tests.site import Server

# Whether each press sent the form; the second one comes while the first is on its way.
PRESS_TWICE = """async (button) => {
  const sent = [];
  addEventListener("submit", (event) => sent.push(!event.defaultPrevented));
  for (const _ of [1, 2]) {
    button.click();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return sent;
}"""
WORDS = {
    "en": {"new": "New patient", "keep": "Keep", "mark": "Mark a lesion", "chest": "Chest", "visit": "New visit"},
    "fr": {
        "new": "Nouveau patient",
        "keep": "Enregistrer",
        "mark": "Marquer une lésion",
        "chest": "Poitrine",
        "visit": "Nouvelle consultation",
    },
}


@pytest.fixture(scope="module")
def server(demo: Server) -> Server:
    """Return the site with the demo's practice."""
    return demo


@pytest.fixture
def entered(enter: Enter) -> StorageState:
    """Return what the browser of the demo's clinician keeps."""
    return enter("clinician")


@pytest.mark.parametrize("locale", ["en", "fr"])
@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_a_patient_a_lesion_a_visit(open_page: OpenPage, entered: StorageState, device: str, locale: str) -> None:
    words, name = WORDS[locale], f"Zoë {device} {locale}"
    page = open_page(device, "/", locale=locale, storage_state=entered)
    check_access(page)
    page.get_by_role("link", name=words["new"]).first.click()
    page.fill("#id_name", name)
    page.fill("#id_birth_date", "1970-05-03")
    check_access(page)
    page.get_by_role("button", name=words["keep"]).click()
    expect(page.locator("h1")).to_have_text(name)

    page.get_by_role("link", name=words["mark"]).click()
    page.locator(".is-clickable [data-place='front:chest']").click()
    expect(page.locator("#id_place")).to_have_value("front:chest")
    before = float(page.input_value("#id_x"))
    page.locator(".mark-new").focus()
    page.keyboard.press("ArrowLeft")
    assert float(page.input_value("#id_x")) < before
    page.select_option("#id_place", "back:left_thigh")
    expect(page.locator("[data-side=back] .mark-new")).to_be_visible()
    page.locator("[data-place='front:chest']").click()
    check_access(page)
    page.get_by_role("button", name=words["keep"]).click()
    expect(page.locator(".lesion-list li")).to_have_text(re.compile(rf"^\s*1\s*{words['chest']}"))
    expect(page.locator("[data-side=front] a.mark")).to_have_count(1)
    check_access(page)

    page.get_by_role("link", name=words["visit"]).click()
    page.fill("#id_note", "Comes every year")
    page.get_by_role("button", name=words["keep"]).click()
    expect(page.get_by_text("Comes every year")).to_be_visible()
    check_access(page)


def test_long_names_and_a_page_at_twice_its_size_fit_the_window(open_page: OpenPage, entered: StorageState) -> None:
    page = open_page("phone", "/patients/new/", storage_state=entered)
    page.fill("#id_name", "O’Brien <b> " + "w" * 80)
    page.click(".record-form button[type=submit]")
    page.click("main a[href$='/lesions/new/']")
    page.select_option("#id_place", "front:chest")
    page.fill("#id_name", "w" * 80)
    page.click(".record-form button[type=submit]")
    for size in ({"width": 360, "height": 740}, {"width": 640, "height": 430}):
        page.set_viewport_size(size)  # type: ignore[arg-type]  # a size, as it stands
        check_access(page)
    page.set_viewport_size({"width": 360, "height": 740})
    page.click(".lesion-list a")
    check_access(page)
    page.goto(page.url.split("/lesions/")[0] + "/lesions/")
    check_access(page)


def test_lists_follow_what_is_typed(open_page: OpenPage, entered: StorageState) -> None:
    page = open_page("desktop", "/patients/", storage_state=entered)
    expect(page.locator(".row-name")).not_to_have_count(1)
    page.fill("#id_text", "ines")
    expect(page.locator(".row-name")).to_have_text(["Inès Bernard"])
    expect(page.locator("#found")).to_have_text("1 found")
    expect(page).to_have_url(re.compile(r"/patients/\?text=ines$"))
    check_access(page)
    page.get_by_role("button", name="Français").click()
    expect(page.locator("#found")).to_have_text("Trouvés : 1")
    expect(page.locator("#id_text")).to_have_value("ines")


def test_removing_can_be_undone(open_page: OpenPage, entered: StorageState) -> None:
    page = open_page("phone", "/patients/?text=noah", storage_state=entered)
    page.get_by_role("link", name="Noah Keller").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("link", name="Noah Keller")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("h1")).to_have_text("Noah Keller")
    expect(page.locator(".lesion-list li")).to_have_count(3)


def test_a_button_that_is_pressed_twice_on_a_slow_line_sends_its_form_once(
    open_page: OpenPage, entered: StorageState
) -> None:
    page = open_page("desktop", "/patients/new/", storage_state=entered)
    sent: list[Route] = []
    page.route("**/patients/new/", lambda route: sent.append(route))
    page.fill("#id_name", "Pressed twice")
    assert page.get_by_role("button", name="Keep").evaluate(PRESS_TWICE) == [True, False]
    for route in sent:
        route.continue_()
    expect(page.locator("h1")).to_have_text("Pressed twice")
    assert len(sent) == 1
    page.unroute_all()
    page.go_back()
    expect(page.get_by_role("button", name="Keep")).not_to_have_attribute("aria-busy", "true")


def test_the_day_works_without_javascript(open_page: OpenPage, entered: StorageState) -> None:
    page = open_page("desktop", "/patients/", storage_state=entered, java_script_enabled=False)
    page.fill("#id_text", "p-0422")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="P-0422").click()
    page.get_by_role("link", name="Mark a lesion").click()
    page.select_option("#id_place", "back:lower_back")
    page.get_by_role("button", name="Keep").click()
    expect(page.locator("[data-side=back] a.mark")).to_have_count(1)


def test_the_carousel_turns_until_somebody_looks_or_stops_it(open_page: OpenPage) -> None:
    page = open_page("desktop", "/", reduced_motion="no-preference")
    shown = page.locator(".slide.is-shown h3")
    page.clock.install(time=0)
    page.clock.pause_at(1000)
    page.reload()
    expect(shown).to_have_text("It says what it does not know")
    page.clock.run_for(8500)
    expect(shown).to_have_text("It brings its evidence")
    page.get_by_role("button", name="Pause").click()
    page.mouse.move(5, 5)
    page.clock.run_for(30_000)
    expect(shown).to_have_text("It brings its evidence")
    page.get_by_role("button", name="Next slide").click()
    expect(shown).to_have_text("It follows a lesion over time")


@pytest.mark.parametrize("locale", ["en", "fr"])
@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_the_first_page_shuts_nobody_out(open_page: OpenPage, device: str, locale: str) -> None:
    page = open_page(device, "/", locale=locale)
    check_access(page)
    expect(page.locator("[data-pause]")).to_have_attribute("aria-pressed", "true")

"""Every state, on desktop and phone, light and dark, in both languages: accessible, and nothing sticks out."""

from collections.abc import Callable
from urllib.parse import urljoin

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.page import answer, choose, send
from tests.site import draw_triage


def show_refusal(page: Page) -> None:
    choose(page, b"%PDF-1.7", "letter.pdf", "application/pdf")
    send(page)


STATES: dict[str, Callable[[Page], object]] = {
    "empty": lambda page: None,
    "preview": lambda page: choose(page, draw_triage("urgent")),
    "urgent": lambda page: answer(page, "urgent"),
    "refer": lambda page: answer(page, "refer"),
    "routine": lambda page: answer(page, "routine"),
    "not_evaluable": lambda page: answer(page, "not_evaluable"),
    "chest": lambda page: answer(page, "urgent", "chest"),
    "knee": lambda page: answer(page, "refer", "knee"),
    "refusal": show_refusal,
    "models": lambda page: page.click("text=/^(Models|Modèles)$/"),
    "card": lambda page: page.goto(urljoin(page.url, "/models/tiny-chest/")),
}


@pytest.mark.parametrize(
    ("device", "locale", "scheme"),
    [("desktop", "en", "light"), ("desktop", "fr", "dark"), ("phone", "fr", "light"), ("phone", "en", "dark")],
)
@pytest.mark.parametrize("state", STATES)
def test_no_violation_and_no_overflow(open_page: OpenPage, state: str, device: str, locale: str, scheme: str) -> None:
    page = open_page(device, locale=locale, color_scheme=scheme)
    STATES[state](page)
    page.wait_for_load_state()
    assert page.get_attribute("html", "data-bs-theme") == scheme
    assert page.get_attribute("html", "lang") == locale
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_the_check_finds_a_violation(open_page: OpenPage) -> None:
    page = open_page()
    page.evaluate("document.querySelector('h1').outerHTML = '<img src=\"/static/clinic/mark.svg\">'")
    assert Axe().run(page).violations_count > 0


def test_the_answer_is_told_in_words_icon_and_colour(open_page: OpenPage) -> None:
    page = open_page()
    answer(page, "urgent")
    assert page.inner_text("#answer-title") == "Urgent"
    assert page.evaluate("document.activeElement.id") == "answer-title"
    assert page.locator(".verdict-icon").bounding_box()["width"] > 30
    red = page.evaluate("getComputedStyle(document.querySelector('#answer-title')).color")
    assert red == "rgb(166, 27, 27)"
    assert page.get_attribute("#answer", "aria-live") == "polite"


def test_the_heatmap_fades_with_its_slider(open_page: OpenPage) -> None:
    page = open_page()
    answer(page, "urgent")
    assert page.get_attribute("#heatmap", "opacity") == "0.6"
    page.focus("#opacity")
    page.keyboard.press("Home")
    assert page.get_attribute("#heatmap", "opacity") == "0"
    page.keyboard.press("End")
    assert page.get_attribute("#heatmap", "opacity") == "1"


def test_the_heatmap_lies_over_the_central_square(open_page: OpenPage) -> None:
    page = open_page()
    answer(page, "urgent")
    picture, heat = page.evaluate(  # both at one moment: the page may still be scrolling
        "['shown', 'heatmap'].map(id => document.getElementById(id).getBoundingClientRect().toJSON())"
    )
    assert heat["width"] == pytest.approx(heat["height"], abs=1)
    assert heat["height"] == pytest.approx(picture["height"], abs=1)
    assert heat["x"] - picture["x"] == pytest.approx((picture["width"] - heat["width"]) / 2, abs=1)


def test_theme_and_language_are_switched_and_kept(open_page: OpenPage) -> None:
    page = open_page(color_scheme="light")
    page.click("[data-theme-switch]")
    page.click("text=FR")
    page.wait_for_selector("html[lang=fr]")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    expect(page.locator("h1:visible")).to_contain_text("Un second regard")


def test_the_api_page_works_under_the_policy(open_page: OpenPage) -> None:
    page = open_page(path="/api/v1/docs")
    page.wait_for_selector(".opblock-post")

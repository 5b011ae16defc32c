"""What the picture shows: chosen by mouse, by keyboard, on a phone and without JavaScript, and kept."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.page import choose, pick, send
from tests.dicom import build_dicom
from tests.site import draw_triage
from tests.xrays import draw_chest

CHEST = re.compile(r"/\?task=chest$")
HEADINGS = {
    "en": "A second look at a child’s chest X-ray",
    "fr": "Un second regard sur la radiographie du thorax d’un enfant",
}


def read_headings(page: Page) -> list[str]:
    """Return the headings that can be seen."""
    return [heading.inner_text() for heading in page.locator("h1").all() if heading.is_visible()]


@pytest.mark.parametrize("locale", HEADINGS)
@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_the_words_follow_the_choice_and_the_address_keeps_it(open_page: OpenPage, device: str, locale: str) -> None:
    page = open_page(device, locale=locale)
    assert HEADINGS[locale] not in read_headings(page)
    pick(page, "chest")
    assert read_headings(page) == [HEADINGS[locale]]
    expect(page).to_have_url(CHEST)
    expect(page).to_have_title(f"{HEADINGS[locale]} · Secondlook")
    expect(page.locator("label[for=camera]")).to_be_hidden()
    page.reload()
    assert read_headings(page) == [HEADINGS[locale]]
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_choosing_by_keyboard(open_page: OpenPage) -> None:
    page = open_page()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    focused = "document.activeElement.value || document.activeElement.id"
    assert page.evaluate(focused) == "auto"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == "skin"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == "chest"
    assert read_headings(page) == [HEADINGS["en"]]
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "file"
    page.keyboard.press("Shift+Tab")
    assert page.evaluate(focused) == "chest"


def test_an_x_ray_is_turned_but_not_cropped(open_page: OpenPage) -> None:
    page = open_page(path="/try/?task=chest")
    content = draw_triage("urgent", "chest")
    choose(page, content)
    expect(page.locator("#frame")).to_be_hidden()
    expect(page.locator("[data-edit=smaller]")).to_be_hidden()
    expect(page.locator("#frame-help")).to_contain_text("The model looks at the whole picture.")
    box = page.locator("#canvas").bounding_box()
    page.mouse.click(box["x"] + 5, box["y"] + 5)
    page.click("[data-edit=right]")
    with Image.open(io.BytesIO(send(page))) as sent, Image.open(io.BytesIO(content)) as drawn:
        turned = drawn.convert("RGB").transpose(Image.Transpose.ROTATE_270)
        assert sent.size == turned.size
        assert np.abs(np.asarray(sent, np.float32) - np.asarray(turned, np.float32)).mean() < 4


def test_an_untouched_x_ray_is_sent_as_it_is_and_the_choice_survives_the_answer(open_page: OpenPage) -> None:
    page = open_page()
    content = draw_triage("refer", "chest")
    choose(page, content)
    pick(page, "chest")
    assert send(page) == content
    expect(page.locator("#answer-title")).to_have_text("Refer")
    expect(page.locator("#risk-title")).to_have_text("Probability of pneumonia")
    picture, heat = page.evaluate(  # both at one moment: the page may still be scrolling
        "['shown', 'heatmap'].map(id => document.getElementById(id).getBoundingClientRect().toJSON())"
    )
    assert heat == pytest.approx(picture, abs=1)
    page.click(".again")
    expect(page).to_have_url(CHEST)
    expect(page.locator("[name=task][value=chest]")).to_be_checked()


def test_the_square_comes_back_with_a_task_that_has_one(open_page: OpenPage) -> None:
    page = open_page(path="/try/?task=chest")
    choose(page, draw_triage("urgent"))
    pick(page, "skin")
    expect(page.locator("#frame")).to_be_visible()
    page.click("[data-edit=smaller]")
    with Image.open(io.BytesIO(send(page))) as sent:
        assert sent.size == (324, 324)


def test_a_dicom_file_is_sent_as_it_is(open_page: OpenPage) -> None:
    page = open_page(path="/try/?task=chest")
    grey = np.asarray(draw_chest(7, "pneumonia", size=(480, 380)).convert("L"))
    content = build_dicom(grey.astype(np.uint16), bits=8)
    choose(page, content, "chest.dcm", "application/dicom")
    expect(page.locator("#plain")).to_contain_text("This browser cannot show this kind of file.")
    assert send(page) == content
    expect(page.locator("#answer-title")).to_have_text("Urgent")
    assert page.get_attribute("#shown", "href").startswith("data:image/jpeg")


@pytest.mark.parametrize("locale", HEADINGS)
def test_the_choice_needs_no_javascript(open_page: OpenPage, locale: str) -> None:
    page = open_page("phone", locale=locale, java_script_enabled=False)
    pick(page, "chest")
    assert read_headings(page) == [HEADINGS[locale]]
    picture = {"name": "a.png", "mimeType": "image/png", "buffer": draw_triage("urgent", "chest")}
    page.set_input_files("#file", picture)
    page.click("#send")
    expect(page.locator("#answer-title")).to_have_text("Urgent")
    page.click(".again")
    expect(page).to_have_url(CHEST)
    expect(page.locator("[name=task][value=chest]")).to_be_checked()


def test_an_answer_survives_a_change_of_language(open_page: OpenPage) -> None:
    page = open_page(path="/try/?task=knee")
    choose(page, draw_triage("refer", "knee"))
    send(page)
    for language, title in (("fr", "À adresser"), ("en", "Refer"), ("fr", "À adresser")):
        page.click(f"[name=language][value={language}]")
        page.wait_for_selector(f"html[lang={language}]")
        expect(page.locator("#answer-title")).to_have_text(title)
    expect(page.locator("#risk-title")).to_have_text("Probabilité d’une arthrose (stade 2 ou plus)")

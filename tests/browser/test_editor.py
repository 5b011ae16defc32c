"""Turning and cropping change what is sent, and nothing else does."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import FloatRect, Page, expect

from secondlook import load
from tests.browser.conftest import OpenPage
from tests.browser.page import choose, send
from tests.drawing import draw_lesion, encode, encode_turned
from tests.site import Server

WIDTH, HEIGHT = 800, 600
PICTURE = draw_lesion(5, "mel", size=(WIDTH, HEIGHT))
CONTENT = encode(PICTURE, "PNG")


def read_sent(page: Page) -> NDArray[np.float32]:
    """Send, and return the pixels that went out."""
    with Image.open(io.BytesIO(send(page))) as image:
        assert image.format == "JPEG"
        return np.asarray(image.convert("RGB"), np.float32)


def compare(sent: NDArray[np.float32], expected: Image.Image) -> float:
    """Return the mean difference in grey levels; JPEG costs two or three."""
    assert sent.shape[1::-1] == expected.size
    return float(np.abs(sent - np.asarray(expected, np.float32)).mean())


def cut(left: int, top: int, side: int) -> Image.Image:
    """Return a square of the picture."""
    return PICTURE.crop((left, top, left + side, top + side))


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """Return the page with the picture in its editor."""
    opened = open_page(path="/try/?task=skin")
    choose(opened, CONTENT)
    return opened


def find_canvas(page: Page) -> FloatRect:
    """Return where the canvas lies; the page has jumped to it, for nothing scrolls slowly here."""
    box = page.locator("#canvas").bounding_box()
    assert box
    return box


def test_untouched_the_file_itself_is_sent(page: Page) -> None:
    assert send(page) == CONTENT


@pytest.mark.parametrize(
    ("clicks", "turn"),
    [
        (["right"], Image.Transpose.ROTATE_270),
        (["left"], Image.Transpose.ROTATE_90),
        (["right", "right"], Image.Transpose.ROTATE_180),
    ],
)
def test_turning(page: Page, clicks: list[str], turn: Image.Transpose) -> None:
    for click in clicks:
        page.click(f"[data-edit={click}]")
    sent = read_sent(page)
    assert compare(sent, cut(100, 0, HEIGHT).transpose(turn)) < 4
    assert compare(sent, cut(100, 0, HEIGHT)) > 8


def test_a_full_turn_or_a_reset_gives_the_file_again(page: Page) -> None:
    for _ in range(4):
        page.click("[data-edit=right]")
    assert send(page) == CONTENT


def test_reset(page: Page) -> None:
    for click in ("left", "smaller", "reset"):
        page.click(f"[data-edit={click}]")
    assert send(page) == CONTENT


def test_a_smaller_square(page: Page) -> None:
    page.click("[data-edit=smaller]")
    assert compare(read_sent(page), cut(130, 30, 540)) < 4


def test_moving_by_keyboard(page: Page) -> None:
    page.focus("#frame")
    for key in ("-", "-", "-", "-", "-", "Shift+ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    # Five steps of 2 % smaller, ten per cent right, two down: 540 px, from 130 + 60, 30 + 12.
    assert compare(read_sent(page), cut(190, 42, 540)) < 4


def test_the_square_stays_inside_the_picture(page: Page) -> None:
    page.focus("#frame")
    for _ in range(30):
        page.keyboard.press("Shift+ArrowLeft")
    assert compare(read_sent(page), cut(0, 0, HEIGHT)) < 4


def test_dragging_the_square(page: Page) -> None:
    box = find_canvas(page)
    scale = box["width"] / WIDTH
    page.mouse.move(box["x"] + 400 * scale, box["y"] + 300 * scale)
    page.mouse.down()
    page.mouse.move(box["x"] + 480 * scale, box["y"] + 300 * scale, steps=4)
    page.mouse.up()
    assert compare(read_sent(page), cut(180, 0, HEIGHT)) < 6


def test_dragging_a_corner(page: Page) -> None:
    box = find_canvas(page)
    scale = box["width"] / WIDTH
    page.mouse.move(box["x"] + 690 * scale, box["y"] + 590 * scale)
    page.mouse.down()
    page.mouse.move(box["x"] + 390 * scale, box["y"] + 290 * scale, steps=4)
    page.mouse.up()
    sent = read_sent(page)
    assert sent.shape[0] == pytest.approx(300, abs=2)
    assert compare(sent, cut(100, 0, 300).resize(sent.shape[1::-1])) < 6


def test_a_click_beside_the_square_brings_it_there(page: Page) -> None:
    box = find_canvas(page)
    page.mouse.click(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2)
    assert compare(read_sent(page), cut(200, 0, HEIGHT)) < 4


def test_a_phone_s_orientation_is_kept(open_page: OpenPage) -> None:
    page = open_page(path="/try/?task=skin")
    content = encode_turned(PICTURE, 6, quality=95)
    page.set_input_files("#file", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": content})
    page.wait_for_selector("#frame[style*=width]")
    page.click("[data-edit=smaller]")
    upright = PICTURE.transpose(Image.Transpose.ROTATE_270)
    assert compare(read_sent(page), upright.crop((30, 130, 570, 670))) < 5


def test_the_size_of_the_square_is_said(page: Page) -> None:
    page.click("[data-edit=smaller]")
    expect(page.locator("#square")).to_have_text("The square takes in 90% of the picture's shorter side.")


def test_the_answer_is_that_of_what_was_sent(page: Page, server: Server) -> None:
    for click in ("right", "smaller"):
        page.click(f"[data-edit={click}]")
    expected = load(server.bundle).predict(send(page)).probabilities
    bars = page.locator("[data-label]").all()
    shown = {bar.get_attribute("data-label"): float(bar.get_attribute("value") or "nan") for bar in bars}
    assert shown == pytest.approx(dict(expected), abs=1e-6, rel=0)
    assert shown != pytest.approx(dict(load(server.bundle).predict(CONTENT).probabilities), abs=1e-6, rel=0)

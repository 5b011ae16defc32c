"""Every page of every role, desktop and phone, both languages: it shuts nobody out, and fits its window."""

import pytest

from scripts.screenshots_clinic import WALKS, follow
from tests.browser.conftest import Enter, OpenPage
from tests.browser.page import check_access
from tests.site import Server


@pytest.fixture(scope="module")
def server(demo: Server) -> Server:
    """Return the site with the demo's practice."""
    return demo


@pytest.mark.parametrize(("device", "locale"), [("desktop", "en"), ("phone", "fr")])
@pytest.mark.parametrize("role", WALKS)
def test_each_page_of_a_role_is_open_to_everybody_of_it(
    open_page: OpenPage, enter: Enter, server: Server, role: str, device: str, locale: str
) -> None:
    kept = {} if role == "nobody" else {"storage_state": enter(role)}
    page = open_page(device, "/", locale=locale, **kept)
    known: dict[str, str] = {}
    for place, step in WALKS[role].items():
        follow(page, server.url, step, known)
        known[place] = page.url.removeprefix(server.url)
        check_access(page)
        assert page.get_attribute("html", "lang") == locale
        assert "courriel" not in page.inner_text("body").lower(), "we say e-mail"

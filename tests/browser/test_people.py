"""People come in: an invitation, an account, a passkey, an app for codes, a new password; and a patient goes."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

from tests.browser import journeys
from tests.browser.conftest import Enter, OpenPage
from tests.browser.page import check_access
from tests.site import Server

Journey = Callable[[Page], Iterator[str]]


@pytest.fixture(scope="module")
def site(demo: Server) -> Server:
    """Return the site with the demo's practice."""
    return demo


@pytest.mark.parametrize(("device", "locale"), [("desktop", "en"), ("phone", "fr")])
def test_who_is_invited_comes_in_by_password_passkey_and_code(
    open_page: OpenPage, enter: Enter, site: Server, device: str, locale: str
) -> None:
    administrator = open_page(device, site=site, locale=locale, storage_state=enter("administrator"))
    newcomer = open_page(device, site=site, locale=locale)
    for _stop, page in journeys.come_in(administrator, newcomer, site.log):
        check_access(page)
        assert "courriel" not in page.inner_text("body").lower(), "we say e-mail"


@pytest.mark.parametrize(("device", "locale"), [("desktop", "en"), ("phone", "fr")])
@pytest.mark.parametrize(
    ("role", "journey"),
    [
        ("clinician", journeys.see_patient),
        ("clinician", journeys.compare_pictures),
        ("clinician", journeys.erase_patient),
        ("clinician", journeys.make_token),
        ("reviewer", journeys.review),
        ("administrator", journeys.run_practice),
        ("patient", journeys.read_results),
    ],
)
def test_every_page_on_the_ways_of_a_role_is_open_to_everybody_of_it(
    open_page: OpenPage, enter: Enter, site: Server, device: str, locale: str, role: str, journey: Journey
) -> None:
    page = open_page(device, site=site, locale=locale, storage_state=enter(role))
    for _stop in journey(page):
        check_access(page)


@pytest.mark.parametrize(("device", "locale"), [("desktop", "en"), ("phone", "fr")])
def test_the_first_administrator_is_told_of_each_field_at_once(
    open_page: OpenPage, server: Server, device: str, locale: str
) -> None:
    page = open_page(device, locale=locale)
    for _stop in journeys.found_site(page, server.log):
        check_access(page)

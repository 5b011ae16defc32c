"""The demo: filled once, entered by links that open once, and never beside patients."""

from pathlib import Path

import pytest
from django.test import Client

from secondlook.clinic.accounts.models import Practice, User
from secondlook.clinic.cases.models import Lesion, Opinion, Patient, Picture
from secondlook.clinic.demo import services
from secondlook.clinic.demo.services import fill_demo, make_links
from secondlook.clinic.demo.story import STORY
from secondlook.errors import InputError


@pytest.fixture
def demo(site: Path, db: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Fill the demo with its first and third patients, and return its links."""
    monkeypatch.setattr(services, "STORY", (STORY[0], STORY[2]))
    fill_demo()
    return make_links()


def test_the_demo_is_filled_as_people_would(demo: dict[str, str]) -> None:
    practice = Practice.objects.get()
    assert [patient.name for patient in Patient.objects.order_by("pk")] == ["Alex Dupont", "P-0417"]
    spots = [spot for drawn in (STORY[0], STORY[2]) for spot in drawn.spots]
    assert Lesion.objects.filter(practice=practice).count() == len(spots)
    assert Picture.objects.filter(state="answered").count() == sum(len(spot.shots) for spot in spots)
    assert Opinion.objects.count() == 2
    assert not any(user.has_usable_password() for user in User.objects.all())


def test_each_link_opens_once_and_leads_to_the_person_s_day(demo: dict[str, str]) -> None:
    assert list(demo) == ["clinician", "reviewer", "administrator", "patient"]
    for role, link in demo.items():
        client = Client(headers={"accept-language": "en"})
        page = client.get(link, follow=True)
        assert page.redirect_chain == [("/", 302)]
        assert "Demo practice (drawn pictures)" in page.content.decode()
        assert page.wsgi_request.user.email == f"{role}@demo.invalid"
        assert Client().get(link).status_code == 404
    assert "Alex Dupont" not in client.get("/patients/", follow=True).content.decode()


def test_started_again_it_gives_fresh_links_and_draws_nothing(demo: dict[str, str], client: Client) -> None:
    client.get(demo["clinician"])
    pictures = Picture.objects.count()
    fill_demo()
    assert Picture.objects.count() == pictures
    assert client.get(make_links()["clinician"]).headers["Location"] == "/"


def test_a_link_for_another_is_none(demo: dict[str, str], client: Client) -> None:
    token = demo["patient"].split("/")[-2]
    assert client.get(f"/demo/administrator/{token}/").status_code == 404


def test_a_site_with_practices_of_its_own_is_left_alone(practice: Practice) -> None:
    with pytest.raises(InputError, match="without practices for --demo"):
        fill_demo()
    assert not Patient.objects.exists()
    assert make_links() == {}

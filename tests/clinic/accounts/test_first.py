"""The first administrator comes by a link that works once; there is no other way in, and no default password."""

from datetime import timedelta

from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client
from django.utils import timezone

from secondlook.clinic.accounts.models import FirstLink, Practice, User
from secondlook.clinic.accounts.services import make_first_link
from tests.clinic.accounts.conftest import PHRASE, log_in

FORM = {
    "practice_name": "Practice by the lake",
    "first_name": "Dominique",
    "last_name": "Roux",
    "email": "d.roux@example.org",
    "password": PHRASE,
    "also_clinician": "on",
}


def test_the_link_makes_administrator_and_practice_once(client: Client) -> None:
    token = make_first_link()
    assert token
    assert token not in str(list(FirstLink.objects.values()))
    path = f"/account/first/{token}/"
    assert client.get(path).status_code == 200
    assert client.post(path, FORM | {"password": "password12345"}).status_code == 200
    assert not User.objects.exists()
    assert client.post(path, FORM).headers["Location"] == "/"
    assert client.get("/").headers["Location"] == "/account/2fa/"
    user, practice = User.objects.get(), Practice.objects.get()
    assert user.is_site_administrator
    assert sorted(user.memberships.values_list("practice__name", "role")) == [
        (practice.name, "administrator"),
        (practice.name, "clinician"),
    ]
    assert client.get("/people/").headers["Location"] == "/account/2fa/"
    other = Client(headers={"accept-language": "en"})
    assert other.get(path).status_code == other.post(path, FORM | {"email": "x@example.org"}).status_code == 404
    assert User.objects.count() == 1
    assert log_in(other, "D.Roux@example.org").headers["Location"] == "/"


def test_each_field_is_checked_as_it_is_filled_in(client: Client) -> None:
    path = f"/account/first/{make_first_link()}/"
    assert client.get(path).content.decode().count(f'hx-post="{path}"') == len(FORM)

    def check(name: str, value: str) -> str:
        asked = {"HX-Request": "true", "HX-Trigger-Name": name}
        return client.post(path, FORM | {name: value}, headers=asked).content.decode()

    assert "Expected a name of letters" in check("first_name", "http://x.example")
    assert "at least 12 characters" in check("password", "short")
    assert "This field is required." in check("practice_name", "")
    assert [check(name, value).strip() for name, value in FORM.items()] == [""] * len(FORM)
    asked = {"HX-Request": "true", "HX-Trigger-Name": "is_site_administrator"}
    assert client.post(path, FORM, headers=asked).status_code == 404
    assert not User.objects.exists()


def test_no_link_is_made_or_works_once_there_is_an_administrator(client: Client) -> None:
    token = make_first_link()
    User.objects.create_user("admin@example.org", is_site_administrator=True)
    assert make_first_link() is None
    assert client.post(f"/account/first/{token}/", FORM).status_code == 404
    assert not Practice.objects.exists()


def test_a_link_expires_and_a_new_start_replaces_it(client: Client) -> None:
    first, second = make_first_link(), make_first_link()
    assert client.get(f"/account/first/{first}/").status_code == 404
    assert client.get(f"/account/first/{second}/").status_code == 200
    FirstLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.get(f"/account/first/{second}/").status_code == 404


def test_an_administrator_need_not_see_patients(client: Client) -> None:
    form = {name: value for name, value in FORM.items() if name != "also_clinician"}
    client.post(f"/account/first/{make_first_link()}/", form)
    user = User.objects.get()
    assert list(user.memberships.values_list("role", flat=True)) == ["administrator"]
    TOTP.activate(user, generate_totp_secret())
    assert client.get("/people/").status_code == 200
    assert client.get("/patients/").status_code == 403


def test_a_fresh_site_has_no_people(site: object, db: None) -> None:
    assert not User.objects.exists()

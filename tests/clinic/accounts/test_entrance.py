"""Sign-up, verification, log-in, lock-out and new passwords, for those who belong and those who do not."""

import html
import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils.html import escape

from secondlook.clinic.accounts.mail import CONSOLE
from secondlook.clinic.accounts.models import Practice, User
from tests.clinic.accounts.conftest import PHRASE, MakeMember, find_link, log_in

NEW = {
    "first_name": "Zoé",
    "last_name": "O’Brien-Müller",
    "email": "Zoe@Example.org",
    "password1": PHRASE,
    "birth_date": "1980-02-03",
    "gender": "",
}


def sign_up(client: Client, **changes: str) -> Any:
    """Sign up with some fields changed."""
    return client.post("/account/signup/", NEW | changes)


def test_nobody_signs_up_where_nobody_takes_them(client: Client, practice: Practice) -> None:
    assert "No sign-up here" in client.get("/account/signup/").content.decode()
    page = client.get("/account/login/").content.decode()
    assert "/account/signup/" not in page
    assert "Ask your practice for an invitation." in page
    sign_up(client)
    assert not User.objects.exists()


def test_who_signs_up_proves_the_address_before_logging_in(client: Client, open_practice: Practice) -> None:
    signed = sign_up(client, city="Genève", zip_code="1204")
    assert signed.headers["Location"] == "/account/confirm-email/"
    user = User.objects.get()
    assert (user.email, user.city, user.zip_code, user.language) == ("zoe@example.org", "Genève", "1204", "en")
    assert user.password.startswith("argon2$")
    assert log_in(client, user.email).headers["Location"] == "/account/confirm-email/"
    link = find_link()
    assert "Yes, confirm it" in client.get(link).content.decode()
    client.post(link)
    assert "Log in to have a new one sent" in client.get(link).content.decode()
    assert log_in(client, user.email).headers["Location"] == "/"
    again = client.get(link).content.decode()
    assert "Your address is <strong>zoe@example.org</strong>" in again
    assert "Log in to have a new one sent" not in again


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("first_name", "", "This field is required."),
        ("first_name", "visit http://x.example", "Expected a name of letters"),
        ("last_name", "<b>", "Expected a name of letters"),
        ("email", "zoe@", "Expected an e-mail address, such as name@example.org."),
        ("birth_date", "2999-01-01", "this one is to come"),
        ("birth_date", "1780-01-01", "within the last 130 years"),
        ("birth_date", "", "This field is required."),
        ("zip_code", "12;34", "Expected a postal code"),
        ("gender", "robot", "Select a valid choice"),
        ("password1", "short", "at least 12 characters"),
        ("password1", "password12345", "too common"),
        ("password1", "Zoé O’Brien-Müller", "guessed too easily"),
    ],
)
def test_each_field_is_refused_in_words_at_once_and_when_sent(
    client: Client, open_practice: Practice, field: str, value: str, sentence: str
) -> None:
    at_once = client.post(f"/account/check/{field}/", NEW | {field: value}).content.decode()
    assert sentence in at_once
    assert sentence in sign_up(client, **{field: value}).content.decode()
    assert not User.objects.exists()


def test_a_good_field_is_not_spoken_of(client: Client, open_practice: Practice) -> None:
    for field in NEW:
        assert client.post(f"/account/check/{field}/", NEW).content.strip() == b""
    assert client.post("/account/check/is_site_administrator/", NEW).status_code == 404


def test_log_in_leads_to_sign_up_where_that_is_open(client: Client, open_practice: Practice) -> None:
    assert 'href="/account/signup/"' in client.get("/account/login/").content.decode()


def test_what_the_console_has_is_not_said_to_be_sent(client: Client, open_practice: Practice, settings: Any) -> None:
    for backend, printed in ((CONSOLE, True), (settings.EMAIL_BACKEND, False)):
        settings.EMAIL_BACKEND = backend
        sign_up(client, email=f"zoe{printed}@example.org")
        for path in ("/account/confirm-email/", "/account/password/reset/done/"):
            page = html.unescape(client.get(path).content.decode())
            assert ("stands in the server’s output" in page) == printed
            assert ("We have sent" in page) != printed


def test_the_address_may_be_left_out_and_nothing_else_may_be_put_in(client: Client, open_practice: Practice) -> None:
    page = client.get("/account/signup/").content.decode()
    for name in ("address", "address_2", "city", "state", "zip_code"):
        assert f'name="{name}"' in page
    sign_up(client, is_site_administrator="on", is_active="on", role="administrator")
    user = User.objects.get()
    assert not user.is_site_administrator
    assert not user.memberships.exists()


def test_sign_up_does_not_tell_who_has_an_account(
    client: Client, open_practice: Practice, make_member: MakeMember
) -> None:
    fresh = sign_up(client)
    make_member("clinician", email="known@example.org")
    client = Client(headers={"accept-language": "en"})
    known = sign_up(client, email="known@example.org")
    assert (known.status_code, known.headers["Location"]) == (fresh.status_code, fresh.headers["Location"])
    page = client.get(known.headers["Location"]).content.decode()
    assert "A link to confirm it was sent to known@example.org." in page
    assert mail.outbox[-1].subject == "Secondlook: You have an account already"
    assert client.post("/account/check/email/", NEW | {"email": "known@example.org"}).content.strip() == b""


def test_log_in_does_not_tell_who_has_an_account(client: Client, make_member: MakeMember) -> None:
    user = make_member("clinician")
    wrong = log_in(client, user.email, "wrong").content.decode()
    unknown = log_in(client, "nobody@example.org", "wrong").content.decode()
    sentence = "E-mail address and password do not go together. Check both."
    assert sentence in wrong
    assert sentence in unknown


def test_a_new_password_is_asked_for_without_telling_who_has_an_account(
    client: Client, make_member: MakeMember
) -> None:
    user = make_member("clinician")
    known = client.post("/account/password/reset/", {"email": user.email})
    link = find_link()
    unknown = client.post("/account/password/reset/", {"email": "nobody@example.org"})
    assert known.headers["Location"] == unknown.headers["Location"] == "/account/password/reset/done/"
    assert mail.outbox[-1].subject == "Secondlook: No account with this address"
    form = client.get(link, follow=True)
    assert "Set a new password" in form.content.decode()
    done = client.post(form.request["PATH_INFO"], {"password1": "other words altogether 7", "password2": "x"})
    assert "same password each time" in done.content.decode()
    fresh = "other words altogether 7"
    client.post(form.request["PATH_INFO"], {"password1": fresh, "password2": fresh})
    assert log_in(client, user.email, fresh).headers["Location"] == "/"
    again = Client().get(link, follow=True).content.decode()
    assert "used already, or has expired" in again


def test_failures_lock_an_address_out_of_one_account_and_nobody_else(make_member: MakeMember, site: object) -> None:
    user, other = make_member("clinician"), make_member("clinician")
    attacker = Client(headers={"accept-language": "en"})
    ended = [log_in(attacker, user.email, f"wrong {number}", "10.6.6.6").status_code for number in range(9)]
    assert ended[0] == 200
    assert ended[-1] == 429
    locked = log_in(attacker, user.email, PHRASE, "10.6.6.6")
    assert locked.status_code == 429
    assert escape("Too many log-ins failed here with this e-mail address.") in locked.content.decode()
    assert log_in(Client(), user.email, PHRASE, "10.0.0.1").headers["Location"] == "/"
    assert log_in(Client(), other.email, PHRASE, "10.6.6.6").headers["Location"] == "/"


def test_a_new_password_by_e_mail_unlocks(client: Client, make_member: MakeMember) -> None:
    user = make_member("clinician")
    ended = [log_in(client, user.email, f"wrong {number}").status_code for number in range(9)]
    assert ended[-1] == 429
    client.post("/account/password/reset/", {"email": user.email})
    form = client.get(find_link(), follow=True)
    fresh = "other words altogether 7"
    client.post(form.request["PATH_INFO"], {"password1": fresh, "password2": fresh})
    assert log_in(client, user.email, fresh).headers["Location"] == "/"


def test_who_asks_too_often_waits(client: Client, open_practice: Practice) -> None:
    logged = [log_in(client, f"{number}@example.org", "wrong", "10.7.7.7").status_code for number in range(21)]
    assert (logged[0], logged[-1]) == (200, 429)
    signed = [sign_up(client, first_name="").status_code for _number in range(11)]
    assert (signed[0], signed[-1]) == (200, 429)


def test_a_closed_account_does_not_open(client: Client, make_member: MakeMember) -> None:
    user = make_member("clinician", is_active=False)
    log_in(client, user.email)
    assert client.get("/account/").status_code == 302


def test_an_e_mail_that_cannot_be_sent_is_said_without_naming_its_reader(
    client: Client, open_practice: Practice, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    refused = sign_up(client)
    assert refused.status_code == 503
    assert "could not be sent" in refused.content.decode()
    assert "zoe@" not in caplog.text.lower()


def test_logs_name_nobody(
    client: Client, make_member: MakeMember, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    user = make_member("clinician", email="shy@example.org")
    for number in range(9):
        log_in(client, user.email, f"wrong {number}")
    log_in(Client(), user.email)
    Client().post("/account/password/reset/", {"email": user.email})
    written = caplog.text + "".join(capfd.readouterr())
    assert "shy" not in written


def test_the_log_in_page_says_why_it_is_there(client: Client, make_member: MakeMember) -> None:
    assert "output of the command that started the site" in client.get("/account/login/").text
    make_member(None, is_site_administrator=True)
    assert "output of the command" not in client.get("/account/login/").text
    assert "Log in to see that page." in client.get("/patients/", follow=True).text
    sent = client.post("/patients/new/", {"name": "P-1"}, follow=True).text
    assert "What you sent was not kept" in sent


def test_the_first_field_with_a_fault_has_the_focus(client: Client, open_practice: Practice) -> None:
    page = sign_up(client, zip_code="?").text
    assert re.findall(r"<input[^>]*autofocus[^>]*>", page) == re.findall(r'<input[^>]*name="zip_code"[^>]*>', page)

"""A log-in ends when it is left alone, after a day's work, and when its person ends it."""

from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.core import mail
from django.test import Client

from secondlook.clinic.accounts.sessions import BEGAN, SEEN
from tests.clinic.accounts.conftest import PHRASE, MakeMember, log_in
from tests.clinic.conftest import AsRole


def turn_back(client: Client, mark: str, seconds: int) -> None:
    """Have a session begin, or be seen last, so much earlier."""
    session = client.session
    session[mark] -= seconds
    session.save()


@pytest.mark.parametrize(("mark", "limit"), [(SEEN, "SESSION_IDLE_S"), (BEGAN, "SESSION_COOKIE_AGE")])
def test_a_log_in_ends_when_left_alone_and_after_a_day(mark: str, limit: str, as_role: AsRole, settings: Any) -> None:
    client = as_role("clinician")
    assert client.get("/patients/").status_code == 200
    turn_back(client, mark, getattr(settings, limit) - 60)
    assert client.get("/patients/").status_code == 200
    turn_back(client, mark, getattr(settings, limit) + 60)
    assert client.get("/patients/").headers["Location"] == "/account/login/?next=%2Fpatients%2F"
    assert "You were logged out" in client.get("/account/login/").content.decode()


def test_using_the_site_keeps_it_open_without_writing_each_time(
    as_role: AsRole, django_assert_num_queries: Any
) -> None:
    client = as_role("clinician")
    client.get("/account/")
    turn_back(client, SEEN, 120)
    client.get("/account/")
    seen = client.session[SEEN]
    client.get("/account/")
    assert client.session[SEEN] == seen


def test_knowing_who_asks_takes_few_questions(as_role: AsRole, django_assert_num_queries: Any) -> None:
    for role, count in {"patient": 3, "administrator": 4}.items():
        client = as_role(role)
        client.get("/account/details/")
        with django_assert_num_queries(count):  # the session, the person, their roles; whether they proved themselves
            client.get("/account/details/")


def test_a_log_in_ends_with_the_browser(client: Client, make_member: MakeMember) -> None:
    log_in(client, make_member("clinician").email)
    assert client.cookies["session"]["max-age"] == ""
    assert client.cookies["session"]["httponly"]


def test_log_ins_are_listed_and_ended_one_by_one_or_all(make_member: MakeMember, site: object) -> None:
    user, stranger = make_member("clinician"), make_member("clinician")
    clients = [Client(headers={"accept-language": "en", "user-agent": "Firefox/120 Windows"}) for _ in range(4)]
    for client in clients[:3]:
        log_in(client, user.email)
        client.get("/account/")
    log_in(clients[3], stranger.email)
    clients[3].get("/account/")
    page = clients[0].get("/account/sessions/").content.decode()
    assert page.count("Firefox, Windows") == 3
    other = UserSession.objects.get(session_key=clients[1].session.session_key)
    clients[0].post("/account/sessions/end/", {"session": other.pk})
    assert clients[1].get("/account/").status_code == 302
    assert clients[2].get("/account/").status_code == 200
    foreign = UserSession.objects.get(user=stranger)
    assert clients[0].post("/account/sessions/end/", {"session": foreign.pk}).status_code == 404
    clients[0].post("/account/sessions/")
    assert clients[2].get("/account/").status_code == 302
    assert clients[3].get("/account/").status_code == 200


def test_a_new_password_ends_the_other_log_ins(make_member: MakeMember, site: object) -> None:
    user = make_member("clinician")
    here, there = Client(), Client()
    log_in(here, user.email)
    log_in(there, user.email)
    fresh = "other words altogether 7"
    form = {"oldpassword": PHRASE, "password1": fresh, "password2": fresh}
    assert "This is not your password." in here.post("/account/password/change/", form | {"oldpassword": "x"}).text
    assert here.post("/account/password/change/", form).headers["Location"] == "/account/"
    assert here.get("/account/").status_code == 200
    assert there.get("/account/").status_code == 302
    assert "Was it not you?" in mail.outbox[-1].body

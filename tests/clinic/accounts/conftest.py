"""What the tests of accounts share: a good password, a person who can log in, mails that were sent."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.test import Client

from secondlook.clinic.accounts.models import Practice, User
from tests.clinic.conftest import MakePerson

PHRASE = "quiet river umbrella 42 stones"
MakeMember = Callable[..., User]


@pytest.fixture(autouse=True)
def _fresh_limits(db: None) -> Iterator[None]:
    """Let no test run into the limits of another: those are kept in the cache."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def make_member(make_person: MakePerson) -> MakeMember:
    """Return ``make_member(*roles, **fields)``: a person with a password and a confirmed address."""

    def make(*roles: str | None, **fields: Any) -> User:
        user = make_person(*roles, password=PHRASE, **fields)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        return user

    return make


@pytest.fixture
def open_practice(practice: Practice) -> Practice:
    """Return the practice, open to patients."""
    practice.open_to_patients = True
    practice.save()
    return practice


def log_in(client: Client, email: str, password: str = PHRASE, address: str = "10.0.0.1") -> Any:
    """Log in from an address and return the response."""
    return client.post("/account/login/", {"login": email, "password": password}, REMOTE_ADDR=address)


def find_link(text: str | None = None) -> str:
    """Return the path of the link in a text, or in the last e-mail."""
    found = re.search(r"https?://[^/\s]+(/\S+)", str(text if text is not None else mail.outbox[-1].body))
    assert found
    return found[1]

"""Passwords that are common, guessed soon, made of the person's own words, or leaked, are refused offline."""

import hashlib
from pathlib import Path

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from secondlook.clinic.accounts.models import User
from secondlook.clinic.accounts.passwords import LeakedValidator, holds_password
from secondlook.clinic.configuration import Configuration

PERSON = User(email="dominique.roux@example.org", first_name="Dominique", last_name="Roux")


@pytest.mark.parametrize(
    "password",
    [
        "qwertyuiop123",
        "123456789012345",
        "iloveyou1234",
        "P@ssw0rd2024",
        "Dominique Roux 1",
        "dominique.roux@example.org",
        "secondlook2026",
        "aaaaaaaaaaaaaaaa",
    ],
)
def test_what_is_guessed_soon_is_refused(password: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(password, PERSON)


@pytest.mark.parametrize(
    "password", ["quiet river umbrella 42 stones", "x9!Lq0zR#vB2kd", "mot de passe très éloigné 7"]
)
def test_what_nobody_guesses_is_taken(password: str) -> None:
    validate_password(password, PERSON)


def write_hashes(path: Path, passwords: list[str], ending: str = "\n") -> Path:
    """Write a file as haveibeenpwned.com gives it away."""
    hashes = sorted(hashlib.sha1(one.encode(), usedforsecurity=False).hexdigest().upper() for one in passwords)
    path.write_text("".join(f"{one}:{number}{ending}" for number, one in enumerate(hashes)), encoding="ascii")
    return path


@given(passwords=st.lists(st.text(min_size=1), max_size=40, unique=True), other=st.text(min_size=1))
def test_every_password_of_the_file_is_found_and_no_other(
    tmp_path_factory: pytest.TempPathFactory, passwords: list[str], other: str
) -> None:
    for ending in ("\n", "\r\n"):
        path = write_hashes(tmp_path_factory.mktemp("leaks") / "hashes.txt", passwords, ending)
        assert all(holds_password(path, one) for one in passwords)
        assert holds_password(path, other) == (other in passwords)


def test_a_leaked_password_is_refused_where_the_operator_has_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.conf import settings

    phrase = "quiet river umbrella 42 stones"
    path = write_hashes(tmp_path / "hashes.txt", [phrase, "another"])
    LeakedValidator().validate(phrase)
    monkeypatch.setenv("SECONDLOOK_LEAKED_PASSWORDS_FILE", str(path))
    monkeypatch.setattr(settings, "CONFIGURATION", Configuration())
    with pytest.raises(ValidationError, match="list of leaked ones"):
        LeakedValidator().validate(phrase)
    LeakedValidator().validate("quiet river umbrella 43 stones")

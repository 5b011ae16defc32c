"""Which passwords are refused, without asking anybody on the internet.

Beside Django's 20,000 most common ones: what zxcvbn takes for easily guessed (its lists of 30,000 leaked passwords,
names and words, with their usual disguises, keyboard walks, dates and the person's own data), and, where the operator
has it, the whole list of leaked passwords that haveibeenpwned.com gives away, of nearly a thousand million.
"""

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from zxcvbn import zxcvbn

if TYPE_CHECKING:
    from secondlook.clinic.accounts.models import User

LEAST_SCORE = 3  # of 0 to 4: safely unguessable, some 10⁸ guesses (Wheeler 2016, USENIX Security)
# What is beyond this is not looked at: the estimate takes long, and so many characters are enough.
LONGEST_LOOKED_AT = 72
LEAST_REST = 6  # characters beside the person's own words
SHORTEST_WORD = 3
HASH_CHARACTERS = 40


class GuessableValidator:
    """Refuses what is guessed soon, by what is known of leaked passwords and of the person."""

    def validate(self, password: str, user: "User | None" = None) -> None:
        """Refuse a password that is guessed soon."""
        known = list_words(user)
        rest = password.lower()
        for word in known:
            rest = rest.replace(word, "")
        guess = zxcvbn(password[:LONGEST_LOOKED_AT], user_inputs=known)
        if guess["score"] < LEAST_SCORE or len(rest.replace(" ", "")) < LEAST_REST:
            raise ValidationError(
                _("This password is guessed too easily. Take several words that have nothing to do with each other."),
                code="password_guessable",
            )

    def get_help_text(self) -> str:
        """Say what is expected."""
        return _("Several words that have nothing to do with each other make a good one.")


def list_words(user: "User | None") -> list[str]:
    """Return the words that somebody who knows a person tries first, the longest first."""
    known = "secondlook"
    if user:
        known += f" {user.email} {user.first_name} {user.last_name} {user.birth_date or ''}"
    words = {word for word in re.split(r"[\W_]+", known.lower()) if len(word) >= SHORTEST_WORD}
    return sorted(words, key=len, reverse=True)


class LeakedValidator:
    """Refuses passwords in a file of leaked ones: SHA-1 hashes in order, one a line, each with its count."""

    def validate(self, password: str, user: "User | None" = None) -> None:  # noqa: ARG002 - Django gives it
        """Refuse a password that is in the operator's file."""
        path = settings.CONFIGURATION.leaked_passwords_file
        if path and holds_password(path, password):
            raise ValidationError(
                _("This password is in a list of leaked ones. Choose another, and change it wherever else you use it."),
                code="password_leaked",
            )

    def get_help_text(self) -> str:
        """Say what is expected."""
        return _("It must not be known to have leaked from anywhere.")


def holds_password(path: Path, password: str) -> bool:
    """Return whether a file of SHA-1 hashes, one a line in order, holds that of the password."""
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    with path.open("rb") as file:
        low, high = 0, file.seek(0, os.SEEK_END)
        while low < high:
            middle = (low + high) // 2
            found = read_hash(file, middle)
            if found and found < wanted:
                low = middle + 1
            else:
                high = middle
        return read_hash(file, low) == wanted


def read_hash(file: BinaryIO, place: int) -> bytes:
    """Return the hash on the first line that begins at a place or after it; nothing after the last."""
    file.seek(max(place - 1, 0))
    if place:
        file.readline()
    return file.readline()[:HASH_CHARACTERS].upper()

"""The chain: each entry's seal covers its content and the seal before it.

The seal is HMAC-SHA-256 (RFC 2104) under a key that is derived from the key of the files and so lies outside the
database: whoever can write to the database alone can neither change an entry nor write the chain anew.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from django.conf import settings

from secondlook.clinic.audit.models import Entry
from secondlook.errors import InputError

FIRST = "0" * 64


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain that holds ends: what to write down to prove later that nothing was cut off.

    Attributes:
        number: Number of the last entry; 0 where there is none.
        seal: Its seal.
    """

    number: int
    seal: str

    def __str__(self) -> str:
        """Return it as the command takes it."""
        return f"{self.number}:{self.seal}"


def read_head(text: str) -> Head:
    """Return where a chain ended, as it was written down.

    Raises:
        InputError: That is not what was written down.
    """
    number, _, seal = text.strip().partition(":")
    if not number.isdigit() or len(seal) != len(FIRST):
        raise InputError(
            "Expected where the chain ended as `secondlook audit verify` writes it: a number, a colon, 64 digits."
        )
    return Head(int(number), seal)


class ChainError(Exception):
    """The chain does not hold; ``number`` is the first entry that does not stand."""

    def __init__(self, number: int, sentence: str) -> None:
        super().__init__(sentence)
        self.number = number


def seal_entry(entry: Entry, *, before: str) -> str:
    """Return the seal of an entry that follows the one with the seal ``before``."""
    fields = {
        "number": entry.number,
        "at": entry.at.isoformat(),
        "user": entry.user_id,
        "practice": entry.practice_id,
        "action": entry.action,
        "kind": entry.kind,
        "key": entry.key,
        "details": entry.details,
        "before": before,
    }
    content = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hmac.new(derive_key(settings.FILES_KEY), content.encode(), hashlib.sha256).hexdigest()


@cache
def derive_key(files_key: bytes) -> bytes:
    """Return the key of the seals."""
    return hmac.new(files_key, b"secondlook audit", hashlib.sha256).digest()


def prove_chain(entries: Iterable[Entry], *, known: Head | None = None) -> Head:
    """Go through all entries, from the first on, and return where the chain ends.

    Args:
        entries: In the order of their numbers.
        known: Where it ended when somebody last wrote that down.

    Raises:
        ChainError: An entry is missing, was changed or was put in; or what is known is not in it.
    """
    head = Head(0, FIRST)
    met = known is None or known == head
    for entry in entries:
        if entry.number != head.number + 1:
            raise ChainError(
                head.number + 1,
                f"After entry {head.number} comes entry {entry.number}: something was removed or put in.",
            )
        if not hmac.compare_digest(entry.seal, seal_entry(entry, before=head.seal)):
            raise ChainError(
                entry.number,
                f"Entry {entry.number} is not what was sealed: it or the one before it was changed, "
                "or this site has another SECONDLOOK_FILES_KEY.",
            )
        head = Head(entry.number, entry.seal)
        met = met or head == known
    if not met:
        raise ChainError(
            head.number, f"The chain ends at entry {head.number} and lacks the entry that you know: it was cut."
        )
    return head

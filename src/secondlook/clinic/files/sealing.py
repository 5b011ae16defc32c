"""Files at rest: AES-256-GCM (NIST SP 800-38D), each bound to its own name.

A sealed file is a mark, the first bytes of the key's hash, a random nonce, and the ciphertext with its tag.
"""

import hashlib
import secrets
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from secondlook.errors import SecondlookError

MARK = b"SLF1"
KEY_MARK_BYTES = 4
NONCE_BYTES = 12
HEAD_BYTES = len(MARK) + KEY_MARK_BYTES + NONCE_BYTES


class SealError(SecondlookError):
    """A kept file was changed, is not one of ours, or is sealed with another key."""


def seal(data: bytes, *, name: str) -> bytes:
    """Return the data encrypted; it opens under this name alone."""
    key = settings.FILES_KEY
    nonce = secrets.token_bytes(NONCE_BYTES)
    return MARK + mark_key(key) + nonce + make_cipher(key).encrypt(nonce, data, name.encode())


def unseal(sealed: bytes, *, name: str) -> bytes:
    """Return what was sealed.

    Raises:
        SealError: The file is not one of ours, was changed, has another name, or is sealed with another key.
    """
    key = settings.FILES_KEY
    if len(sealed) < HEAD_BYTES or not sealed.startswith(MARK):
        raise SealError("Expected a sealed file, got something else. Restore it from a backup.")
    if sealed[len(MARK) : len(MARK) + KEY_MARK_BYTES] != mark_key(key):
        raise SealError("A file is sealed with another key. Start with the SECONDLOOK_FILES_KEY that it was kept with.")
    try:
        return make_cipher(key).decrypt(
            sealed[HEAD_BYTES - NONCE_BYTES : HEAD_BYTES], sealed[HEAD_BYTES:], name.encode()
        )
    except InvalidTag as error:
        raise SealError("A kept file was changed after it was sealed. Restore it from a backup.") from error


def mark_key(key: bytes) -> bytes:
    """Return what tells a key from others and gives nothing of it away."""
    return hashlib.sha256(b"secondlook files " + key).digest()[:KEY_MARK_BYTES]


@cache
def make_cipher(key: bytes) -> AESGCM:
    """Return the cipher for a key."""
    return AESGCM(key)

"""What an authenticator app shows."""

import hashlib
import hmac
import struct
import time
from base64 import b32decode

PERIOD_S = 30


def make_code(key: str, at: float | None = None) -> str:
    """Return the code that an app shows at a time, or now (RFC 6238)."""
    period = int(time.time() if at is None else at) // PERIOD_S
    digest = hmac.new(b32decode(key), struct.pack(">Q", period), hashlib.sha1).digest()
    place = digest[-1] & 15
    number = struct.unpack(">I", digest[place : place + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**6:06d}"


def wait_for_code(key: str, *, lasting_s: float) -> str:
    """Return the code that an app shows, or the next one where this one does not hold for so long any more.

    The site takes a code in its own half minute alone.
    """
    left_s = PERIOD_S - time.time() % PERIOD_S
    if left_s < lasting_s:
        time.sleep(left_s)
    return make_code(key)

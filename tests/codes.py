"""What an authenticator app shows."""

import hashlib
import hmac
import struct
import time
from base64 import b32decode


def make_code(key: str) -> str:
    """Return the code that an app shows now (RFC 6238)."""
    digest = hmac.new(b32decode(key), struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    place = digest[-1] & 15
    number = struct.unpack(">I", digest[place : place + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**6:06d}"

"""Where e-mail goes, from one address in the environment."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from secondlook.errors import InputError

BACKENDS = "django.core.mail.backends"
CONSOLE = f"{BACKENDS}.console.EmailBackend"
PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}


@dataclass(frozen=True, slots=True)
class Mail:
    """How e-mail leaves, as Django's settings name it."""

    backend: str
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    starttls: bool = False
    tls: bool = False


def choose_mail(address: str | None) -> Mail:
    """Read an address such as ``smtp://user:password@host:587``; without one, the console.

    ``smtp`` demands STARTTLS, ``smtps`` speaks TLS from the first byte, ``smtp+plain`` neither: for this machine alone.

    Raises:
        InputError: The address cannot be read.
    """
    if address in (None, "console:"):
        return Mail(CONSOLE)
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = None, None, None
    if parts is None or parts.scheme not in PORTS or not host:
        raise InputError(
            "Expected SECONDLOOK_EMAIL_URL such as smtp://user:password@host:587, smtps://, smtp+plain:// or console:; "
            "it cannot be read as one."
        )
    return Mail(
        f"{BACKENDS}.smtp.EmailBackend",
        host=host,
        port=port or PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        starttls=parts.scheme == "smtp",
        tls=parts.scheme == "smtps",
    )

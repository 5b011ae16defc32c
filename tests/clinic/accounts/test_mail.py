"""Where e-mail goes is read from one address."""

import pytest

from secondlook.clinic.accounts.mail import Mail, choose_mail
from secondlook.errors import InputError

SMTP = "django.core.mail.backends.smtp.EmailBackend"


@pytest.mark.parametrize(
    ("address", "mail"),
    [
        (None, Mail("django.core.mail.backends.console.EmailBackend")),
        ("console:", Mail("django.core.mail.backends.console.EmailBackend")),
        ("smtp://me:p%40ss@mail.example", Mail(SMTP, "mail.example", 587, "me", "p@ss", starttls=True)),
        ("smtps://me:word@mail.example:2465", Mail(SMTP, "mail.example", 2465, "me", "word", tls=True)),
        ("smtp+plain://localhost", Mail(SMTP, "localhost", 25)),
    ],
)
def test_an_address_says_host_port_and_how_it_is_sealed(address: str | None, mail: Mail) -> None:
    assert choose_mail(address) == mail


@pytest.mark.parametrize("address", ["http://mail.example", "smtp://", "smtp://mail.example:port", "mail.example", ""])
def test_another_address_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(InputError, match="SECONDLOOK_EMAIL_URL") as refused:
        choose_mail(address)
    assert "mail.example" not in str(refused.value)

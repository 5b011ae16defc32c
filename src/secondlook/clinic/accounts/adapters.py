"""What allauth leaves to the site: who may sign up, and how second factors are kept."""

import base64
import logging
from smtplib import SMTPException
from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from secondlook.clinic.accounts.actors import PRIVILEGED
from secondlook.clinic.accounts.invitations import find_pending
from secondlook.clinic.accounts.models import Membership, Practice, User
from secondlook.clinic.accounts.sessions import is_fresh
from secondlook.clinic.refusals import refuse

logger = logging.getLogger(__name__)

STRONG = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Opens the sign-up to those who have somewhere to go."""

    error_messages: ClassVar = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": gettext_lazy("E-mail address and password do not go together. Check both."),
        "incorrect_password": gettext_lazy("This is not your password."),
        "enter_current_password": gettext_lazy("This is not your password."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return whether a practice takes patients in, or an invitation is at hand."""
        return find_pending(request) is not None or Practice.objects.filter(open_to_patients=True).exists()

    def format_email_subject(self, subject: str) -> str:
        """Return a subject that says whose e-mail it is."""
        return _("Secondlook: %(subject)s") % {"subject": " ".join(subject.split())}

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send an e-mail, or say that it cannot be sent, without a trace that names its reader."""
        try:
            super().send_mail(template_prefix, email, context)
        except (SMTPException, OSError) as error:
            logger.error("An e-mail could not be sent: %s.", type(error).__name__)  # noqa: TRY400 - a trace names people
            sentence = _("The e-mail could not be sent. Try again later, and tell whoever runs this site.")
            raise ImmediateHttpResponse(refuse(self.request, sentence, status=503)) from None

    def is_reauthentication_required(self, *, app: str) -> bool:
        """Return whether somebody must prove anew who they are; not right after they have."""
        required: bool = super().is_reauthentication_required(app=app)
        return required and not is_fresh(self.request)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:  # noqa: ARG002 - allauth names it
        """Return where a changed password leads, which is not to changing it once more."""
        return resolve_url("own:overview")

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count no failures by e-mail address alone: that would let anybody lock others out; axes counts them."""


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Keeps the secrets of second factors encrypted, and the last factor of those who need one."""

    error_messages: ClassVar = DefaultMFAAdapter.error_messages | {
        "cannot_delete_authenticator": gettext_lazy("Your role needs a second proof. Set up another one first."),
        "incorrect_code": gettext_lazy("This code is not right, or no longer. Wait for the next one and type that."),
    }

    def encrypt(self, text: str) -> str:
        """Return the text as it is stored."""
        return make_cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return the text that was stored."""
        return make_cipher().decrypt(encrypted_text.encode()).decode()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Return whether the person can go without it."""
        others = Authenticator.objects.filter(user=authenticator.user, type__in=STRONG).exclude(pk=authenticator.pk)
        return others.exists() or not must_have_second_factor(authenticator.user)


def make_cipher() -> Fernet:
    """Return the cipher of second factors; its key comes from that of the files, which is not in the database."""
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"secondlook second factors")
    return Fernet(base64.urlsafe_b64encode(derived.derive(settings.FILES_KEY)))


def has_second_factor(user: User) -> bool:
    """Return whether a person has a second factor; recovery codes alone are none."""
    return bool(Authenticator.objects.filter(user=user, type__in=STRONG).exists())


def must_have_second_factor(user: User) -> bool:
    """Return whether a person holds a role, in any practice, that asks for a second factor."""
    held = Membership.objects.filter(user=user, ended_at=None, role__in=PRIVILEGED)
    return bool(user.is_site_administrator) or held.exists()

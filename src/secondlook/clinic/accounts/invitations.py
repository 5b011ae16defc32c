"""An invitation that a browser holds until its person has signed up or logged in."""

import logging
from smtplib import SMTPException

from django.core.mail import send_mail
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext

from secondlook.clinic.accounts.models import Invitation

logger = logging.getLogger(__name__)

PENDING = "invitation"


def find_invitation(token: str) -> Invitation | None:
    """Return the invitation that a link names, if it still works."""
    return Invitation.objects.with_token(token).select_related("practice").first()


def hold_invitation(request: HttpRequest, invitation: Invitation) -> None:
    """Remember an invitation while its person signs up or logs in."""
    request.session[PENDING] = invitation.key


def find_pending(request: HttpRequest) -> Invitation | None:
    """Return the invitation at hand, if it still works."""
    key = request.session.get(PENDING)
    return Invitation.objects.open().filter(key=key).select_related("practice").first() if key else None


def forget_pending(request: HttpRequest) -> None:
    """Forget the invitation at hand."""
    request.session.pop(PENDING, None)


def send_invitation(invitation: Invitation, link: str) -> bool:
    """Send an invitation in the practice's language; return whether it went out."""
    with translation.override(invitation.practice.language):
        context = {"invitation": invitation, "link": link}
        subject = gettext("Secondlook: invitation to %(practice)s") % {"practice": invitation.practice.name}
        text = render_to_string("accounts/email/invitation.txt", context)
    try:
        return bool(send_mail(" ".join(subject.split()), text, None, [invitation.email]))
    except (SMTPException, OSError) as error:
        logger.error("An invitation could not be sent: %s.", type(error).__name__)  # noqa: TRY400 - a trace names people
        return False

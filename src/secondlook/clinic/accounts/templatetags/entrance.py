"""What pages of people say of this site: whether it sends e-mail, has people, and lets anybody sign up."""

from typing import Any

from allauth.account.adapter import get_adapter
from django import template
from django.conf import settings

from secondlook.clinic.accounts.mail import CONSOLE
from secondlook.clinic.accounts.services import needs_first_administrator

register = template.Library()


@register.simple_tag
def mail_is_printed() -> bool:
    """Return whether e-mails go nowhere but into the server's output."""
    return bool(settings.EMAIL_BACKEND == CONSOLE)


@register.simple_tag
def is_without_people() -> bool:
    """Return whether the site has no administrator yet, so that nobody can log in."""
    return needs_first_administrator()


@register.simple_tag(takes_context=True)
def signup_is_open(context: dict[str, Any]) -> bool:
    """Return whether the reader may make an account."""
    request = context["request"]
    return bool(get_adapter(request).is_open_for_signup(request))

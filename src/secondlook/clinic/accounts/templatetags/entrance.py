"""What pages of people say of this site: whether it sends e-mail, and whether anybody may sign up."""

from typing import Any

from allauth.account.adapter import get_adapter
from django import template
from django.conf import settings

from secondlook.clinic.accounts.mail import CONSOLE

register = template.Library()


@register.simple_tag
def mail_is_printed() -> bool:
    """Return whether e-mails go nowhere but into the server's output."""
    return bool(settings.EMAIL_BACKEND == CONSOLE)


@register.simple_tag(takes_context=True)
def signup_is_open(context: dict[str, Any]) -> bool:
    """Return whether the reader may make an account."""
    request = context["request"]
    return bool(get_adapter(request).is_open_for_signup(request))

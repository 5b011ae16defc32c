"""The app's start: its rules are checked with Django's own checks."""

from django.apps import AppConfig
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """People, practices, roles and rules."""

    name = "secondlook.clinic.accounts"

    def ready(self) -> None:
        """Register the checks, hear of new passwords, and word what is no e-mail address in our way in every form."""
        from allauth.account.signals import password_reset

        from secondlook.clinic.accounts import rules  # noqa: F401 - registers on import
        from secondlook.clinic.accounts.lockout import unlock

        password_reset.connect(unlock, dispatch_uid="unlock")
        validate_email.message = _("Expected an e-mail address, such as name@example.org.")

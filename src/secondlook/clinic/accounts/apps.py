"""The app's start: its rules are checked with Django's own checks."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """People, practices, roles and rules."""

    name = "secondlook.clinic.accounts"

    def ready(self) -> None:
        """Register the checks, and hear of new passwords."""
        from allauth.account.signals import password_reset

        from secondlook.clinic.accounts import rules  # noqa: F401 - registers on import
        from secondlook.clinic.accounts.lockout import unlock

        password_reset.connect(unlock, dispatch_uid="unlock")

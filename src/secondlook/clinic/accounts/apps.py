"""The app's start: its rules are checked with Django's own checks."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """People, practices, roles and rules."""

    name = "secondlook.clinic.accounts"

    def ready(self) -> None:
        """Register the checks."""
        from secondlook.clinic.accounts import rules  # noqa: F401 - registers on import

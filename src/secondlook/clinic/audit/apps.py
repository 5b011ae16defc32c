"""Have log-ins written down."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Log-ins are told by Django itself."""

    name = "secondlook.clinic.audit"

    def ready(self) -> None:
        """Listen to them."""
        from secondlook.clinic.audit import entrances

        entrances.listen()

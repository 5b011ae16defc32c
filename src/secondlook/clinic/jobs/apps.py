"""Find the handlers of all apps."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class JobsConfig(AppConfig):
    """Handlers live in modules called ``work``."""

    name = "secondlook.clinic.jobs"

    def ready(self) -> None:
        """Import them."""
        autodiscover_modules("work")

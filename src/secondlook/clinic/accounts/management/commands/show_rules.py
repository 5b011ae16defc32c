"""``python -m django show_rules``: print who may call which route."""

from typing import Any

from django.core.management.base import BaseCommand

from secondlook.clinic.accounts.rules import ROUTES, list_routes


class Command(BaseCommand):
    """Prints the table of rules."""

    help = "Print who may call which route, and its address."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Print it."""
        places = list_routes()
        width = max(map(len, ROUTES))
        for route, audience in ROUTES.items():
            self.stdout.write(f"{route:<{width}}  {audience:<28}  {places.get(route, '-')}")

"""The application for an ASGI server: ``secondlook.clinic.asgi:application``."""

import os

import django

from secondlook.clinic.memory import keep_memory

keep_memory()  # in processes that the server starts, too
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "secondlook.clinic.settings")
django.setup(set_prefix=False)

from secondlook.clinic.handler import SiteHandler  # noqa: E402 - Django must be set up first

application = SiteHandler()

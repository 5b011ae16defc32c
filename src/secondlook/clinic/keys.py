"""Rows that addresses name: by a key that nobody can guess or count."""

import secrets

from django.db import models

KEY_BYTES = 12


def make_key() -> str:
    """Return a fresh key: 16 characters for addresses, almost 96 random bits; no command takes it for an option."""
    key = secrets.token_urlsafe(KEY_BYTES)
    return make_key() if key.startswith("-") else key


class Keyed(models.Model):
    """A row with a key for addresses; its number never leaves the database."""

    key = models.CharField(max_length=16, unique=True, default=make_key, editable=False)

    class Meta:
        """No table of its own."""

        abstract = True

    def __str__(self) -> str:
        """Name the row without saying anything of a patient."""
        return f"{self._meta.model_name} {self.key}"

"""Undo in place of "are you sure": a message that carries the address that undoes."""

from django.contrib import messages
from django.http import HttpRequest


def offer_undo(request: HttpRequest, sentence: str, address: str) -> None:
    """Tell what was done, with a button that undoes it; the sentence names no patient."""
    messages.success(request, sentence, extra_tags=address)

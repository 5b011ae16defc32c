"""What is asked of a new token."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from secondlook.clinic.accounts.actors import Actor
from secondlook.clinic.api.models import Scope

DAYS = {7: _("1 week"), 30: _("30 days"), 90: _("90 days"), 365: _("1 year")}
USUAL_DAYS = 90


class TokenForm(forms.Form):
    """A name, what the token is for, and for how long."""

    name = forms.CharField(
        label=_("What is it for?"),
        max_length=80,
        help_text=_("Such as “Upload from the dermatoscope”; you will know it by this name."),
        error_messages={"required": _("Expected a name by which you will know the token.")},
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label=_("What may it do?"),
        choices=Scope.choices,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
        error_messages={"required": _("Expected at least one choice: what the program needs.")},
        help_text=_("Choose as little as it needs. It never opens more than you see yourself."),
    )
    days = forms.TypedChoiceField(
        label=_("How long is it valid?"),
        coerce=int,
        choices=list(DAYS.items()),
        initial=USUAL_DAYS,
        widget=forms.Select(attrs={"class": "form-select"}),
    )

    def __init__(self, *args: Any, actor: Actor, **options: Any) -> None:
        super().__init__(*args, **options)
        offered = choose_scopes(actor)
        self.fields["scopes"].choices = [(scope.value, scope.label) for scope in offered]  # type: ignore[attr-defined]


def choose_scopes(actor: Actor) -> list[Scope]:
    """Return the scopes that are of use to somebody."""
    if actor.is_clinical:
        return list(Scope)
    return [Scope.READ, Scope.REPORT, Scope.INFER] if actor.is_patient else [Scope.INFER]

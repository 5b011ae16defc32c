"""What people are asked about themselves, their practice and whom they invite."""

import re
from copy import copy
from datetime import date
from typing import Any, ClassVar

from allauth.account.forms import SignupForm
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.forms.models import fields_for_model
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from secondlook.clinic.accounts.invitations import find_pending, forget_pending
from secondlook.clinic.accounts.models import Language, Practice, Role, User
from secondlook.clinic.accounts.services import accept_invitation
from secondlook.clinic.cases.forms import OVERTAKEN, DayInput, RecordForm

NAME = re.compile(r"[^\W\d_]([^\W\d_]|[ .’'-])*")
POSTAL_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 -]{1,11}")
OLDEST_YEARS = 130
OPENS = _(
    "Clinicians see the practice’s patients, reviewers judge its pictures, patients see their own; administrators see "
    "people and settings, and no picture."
)
ABOUT = ("first_name", "last_name", "birth_date", "gender")
ADDRESS = ("address", "address_2", "city", "state", "zip_code")
WIDGETS: dict[str, type[forms.Widget] | forms.Widget] = {
    "first_name": forms.TextInput(attrs={"autocomplete": "given-name"}),
    "last_name": forms.TextInput(attrs={"autocomplete": "family-name"}),
    "birth_date": DayInput(attrs={"autocomplete": "bday"}),
    "address": forms.TextInput(attrs={"autocomplete": "address-line1"}),
    "address_2": forms.TextInput(attrs={"autocomplete": "address-line2"}),
    "city": forms.TextInput(attrs={"autocomplete": "address-level2"}),
    "state": forms.TextInput(attrs={"autocomplete": "address-level1"}),
    "zip_code": forms.TextInput(attrs={"autocomplete": "postal-code"}),
}


class PersonFields:
    """Checks of what people say of themselves, for any form with these fields."""

    cleaned_data: dict[str, Any]

    def clean_first_name(self) -> str:
        """Refuse what is no name."""
        return clean_name(self.cleaned_data["first_name"])

    def clean_last_name(self) -> str:
        """Refuse what is no name."""
        return clean_name(self.cleaned_data["last_name"])

    def clean_birth_date(self) -> date | None:
        """Refuse a day to come, and one that nobody living was born on."""
        born: date | None = self.cleaned_data["birth_date"]
        today = timezone.localdate()
        if born is None:
            return None
        if born > today:
            raise ValidationError(_("Expected a day that has been; this one is to come."))
        if today.year - born.year > OLDEST_YEARS:
            raise ValidationError(_("Expected a birth date within the last 130 years; check the year."))
        return born

    def clean_zip_code(self) -> str:
        """Refuse what no country writes as a postal code."""
        code: str = self.cleaned_data["zip_code"].strip()
        if code and not POSTAL_CODE.fullmatch(code):
            raise ValidationError(_("Expected a postal code of letters, digits, spaces and hyphens."))
        return code


def clean_name(name: str) -> str:
    """Return a name without spaces around it; names go into e-mails, so nothing that looks like an address is one.

    Raises:
        ValidationError: It is no name.
    """
    name = " ".join(name.split())
    if not NAME.fullmatch(name):
        raise ValidationError(_("Expected a name of letters, spaces, hyphens and apostrophes."))
    return name


class SignUpForm(PersonFields, SignupForm):  # type: ignore[misc]  # allauth has no types
    """Asks who somebody is; all but the address is needed."""

    field_order: ClassVar = ["first_name", "last_name", "email", "password1", "birth_date", "gender", *ADDRESS]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields |= fields_for_model(User, fields=(*ABOUT, *ADDRESS), widgets=WIDGETS)
        self.fields["birth_date"].required = True
        self.order_fields(self.field_order)

    def clean(self) -> dict[str, Any]:
        """Hold the password against what else is known of the person."""
        given: dict[str, Any] = super().clean()
        password = given.get("password1")
        if password and "password1" not in self.errors:
            # As written, so that a fault in another field hides nothing.
            known = {name: self.data.get(name, "") for name in ("email", "first_name", "last_name")}
            try:
                validate_password(password, User(**known, birth_date=given.get("birth_date")))
            except ValidationError as error:
                self.add_error("password1", error)
        return given

    def try_save(self, request: HttpRequest) -> Any:
        """Save the person, or take just as long where the address has an account already."""
        if self.account_already_exists:
            User().set_password(self.cleaned_data["password1"])
        return super().try_save(request)

    def custom_signup(self, request: HttpRequest, user: User) -> None:
        """Keep the rest of the fields, and take up the invitation that led here."""
        for name in (*ABOUT, *ADDRESS):
            setattr(user, name, self.cleaned_data[name])
        user.language = get_language() or ""
        user.save()
        invitation = find_pending(request)
        if invitation and invitation.is_for(user.email):
            accept_invitation(user=user, invitation=invitation)
            forget_pending(request)


class ProfileForm(PersonFields, forms.ModelForm):  # type: ignore[type-arg]
    """What people may change about themselves."""

    class Meta:
        """Fields in the order of asking."""

        model = User
        fields: ClassVar = [*ABOUT, *ADDRESS, "language"]
        widgets: ClassVar = WIDGETS

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["language"].choices = [("", _("As the browser asks")), *Language.choices]  # type: ignore[attr-defined]


class PracticeForm(RecordForm):
    """How a practice works."""

    class Meta:
        """Fields in the order of asking."""

        model = Practice
        fields: ClassVar = [
            "name",
            "language",
            "open_to_patients",
            "patients_see_results",
            "keep_originals",
            "retention_days",
        ]
        help_texts: ClassVar = {
            "open_to_patients": _("Anybody may then make an account, and a patient’s record of their own with it."),
            "patients_see_results": _("Patients with an account see their own pictures and results; no one else’s."),
            "keep_originals": _("Otherwise only the pixels are kept, without what cameras write into files."),
            "retention_days": _("Older pictures are erased, with their results. Leave empty to keep them."),
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        days = self.fields["retention_days"]
        # Not on the day that pictures come, and no day that no calendar has.
        sentence = _("Expected 1 to 36500 days, or nothing to keep pictures.")
        days.validators = [MinValueValidator(1, sentence), MaxValueValidator(36_500, sentence)]
        days.widget.attrs |= {"min": 1, "max": 36_500}


class PatientInvitationForm(forms.Form):
    """Where to send a patient's invitation."""

    email = forms.EmailField(
        label=_("E-mail address"),
        required=False,
        help_text=_("The link is sent there and works for this address alone. Leave empty to pass it on yourself."),
    )


class InvitationForm(PatientInvitationForm):
    """Whom to invite, and to what."""

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.CLINICIAN, help_text=OPENS)
    field_order = ("role", "email")


class RolesForm(forms.Form):
    """The roles of one person."""

    roles = forms.MultipleChoiceField(
        label=_("Roles"),
        choices=Role.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=OPENS,
    )
    held = forms.CharField(required=False, widget=forms.HiddenInput)  # when the page was opened

    def clean(self) -> dict[str, Any]:
        """Refuse to replace what another administrator changed meanwhile."""
        given = super().clean() or {}
        now = self.initial["held"]
        if self.data.get("held", now) != now:
            page: Any = copy(self.data)
            page["held"] = now  # sent once more, it is meant
            self.data = page
            names = [str(name) for role, name in Role.choices if role in self.initial["roles"]]
            self.add_error("roles", OVERTAKEN % {"value": ", ".join(names) or _("nothing")})
        return given


class FoundingForm(forms.Form):
    """A further practice."""

    name = forms.CharField(label=_("Name of the practice"), max_length=120)
    language = forms.ChoiceField(label=_("Language"), choices=Language.choices)
    email = forms.EmailField(
        label=_("E-mail address of its administrator"), help_text=_("An invitation is sent there.")
    )


class FirstForm(PersonFields, forms.Form):
    """The first administrator and practice."""

    practice_name = forms.CharField(label=_("Name of the practice"), max_length=120)
    first_name = forms.CharField(label=_("First name"), max_length=80, widget=WIDGETS["first_name"])
    last_name = forms.CharField(label=_("Surname"), max_length=80, widget=WIDGETS["last_name"])
    email = forms.EmailField(label=_("E-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 12 characters; several words that have nothing to do with each other."),
    )
    also_clinician = forms.BooleanField(
        label=_("I see patients myself"),
        required=False,
        initial=True,
        help_text=_("Otherwise you manage people and settings, and see no picture."),
    )

    def clean(self) -> dict[str, Any]:
        """Hold the password against what else is known of the person."""
        given = super().clean() or {}
        password = given.get("password")
        if password:
            known = {name: given.get(name) or "" for name in ("email", "first_name", "last_name")}
            try:
                validate_password(password, User(**known))
            except ValidationError as error:
                self.add_error("password", error)
        return given

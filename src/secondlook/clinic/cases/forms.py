"""What is asked of patients, lesions and visits, and what is refused."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from secondlook.clinic.cases.body import PLACES, list_places
from secondlook.clinic.cases.models import Lesion, Patient, SkinType, Visit

OLDEST_YEARS = 130


def read_sent(request: HttpRequest) -> QueryDict | None:
    """Return what was sent with a form, be it empty; nothing where the form is only asked for."""
    return request.POST if request.method == "POST" else None


class DayInput(forms.DateInput):
    """The browser's own field for a day."""

    input_type = "date"

    def __init__(self, **options: Any) -> None:
        super().__init__(format="%Y-%m-%d", **options)


class RecordForm(forms.ModelForm):  # type: ignore[type-arg]  # each form below names its model
    """A form whose fields look like the site's, and whose faults a screen reader finds beside the field."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            kind = "form-select" if isinstance(field.widget, forms.Select) else "form-control"
            field.widget.attrs["class"] = kind


class PatientForm(RecordForm):
    """A patient under a name or a pseudonym."""

    class Meta:
        """Fields in the order of asking."""

        model = Patient
        fields: ClassVar = ["name", "birth_date", "sex", "skin_type", "language", "note"]
        widgets: ClassVar = {
            "birth_date": DayInput(),
            "note": forms.Textarea(attrs={"rows": 3}),
            "name": forms.TextInput(attrs={"autocomplete": "off"}),
        }
        help_texts: ClassVar = {
            "name": _("A pseudonym is enough: pictures need no name to be judged."),
            "skin_type": _("After Fitzpatrick: I burns always, VI never."),
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field: Any = self.fields["skin_type"]
        field.choices = [("", _("Unknown")), *SkinType.choices]

    def clean_birth_date(self) -> Any:
        """Refuse a day to come, and one that nobody living was born on."""
        born = self.cleaned_data["birth_date"]
        if born and not 0 <= timezone.localdate().year - born.year <= OLDEST_YEARS:
            raise ValidationError(_("Expected a birth date within the last 130 years; check the year."))
        if born and born > timezone.localdate():
            raise ValidationError(_("Expected a day that has been; this one is to come."))
        return born


class LesionForm(RecordForm):
    """A place on the body map: a region from the list, and within it the point that was clicked."""

    place = forms.ChoiceField(label=_("place on the body"), choices=())
    x = forms.FloatField(required=False, min_value=0, max_value=1, widget=forms.HiddenInput)
    y = forms.FloatField(required=False, min_value=0, max_value=1, widget=forms.HiddenInput)

    class Meta:
        """The rest of the fields."""

        model = Lesion
        fields: ClassVar = ["name", "note"]
        widgets: ClassVar = {"note": forms.Textarea(attrs={"rows": 2}), "name": forms.TextInput()}
        help_texts: ClassVar = {"name": _("Optional, for instance “dark one below the collar”.")}

    def __init__(self, *args: Any, **options: Any) -> None:
        lesion: Lesion | None = options.get("instance")
        if lesion and lesion.side:
            placed = {"place": f"{lesion.side}:{lesion.site}", "x": lesion.x, "y": lesion.y}
            options["initial"] = placed | options.get("initial", {})
        super().__init__(*args, **options)
        field: Any = self.fields["place"]
        field.choices = [("", _("Choose")), *list_places()]
        self.order_fields(["place", "name", "note", "x", "y"])

    def clean(self) -> dict[str, Any]:
        """Put the mark where it was clicked, or in the middle of the region."""
        given = super().clean() or {}
        region = PLACES.get(given.get("place", ""))
        if region is not None:
            clicked = given.get("x") is not None and given.get("y") is not None
            self.instance.side, self.instance.site = region.side, region.site
            self.instance.x = given["x"] if clicked else region.x
            self.instance.y = given["y"] if clicked else region.y
        return given


class VisitForm(RecordForm):
    """A day on which a patient is seen."""

    class Meta:
        """Its fields."""

        model = Visit
        fields: ClassVar = ["date", "note"]
        widgets: ClassVar = {"date": DayInput(), "note": forms.Textarea(attrs={"rows": 3})}

    def clean_date(self) -> Any:
        """Refuse a day to come."""
        date = self.cleaned_data["date"]
        if date > timezone.localdate():
            raise ValidationError(_("Expected a day that has been; this one is to come."))
        return date

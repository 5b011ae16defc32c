"""What is asked of patients, lesions and visits, and what is refused."""

from copy import copy
from datetime import date
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from secondlook.clinic.cases.body import PLACES, list_places
from secondlook.clinic.cases.models import Lesion, Patient, SkinType, Visit

OLDEST_YEARS = 130
OVERTAKEN = _("Somebody else has changed this meanwhile, to: %(value)s. Send yours once more if it is to replace that.")
BEFORE_BIRTH = _("The visit of %(visit)s would be before the birth date, %(birth)s. Check the year of both.")


def read_sent(request: HttpRequest) -> QueryDict | None:
    """Return what was sent with a form, be it empty; nothing where the form is only asked for."""
    return request.POST if request.method == "POST" else None


class DayInput(forms.DateInput):
    """The browser's own field for a day."""

    input_type = "date"

    def __init__(self, **options: Any) -> None:
        super().__init__(format="%Y-%m-%d", **options)


class RecordForm(forms.ModelForm):  # type: ignore[type-arg]  # each form below names its model
    """A form whose fields look like the site's, and whose faults a screen reader finds beside the field.

    A page on which a row is changed holds what was there when it was opened. So two people may change it at once: what
    one of them left alone stays as the other made it, and nobody writes over what they have not seen.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        opened = not self.is_bound or any(self.add_initial_prefix(name) in self.data for name in self.fields)
        for field in self.fields.values():
            kind = "form-select" if isinstance(field.widget, forms.Select) else "form-control"
            field.widget.attrs["class"] = kind
            field.show_hidden_initial = bool(self.instance.pk) and opened

    def clean(self) -> dict[str, Any]:
        """Take what was changed on the page alone, and refuse to replace what somebody else changed meanwhile."""
        given = super().clean() or {}
        for name in [name for name in given if self.fields[name].show_hidden_initial]:
            field = self.fields[name]
            now = self.get_initial_for_field(field, name)
            if name not in self.changed_data:
                given[name] = now
            elif not field.widget.is_hidden and self.is_overtaken(name, now):
                page: Any = copy(self.data)
                page[self.add_initial_prefix(name)] = now  # sent once more, it is meant
                self.data = page
                self.add_error(name, OVERTAKEN % {"value": self.describe_value(name, now)})
        return given

    def is_overtaken(self, name: str, now: Any) -> bool:
        """Return whether a field holds neither what the page was opened with nor what it is to hold."""
        places = (self.add_initial_prefix(name), self.add_prefix(name))
        return all(self.fields[name].has_changed(even(now), even(self.data.get(place))) for place in places)

    def describe_value(self, name: str, value: Any) -> str:
        """Return what a field holds as its reader knows it."""
        if value in (None, ""):
            return str(_("nothing"))
        names = {str(key): words for key, words in getattr(self.fields[name], "choices", ())}
        return date_format(value) if isinstance(value, date) else str(names.get(str(value), value))


def even(value: Any) -> Any:
    """Return a text with plain line ends; browsers send their own."""
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


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
        if born and self.instance.pk and "birth_date" in self.changed_data:
            first = self.instance.visits.filter(removed_at=None).order_by("date").first()
            if first and first.date < born:
                raise ValidationError(BEFORE_BIRTH % {"visit": date_format(first.date), "birth": date_format(born)})
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
            moved = not {"x", "y"}.isdisjoint(self.changed_data) or "place" not in self.changed_data
            clicked = moved and given.get("x") is not None and given.get("y") is not None
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
        day = self.cleaned_data["date"]
        if day > timezone.localdate():
            raise ValidationError(_("Expected a day that has been; this one is to come."))
        born = self.instance.patient.birth_date
        if born and day < born and "date" in self.changed_data:
            raise ValidationError(BEFORE_BIRTH % {"visit": date_format(day), "birth": date_format(born)})
        return day

"""What lists are narrowed by: text, triage, label, dates, review; and what they are sorted by."""

from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from secondlook.clinic.accounts.models import Practice
from secondlook.clinic.cases.forms import DayInput
from secondlook.clinic.cases.models import Patient, Picture, Triage, fold_name
from secondlook.clinic.cases.paging import Order
from secondlook.clinic.look.predictors import list_choices
from secondlook.clinic.look.presentation import read_language

Rows = QuerySet[Any]
Sorting = dict[str, tuple[str | Promise, Order]]
NEWEST, OLDEST = Order("created_at", descending=True), Order("created_at")
BY_DATE: Sorting = {"new": (_("Newest first"), NEWEST), "old": (_("Oldest first"), OLDEST)}


def list_labels() -> list[tuple[Any, Any]]:
    """Return the labels of the tasks on offer as a select groups them; each is written task:label."""
    language = read_language()
    groups = [
        (task.names[language], [(f"{task.key}:{label.key}", label.names[language]) for label in task.labels])
        for task in (offer.task for offer in list_choices())
    ]
    return [("", _("Any")), *groups]


class Search(forms.Form):
    """Fields of an address; what cannot be understood narrows nothing."""

    orders: ClassVar[Sorting] = BY_DATE
    text = forms.CharField(label=_("Name or pseudonym"), required=False, max_length=120)

    def __init__(self, data: QueryDict, *, practice: Practice) -> None:
        super().__init__(data)
        self.asked, self.practice = data, practice
        self.fields["sort"] = forms.ChoiceField(
            label=_("Sorted by"), required=False, choices=[(key, words) for key, (words, _order) in self.orders.items()]
        )
        for field in self.fields.values():
            field.widget.attrs["class"] = "form-select" if isinstance(field.widget, forms.Select) else "form-control"
        self.fields["text"].widget.input_type = "search"
        self.full_clean()

    def get(self, name: str) -> Any:
        """Return what was asked, or nothing."""
        return self.cleaned_data.get(name) or ""

    @property
    def order(self) -> Order:
        """What the list is sorted by."""
        return self.orders[self.get("sort") or next(iter(self.orders))][1]

    @property
    def narrows(self) -> bool:
        """Whether anything was asked for."""
        return any(self.get(name) for name in self.fields if name != "sort")

    @property
    def query(self) -> str:
        """What was asked, for the addresses of other pages."""
        asked = self.asked.copy()
        for name in list(asked):
            if name not in self.fields or not asked[name]:
                del asked[name]
        return asked.urlencode()

    def find_named(self, patients: Rows) -> Rows:
        """Return the patients whose name holds every word that was asked for."""
        for word in fold_name(self.get("text")).split():
            patients = patients.filter(folded_name__contains=word)
        return patients

    def narrow_by(self, rows: Rows, field: str, lookup: str) -> Rows:
        """Return the rows for which a field of the form holds, where it was filled in."""
        asked = self.get(field)
        return rows.filter(**{lookup: asked}) if asked else rows

    def narrow_by_patient(self, rows: Rows) -> Rows:
        """Return the rows of the patients asked for."""
        if not self.get("text"):
            return rows
        named = self.find_named(Patient.objects.filter(practice=self.practice, removed_at=None))
        return rows.filter(patient__in=named.values("pk"))


class PatientSearch(Search):
    """Patients by name, and by what their pictures gave."""

    orders: ClassVar = {"name": (_("Name"), Order("folded_name")), "new": (_("Newest record first"), NEWEST)}
    triage = forms.ChoiceField(label=_("With a result"), required=False, choices=[("", _("Any")), *Triage.choices])

    def narrow(self, rows: Rows) -> Rows:
        """Return the patients asked for."""
        rows = self.find_named(rows)
        if triage := self.get("triage"):
            told = Picture.objects.filter(practice=self.practice, removed_at=None, triage=triage)
            rows = rows.filter(pk__in=told.values("patient"))
        return rows


class LesionSearch(Search):
    """Lesions by patient and by their latest answer."""

    triage = forms.ChoiceField(label=_("Triage"), required=False, choices=[("", _("Any")), *Triage.choices])
    label = forms.ChoiceField(label=_("Stands out most"), required=False, choices=list_labels)
    since = forms.DateField(label=_("From"), required=False, widget=DayInput())
    until = forms.DateField(label=_("To"), required=False, widget=DayInput())
    dated_by = "pictured_on"

    def narrow(self, rows: Rows) -> Rows:
        """Return the rows asked for."""
        rows = self.narrow_by(self.narrow_by_patient(rows), "triage", "triage")
        rows = self.narrow_by(rows, "since", f"{self.dated_by}__gte")
        rows = self.narrow_by(rows, "until", f"{self.dated_by}__lte")
        task, _colon, label = self.get("label").partition(":")
        return rows.filter(task=task, label=label) if label else rows


class ResultSearch(LesionSearch):
    """Results by patient, answer, day and review."""

    orders: ClassVar = {**BY_DATE, "risk": (_("Highest probability first"), Order("risk", descending=True))}
    review = forms.ChoiceField(
        label=_("Review"),
        required=False,
        choices=[
            ("", _("Any")),
            ("waiting", _("Waiting for review")),
            ("reviewed", _("Reviewed")),
            ("disagreed", _("Model and doctor disagree")),
        ],
    )
    dated_by = "taken_on"

    def narrow(self, rows: Rows) -> Rows:
        """Return the pictures asked for."""
        rows = super().narrow(rows)
        if self.get("sort") == "risk":
            rows = rows.exclude(risk=None)
        return {
            "waiting": rows.filter(state="answered", reviewed=False),
            "reviewed": rows.filter(reviewed=True),
            "disagreed": rows.filter(disagreed=True),
        }.get(self.get("review"), rows)

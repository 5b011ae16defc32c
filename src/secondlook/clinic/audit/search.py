"""What the log is narrowed by, and one page of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from secondlook.clinic.accounts.models import Practice, User
from secondlook.clinic.audit.models import Entry
from secondlook.clinic.audit.words import ACTIONS, name_action
from secondlook.clinic.cases.forms import DayInput

PAGE_ROWS = 50
BEYOND = 2**62
LONGEST_LIST = 3


class EntrySearch(forms.Form):
    """Fields of an address; what cannot be understood narrows nothing."""

    person = forms.ChoiceField(label=_("Person"), required=False)
    action = forms.ChoiceField(label=_("What"), required=False)
    key = forms.CharField(label=_("Key of a record"), required=False, max_length=64)
    since = forms.DateField(label=_("From"), required=False, widget=DayInput())
    until = forms.DateField(label=_("Until"), required=False, widget=DayInput())

    def __init__(self, data: Any, *, practice: Practice) -> None:
        super().__init__(data)
        people = User.objects.filter(memberships__practice=practice).distinct().order_by("last_name", "first_name")
        chosen: dict[str, list[tuple[Any, Any]]] = {
            "person": [("", _("Anybody")), *((one.key, one.get_full_name()) for one in people)],
            "action": [("", _("Anything")), *sorted(ACTIONS.items(), key=lambda item: str(item[1]).casefold())],
        }
        for name, field in self.fields.items():
            field.widget.attrs["class"] = "form-select" if name in chosen else "form-control"
        for name, choices in chosen.items():
            self.fields[name].choices = choices  # type: ignore[attr-defined]  # they are fields of choices
        self.full_clean()

    def get(self, name: str) -> Any:
        """Return what was asked, or nothing."""
        return self.cleaned_data.get(name) or ""

    @property
    def narrows(self) -> bool:
        """Whether anything was asked for."""
        return any(self.get(name) for name in self.fields)

    @property
    def query(self) -> str:
        """What was asked, for the addresses of other pages."""
        return urlencode({name: self.data[name] for name in self.fields if self.data.get(name)})

    def narrow(self, entries: "QuerySet[Entry]") -> "QuerySet[Entry]":
        """Return the entries asked for."""
        if key := self.get("person"):
            entries = entries.filter(user_id__in=User.objects.filter(key=key).values_list("pk", flat=True))
        asked = {"action": self.get("action"), "key": self.get("key").strip()}
        entries = entries.filter(**{field: value for field, value in asked.items() if value})
        if since := self.get("since"):
            entries = entries.filter(number__gte=find_number(since))
        if until := self.get("until"):
            entries = entries.filter(number__lt=find_number(until + timedelta(days=1)))
        return entries


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as it is shown.

    Attributes:
        entry: The entry.
        person: Name of who did it; empty for the site itself.
        action: What was done, in words.
        details: Further facts.
    """

    entry: Entry
    person: str
    action: str
    details: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the log.

    Attributes:
        lines: The latest first.
        older: Number that the next page begins below; nothing on the last one.
        begun: Whether there are later entries than these.
    """

    lines: Sequence[Line]
    older: int | None
    begun: bool


def find_number(day: date) -> int:
    """Return the number of the first entry of a day or after it: numbers follow time, and lists follow numbers."""
    start = timezone.make_aware(datetime.combine(day, time.min))
    found = Entry.objects.filter(at__gte=start).order_by("at", "number").values_list("number", flat=True).first()
    return BEYOND if found is None else found


def take_page(entries: "QuerySet[Entry]", before: str) -> Page:
    """Return the entries below a number, or the latest."""
    below = int(before) if before.isdecimal() and len(before) < 19 else None
    found = entries.filter(number__lt=below) if below is not None else entries
    taken = list(found.order_by("-number")[: PAGE_ROWS + 1])
    shown, more = taken[:PAGE_ROWS], len(taken) > PAGE_ROWS
    return Page(describe_entries(shown), older=shown[-1].number if more else None, begun=below is not None)


def describe_entries(entries: Iterable[Entry]) -> list[Line]:
    """Return entries as they are shown, with the names of people as they are today."""
    entries = list(entries)
    people = User.objects.in_bulk({entry.user_id for entry in entries if entry.user_id})
    return [
        Line(
            entry=entry,
            person=people[entry.user_id].get_full_name() if entry.user_id in people else "",
            action=name_action(entry.action),
            details=describe_details(entry.details),
        )
        for entry in entries
    ]


def describe_details(details: dict[str, Any]) -> str:
    """Return the further facts in one line."""
    parts = (f"{name}: {join_value(value)}" for name, value in details.items())
    return "; ".join(parts)


def join_value(value: Any) -> str:
    """Return a fact as text; of a list that is long or empty, its length."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) if 0 < len(value) <= LONGEST_LIST else str(len(value))
    return str(value)

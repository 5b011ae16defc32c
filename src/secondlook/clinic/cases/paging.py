"""Pages of a list by keyset: each page starts after a row that is named by its key, however long the list is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

PAGE_ROWS = 25
MOST_COUNTED = 1000


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is sorted by; rows with the same value follow each other as they were made.

    Attributes:
        field: A field that no row of the list lacks.
        descending: Whether the greatest comes first.
    """

    field: str
    descending: bool = False

    def sort(self, rows: "QuerySet[Any]", *, backwards: bool) -> "QuerySet[Any]":
        """Return the rows in this order, or from the end."""
        sign = "-" if self.descending is not backwards else ""
        return rows.order_by(f"{sign}{self.field}", f"{sign}pk")

    def pass_by(self, rows: "QuerySet[Any]", row: Any, *, backwards: bool) -> "QuerySet[Any]":
        """Return what comes after a row in this order, or before it."""
        value, sign = getattr(row, self.field), "lt" if self.descending is not backwards else "gt"
        # The first condition says it once more, in the way in which an index can be entered.
        beyond = Q(**{f"{self.field}__{sign}": value}) | Q(**{f"pk__{sign}": row.pk})
        return rows.filter(**{f"{self.field}__{sign}e": value}).filter(beyond)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list.

    Attributes:
        rows: What stands on it.
        before: Key that the page before ends ahead of; empty on the first page.
        after: Key that the page after starts behind; empty on the last page.
        count: How many rows there are in all, counted to ``MOST_COUNTED``.
        many: Whether there are more than that.
    """

    rows: Sequence[Any]
    before: str
    after: str
    count: int
    many: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """What a page is taken from.

    Attributes:
        rows: The list, narrowed to what was asked for.
        known: The list as it is, where the row is looked up that a page starts after.
        whole: All rows, with what is shown of each; asked for the page's own alone.
        order: What it is sorted by.
    """

    rows: "QuerySet[Any]"
    known: "QuerySet[Any]"
    whole: "QuerySet[Any]"
    order: Order

    def take_page(self, *, after: str = "", before: str = "") -> Page:
        """Return the page that starts after, or ends before, the row with a key; an unknown key gives the first."""
        row = self.known.filter(key=before or after).first() if before or after else None
        backwards = row is not None and bool(before)
        found = self.order.sort(self.rows, backwards=backwards)
        if row is None:
            # One walk along the index gives both the page and the count.
            numbers = list(found.values_list("pk", flat=True)[: MOST_COUNTED + 1])
            count = len(numbers)
        else:
            found = self.order.pass_by(found, row, backwards=backwards)
            numbers = list(found.values_list("pk", flat=True)[: PAGE_ROWS + 1])
            count = self.rows.order_by().values("pk")[: MOST_COUNTED + 1].count()
        taken = list(self.order.sort(self.whole.filter(pk__in=numbers[:PAGE_ROWS]), backwards=False))
        more = len(numbers) > PAGE_ROWS
        has_before, has_after = (more, True) if backwards else (row is not None, more)
        return Page(
            rows=taken,
            before=taken[0].key if taken and has_before else "",
            after=taken[-1].key if taken and has_after else "",
            count=min(count, MOST_COUNTED),
            many=count > MOST_COUNTED,
        )


def pick_rows(found: "QuerySet[Any]", limit: int) -> "QuerySet[Any]":
    """Return the first rows; which they are is read from the list's index alone, and each is then had by number."""
    numbers = list(found.values_list("pk", flat=True)[:limit])
    rows: QuerySet[Any] = found.model._default_manager.filter(pk__in=numbers)
    return rows.order_by(*found.query.order_by)

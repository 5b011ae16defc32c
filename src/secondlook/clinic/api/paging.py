"""Lists for machines: pages of any size to a limit, each with the address of the next."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from pydantic import BaseModel, Field

from secondlook.client.records import Key, Page, Record
from secondlook.clinic.accounts.actors import get_actor
from secondlook.clinic.api.faults import RequestError
from secondlook.clinic.audit.services import record
from secondlook.clinic.cases.paging import Order, pick_rows
from secondlook.clinic.keys import Keyed

Item = TypeVar("Item", bound=Record)
NEWEST = Order("created_at", descending=True)
LATEST = Order("pk", descending=True)  # of rows that nobody dates: no index is needed


class Paging(BaseModel):
    """Which part of a list is wanted."""

    limit: int = Field(50, ge=1, le=100, description="The most rows that are wanted at once.")
    after: Key | None = Field(None, description="Key of the last row of the page before.")


def take_page(
    request: HttpRequest,
    response: HttpResponse,
    rows: "QuerySet[Any]",
    *,
    paging: Paging,
    describe: Callable[[Any], Item],
    known: "QuerySet[Any]",
    fetch: Callable[["QuerySet[Any]"], "QuerySet[Any]"] = lambda rows: rows,
    order: Order = NEWEST,
) -> Page[Item]:
    """Return a page of the rows, with the address of the next one in it and in the header Link; the log keeps which.

    Args:
        request: What was asked.
        response: Gets the header.
        rows: The filtered list.
        paging: Which page.
        describe: Makes a record of a row.
        known: Where the key is looked up: the list without its filters.
        fetch: Has what the records need of other rows come with them.
        order: What the list is sorted by.

    Raises:
        RequestError: There is no row of that key.
    """
    found = order.sort(rows, backwards=False)
    if paging.after:
        last = known.filter(key=paging.after).first()
        if last is None:
            raise RequestError({"after": _("Expected the key of a row of this list. Start with the first page.")})
        found = order.pass_by(found, last, backwards=False)
    taken = list(fetch(pick_rows(found, paging.limit + 1)))
    items = [describe(row) for row in taken[: paging.limit]]
    kind = str(rows.model._meta.model_name)
    details = {"keys": [row.key for row in taken[: paging.limit]]}
    record(get_actor(request), f"{kind}.listed", kind=kind, details=details)
    address = None
    if len(taken) > paging.limit:
        query = request.GET.copy()
        query["after"] = taken[paging.limit - 1].key
        address = request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
        response.headers["Link"] = f'<{address}>; rel="next"'
    return Page[Item](items=items, next=address)


def narrow(rows: "QuerySet[Any]", **wanted: Any) -> "QuerySet[Any]":
    """Return the rows for which all holds that was asked for."""
    return rows.filter(**{field: value for field, value in wanted.items() if value is not None})


def locate(operation: str, row: Keyed) -> str:
    """Return the address of a row, by the name of the operation that shows it."""
    return reverse(f"api:{operation}", args=[row.key])

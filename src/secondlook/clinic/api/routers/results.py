"""Results: what models said."""

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Path, Query
from pydantic import Field

from secondlook.client import records
from secondlook.client.records import Key, Page
from secondlook.clinic.accounts.actors import Actor, get_actor
from secondlook.clinic.api.bearer import DoorRouter
from secondlook.clinic.api.models import Scope
from secondlook.clinic.api.paging import LATEST, Paging, narrow, take_page
from secondlook.clinic.api.rows import UNTOLD, describe_result
from secondlook.clinic.audit.services import record
from secondlook.clinic.cases import services
from secondlook.clinic.cases.models import Picture, Result

router = DoorRouter(tags=["Results"])


class ResultFilters(Paging):
    """Which results are wanted."""

    picture: Key | None = Field(None, description="Of this picture.")


def keep_seen(rows: "QuerySet[Any]", actor: Actor) -> "QuerySet[Any]":
    """Return the rows whose picture is one that the actor may see."""
    pictures = Picture.objects.seen_by(actor)
    if not actor.is_clinical:  # a patient's own are few
        return rows.filter(picture__in=pictures)
    # Of a practice's, each is looked up as the list comes to it.
    return rows.filter(Exists(pictures.filter(pk=OuterRef("picture"))), practice=actor.practice)


def list_seen(actor: Actor) -> "QuerySet[Result]":
    """Return the results of the pictures that the actor may see."""
    return keep_seen(Result.objects.all(), actor)


def fetch(results: "QuerySet[Any]") -> "QuerySet[Any]":
    """Have the pictures come along, and no more than records of results need."""
    return results.select_related("picture").defer(*UNTOLD)


def describe(result: Result) -> records.Result:
    """Return the record of a result."""
    return describe_result(result, picture=result.picture)


@router.get("/results", auth=Scope.READ, response={200: Page[records.Result]})
def list_results(request: HttpRequest, response: HttpResponse, filters: Query[ResultFilters]) -> Page[records.Result]:
    """List results, the newest first; a picture that was asked anew has several."""
    actor = get_actor(request)
    rows = narrow(list_seen(actor), picture__key=filters.picture)
    known = Result.objects.filter(practice=actor.practice)
    return take_page(request, response, rows, paging=filters, describe=describe, known=known, fetch=fetch, order=LATEST)


@router.get("/results/{key}", auth=Scope.READ, response={200: records.Result})
def show_result(request: HttpRequest, key: Path[Key]) -> records.Result:
    """Show a result."""
    actor = get_actor(request)
    result = get_object_or_404(fetch(list_seen(actor)), key=key)
    record(actor, "result.seen", about=result)
    return describe(result)


@router.post("/results/{key}/reproduce", auth=Scope.READ, response={200: records.Reproduction})
def reproduce_result(request: HttpRequest, key: Path[Key]) -> records.Reproduction:
    """Have a result said once more from the pixels that were kept, and compare to the last digit."""
    actor = get_actor(request)
    result = get_object_or_404(list_seen(actor).select_related("picture"), key=key)
    found = services.reproduce_result(result, actor=actor)
    return records.Reproduction(
        result=result.key, identical=found.identical, differing=list(found.differing), software=found.software
    )

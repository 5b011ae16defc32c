"""Opinions: what doctors said."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Path, Query
from ninja.responses import Status
from pydantic import Field

from secondlook.client import records
from secondlook.client.records import Key, NewOpinion, Page
from secondlook.clinic.accounts.actors import Actor, get_actor
from secondlook.clinic.api.bearer import DoorRouter
from secondlook.clinic.api.models import Scope
from secondlook.clinic.api.paging import LATEST, Paging, locate, narrow, take_page
from secondlook.clinic.api.routers.results import keep_seen, list_seen
from secondlook.clinic.api.rows import describe_opinion
from secondlook.clinic.audit.services import record
from secondlook.clinic.cases import services
from secondlook.clinic.cases.models import Opinion

router = DoorRouter(tags=["Opinions"])
OWN = ("key", "verdict", "label", "note", "created_at")


class OpinionFilters(Paging):
    """Which opinions are wanted."""

    picture: Key | None = Field(None, description="On this picture.")


def list_opinions_seen(actor: Actor) -> "QuerySet[Opinion]":
    """Return the opinions on the pictures that the actor may see."""
    return keep_seen(Opinion.objects.all(), actor)


def fetch(opinions: "QuerySet[Any]") -> "QuerySet[Any]":
    """Have all come along that records of opinions need, and no more."""
    named = ("picture__key", "result__key", "author__first_name", "author__last_name")
    return opinions.select_related("picture", "result", "author").only(*OWN, *named)


@router.get("/opinions", auth=Scope.READ, response={200: Page[records.Opinion]})
def list_opinions(
    request: HttpRequest, response: HttpResponse, filters: Query[OpinionFilters]
) -> Page[records.Opinion]:
    """List opinions, the newest first; the latest on a picture counts, and histology before all others."""
    actor = get_actor(request)
    rows = narrow(list_opinions_seen(actor), picture__key=filters.picture)
    known = Opinion.objects.filter(practice=actor.practice)
    return take_page(
        request, response, rows, paging=filters, describe=describe_opinion, known=known, fetch=fetch, order=LATEST
    )


@router.post("/opinions", auth=Scope.OPINE, response={201: records.Opinion, 404: records.Problem})
def give_opinion(request: HttpRequest, response: HttpResponse, order: NewOpinion) -> Status[records.Opinion]:
    """Say what a doctor thinks of a result, or what the histology found; opinions before stay."""
    actor = get_actor(request)
    result = get_object_or_404(list_seen(actor), key=order.result)
    opinion = services.give_opinion(
        actor=actor, result=result, verdict=order.verdict, label=order.label, note=order.note
    )
    response.headers["Location"] = locate("show_opinion", opinion)
    return Status(201, describe_opinion(opinion))


@router.get("/opinions/{key}", auth=Scope.READ, response={200: records.Opinion})
def show_opinion(request: HttpRequest, key: Path[Key]) -> records.Opinion:
    """Show an opinion."""
    actor = get_actor(request)
    opinion = get_object_or_404(fetch(list_opinions_seen(actor)), key=key)
    record(actor, "opinion.seen", about=opinion)
    return describe_opinion(opinion)

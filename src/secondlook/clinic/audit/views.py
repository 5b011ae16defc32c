"""The audit log of a practice, for its administrators."""

import csv
import io
import json
from collections.abc import Iterator

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from secondlook.clinic.accounts.actors import get_actor
from secondlook.clinic.audit.chain import ChainError, prove_chain
from secondlook.clinic.audit.models import Entry
from secondlook.clinic.audit.search import EntrySearch, describe_entries, take_page
from secondlook.clinic.audit.services import record
from secondlook.clinic.streams import SteadyResponse

COLUMNS = ("number", "at", "person", "action", "kind", "key", "details", "seal")
AT_ONCE = 500


@require_GET
def show_log(request: HttpRequest) -> HttpResponse:
    """List who saw, changed and exported what in the practice. For administrators."""
    actor = get_actor(request)
    search = EntrySearch(request.GET, practice=actor.practice)
    page = take_page(search.narrow(Entry.objects.seen_by(actor)), request.GET.get("before", ""))
    return render(request, "audit/log.html", {"search": search, "page": page, "address": request.path})


@require_GET
def export_log(request: HttpRequest) -> HttpResponseBase:
    """Hand the same list out as CSV. For administrators."""
    actor = get_actor(request)
    search = EntrySearch(request.GET, practice=actor.practice)
    entries = search.narrow(Entry.objects.seen_by(actor)).order_by("number")
    record(actor, "audit.exported")
    disposition = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    return SteadyResponse(write_rows(entries), content_type="text/csv; charset=utf-8", headers=disposition)


def write_rows(entries: "QuerySet[Entry]") -> Iterator[bytes]:
    """Yield entries as CSV, some at a time."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    last = 0
    while taken := list(entries.filter(number__gt=last)[:AT_ONCE]):
        last = taken[-1].number
        for line in describe_entries(taken):
            entry, details = line.entry, json.dumps(line.entry.details, ensure_ascii=False)
            # A name that a spreadsheet would take for a formula stays a name.
            person = f"'{line.person}" if line.person[:1] in "=+-@\t\r" and line.person else line.person
            writer.writerow(
                [entry.number, entry.at.isoformat(), person, entry.action, entry.kind, entry.key, details, entry.seal]
            )
        yield stream.getvalue().encode()
        stream.seek(0)
        stream.truncate()
    yield stream.getvalue().encode()


@require_POST
def verify_log(request: HttpRequest) -> HttpResponse:
    """Prove the chain of the whole site and say where it ends. For administrators."""
    actor = get_actor(request)
    try:
        head = prove_chain(Entry.objects.order_by("number").iterator(chunk_size=2000))
    except ChainError as error:
        record(actor, "audit.verified", details={"holds": False, "number": error.number})
        sentence = _(
            "The log does not hold from entry %(number)d on. Tell whoever runs this site; keep a copy of everything."
        )
        messages.error(request, sentence % {"number": error.number})
    else:
        record(actor, "audit.verified", details={"holds": True, "number": head.number})
        sentence = _(
            "The log holds: no entry was changed, removed or put in. Write down %(head)s to prove it later, too."
        )
        messages.success(request, sentence % {"head": head})
    return redirect("audit:log")

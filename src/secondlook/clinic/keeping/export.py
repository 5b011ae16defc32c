"""All there is on one patient, as a ZIP that any program opens: tables as CSV, the same as JSON, and the pictures."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from secondlook.clinic.audit.models import Entry
from secondlook.clinic.cases.models import Lesion, Opinion, Patient, Picture, Result, Visit
from secondlook.clinic.files.services import read_file

# What is ours alone: numbers of rows, and what repeats other fields.
INTERNAL = {"id", "practice", "folded_name", "shown", "seen", "original", "embedding", "heatmap", "upload_key"}
README = """This is all that the practice keeps on one patient in Secondlook.

patient.csv, lesions.csv, visits.csv, pictures.csv, results.csv, opinions.csv: the records, one row each
access.csv: who saw or changed what, as the audit log tells
record.json: the same in one file
pictures/: each picture by its key: KEY.jpg as shown, KEY.webp as the model saw it, KEY.original as it was sent, if kept

Results support a decision; they do not diagnose.
"""

Rows = list[dict[str, Any]]


class Sink(io.RawIOBase):
    """Takes what is written, to be handed on piece by piece."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def writable(self) -> bool:
        """Return that it can be written to."""
        return True

    def write(self, data: Any) -> int:
        """Take a piece."""
        self.parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """Return what was written since the last call."""
        taken, self.parts = b"".join(self.parts), []
        return taken


def export_patient(patient: Patient) -> Iterator[bytes]:
    """Yield a ZIP of all there is on a patient, one picture at a time; removed rows are in it, erased ones are gone."""
    tables = read_tables(patient)
    pictures = list(patient.pictures.order_by("pk"))
    sink = Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README)
        archive.writestr("record.json", json.dumps(tables, cls=DjangoJSONEncoder, indent=1, ensure_ascii=False))
        for name, rows in tables.items():
            archive.writestr(f"{name}.csv", write_csv(rows))
        yield sink.take()
        for picture in pictures:
            for name, suffix in ((picture.shown, "jpg"), (picture.seen, "webp"), (picture.original, "original")):
                if name:
                    archive.writestr(f"pictures/{picture.key}.{suffix}", read_file(name), zipfile.ZIP_STORED)
                    yield sink.take()
    yield sink.take()


def read_tables(patient: Patient) -> dict[str, Rows]:
    """Return all rows of a patient, table by table."""
    found: dict[str, models.QuerySet[Any]] = {
        "patient": Patient.objects.filter(pk=patient.pk),
        "lesions": Lesion.objects.filter(patient=patient),
        "visits": Visit.objects.filter(patient=patient),
        "pictures": Picture.objects.filter(patient=patient),
        "results": Result.objects.filter(picture__patient=patient),
        "opinions": Opinion.objects.filter(picture__patient=patient),
    }
    tables = {name: [describe_row(row) for row in rows.order_by("pk")] for name, rows in found.items()}
    keys = {row["key"] for rows in tables.values() for row in rows}
    return tables | {"access": describe_access(patient, keys)}


def describe_row(row: models.Model) -> dict[str, Any]:
    """Return a row as others read it: rows of ours by their keys, people by their names."""
    described = {}
    for field in row._meta.concrete_fields:
        if field.name not in INTERNAL:
            value = getattr(row, field.name)
            described[field.name] = describe_related(value) if isinstance(value, models.Model) else value
    return described


def describe_related(row: models.Model) -> str:
    """Return the key of a row, or the name of a person."""
    key: str | None = getattr(row, "key", None)
    return key if key is not None else row.get_full_name()  # type: ignore[attr-defined]


def describe_access(patient: Patient, keys: set[str]) -> Rows:
    """Return who did what with rows of these keys."""
    entries = Entry.objects.filter(practice_id=patient.practice_id, key__in=keys).order_by("number")
    return [
        {"at": entry.at, "user": entry.user_id, "action": entry.action, "kind": entry.kind, "key": entry.key}
        for entry in entries
    ]


def write_csv(rows: Rows) -> str:
    """Return rows as CSV; a text that a spreadsheet would take for a formula is quoted."""
    stream = io.StringIO()
    if rows:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows({name: tame(value) for name, value in row.items()} for row in rows)
    return stream.getvalue()


def tame(value: Any) -> Any:
    """Return a value as a cell: lists and tables as JSON, no text as a formula."""
    if isinstance(value, dict | list):
        return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value

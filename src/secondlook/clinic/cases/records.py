"""Patients, lesions and visits: adding, changing, removing, and undoing; each is written to the audit log."""

from typing import TypeVar

from django.db import transaction
from django.db.models import Max

from secondlook.clinic.accounts.actors import Actor
from secondlook.clinic.audit.services import record
from secondlook.clinic.cases.models import Lesion, Patient, Visit
from secondlook.clinic.cases.removal import remove_row, restore_row

Row = Patient | Lesion | Visit
RowType = TypeVar("RowType", Patient, Lesion, Visit)


def add_patient(patient: Patient, *, actor: Actor) -> Patient:
    """Add a patient to the actor's practice."""
    return add_row(patient, actor=actor)


def add_lesion(lesion: Lesion, *, actor: Actor, patient: Patient) -> Lesion:
    """Add a lesion of a patient under the next number, which is never given again."""
    with transaction.atomic():
        lesion.patient = Patient.objects.select_for_update().get(pk=patient.pk)
        lesion.number = (patient.lesions.aggregate(Max("number"))["number__max"] or 0) + 1
        return add_row(lesion, actor=actor)


def add_visit(visit: Visit, *, actor: Actor, patient: Patient) -> Visit:
    """Add a visit of a patient."""
    visit.patient = patient
    return add_row(visit, actor=actor)


def add_row(row: RowType, *, actor: Actor) -> RowType:
    """Keep a new row in the actor's practice."""
    row.practice, row.created_by = actor.practice, actor.user
    with transaction.atomic():
        row.save()
        record(actor, f"{row._meta.model_name}.added", about=row)
    return row


def change_row(row: Row, *, actor: Actor, fields: list[str]) -> None:
    """Keep a changed row; the log holds which fields were changed, not what they hold."""
    with transaction.atomic():
        row.save()
        record(actor, f"{row._meta.model_name}.changed", about=row, details={"fields": fields})


def change_visit(visit: Visit, *, actor: Actor, fields: list[str]) -> None:
    """Keep a changed visit; its pictures take its date, and so their lesions may have another latest one."""
    with transaction.atomic():
        change_row(visit, actor=actor, fields=fields)
        visit.pictures.update(taken_on=visit.date)
        for lesion in Lesion.objects.filter(pictures__visit=visit).distinct():
            lesion.repeat_latest()


def remove_record(row: Row, *, actor: Actor) -> None:
    """Take a row out of every list, with what belongs to it."""
    with transaction.atomic():
        remove_row(row)
        record(actor, f"{row._meta.model_name}.removed", about=row)


def restore_record(row: Row, *, actor: Actor) -> None:
    """Undo a removal."""
    with transaction.atomic():
        restore_row(row)
        record(actor, f"{row._meta.model_name}.restored", about=row)

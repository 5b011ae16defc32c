"""Erasing for good: rows and files go together, and an entry in the audit log proves that they went."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from secondlook.clinic.accounts.actors import Actor
from secondlook.clinic.accounts.models import Membership, Role
from secondlook.clinic.api.services import forget_answers
from secondlook.clinic.audit.models import Entry
from secondlook.clinic.audit.services import record
from secondlook.clinic.cases.models import Lesion, Opinion, Patient, Picture, Result
from secondlook.clinic.cases.services import PREDICT
from secondlook.clinic.files.models import KeptFile
from secondlook.clinic.files.services import drop_file
from secondlook.clinic.files.store import list_sealed
from secondlook.clinic.jobs.models import Job

ERASED = "patient.erased"


@dataclass(frozen=True, slots=True)
class Remains:
    """What is left of an erased patient; nothing, if all went well.

    Attributes:
        rows: Rows of the patient.
        files: Files that were to go.
    """

    rows: int
    files: int

    def __bool__(self) -> bool:
        """Whether anything is left."""
        return bool(self.rows or self.files)


def erase_patient(patient: Patient, *, actor: Actor | None = None) -> Entry:
    """Erase a patient with all there is on them, and return the entry that proves it.

    The person's own account stays, for it may be known to other practices; it is no patient of this practice any more.

    Args:
        patient: Whom.
        actor: Who does it; nobody for the command.
    """
    practice = patient.practice
    with transaction.atomic():
        pictures = list(Picture.objects.select_for_update().filter(patient=patient))
        details = {
            "pictures": len(pictures),
            "results": Result.objects.filter(picture__patient=patient).count(),
            "opinions": Opinion.objects.filter(picture__patient=patient).count(),
            "files": drop_pictures(pictures),
        }
        if patient.account:
            held = Membership.objects.filter(user=patient.account, practice=practice, role=Role.PATIENT, ended_at=None)
            held.update(ended_at=timezone.now())
        key = patient.key
        patient.delete()
        forget_answers(practice)
        return record(actor, ERASED, practice=practice, kind="patient", key=key, details=details)


def erase_pictures(pictures: Iterable[Picture]) -> int:
    """Erase pictures with their results and opinions, and return how many there were."""
    with transaction.atomic():
        found = list(Picture.objects.select_for_update().filter(pk__in=[picture.pk for picture in pictures]))
        drop_pictures(found)
        lesions = {picture.lesion_id for picture in found if picture.lesion_id}
        Picture.objects.filter(pk__in=[picture.pk for picture in found]).delete()
        for lesion in Lesion.objects.filter(pk__in=lesions):
            lesion.repeat_latest()
    return len(found)


def drop_pictures(pictures: Sequence[Picture]) -> list[str]:
    """Have the files of pictures go with this transaction, and the jobs about them; return the files' names."""
    names = [name for picture in pictures for name in (picture.shown, picture.seen, picture.original) if name]
    drop_file(*names)
    for picture in pictures:
        Job.objects.filter(kind=PREDICT, idempotency_key__startswith=f"{PREDICT}:{picture.key}:").delete()
    return names


def find_remains(proof: Entry) -> Remains:
    """Look whether anything is left of what an entry says was erased."""
    names = set(proof.details["files"])
    rows = Patient.objects.filter(key=proof.key).count() + KeptFile.objects.filter(name__in=names).count()
    return Remains(rows=rows, files=len(names & list_sealed()))

"""What an actor may see: the one place where tenants, roles and removed rows are told apart."""

from typing import TYPE_CHECKING, Self, TypeVar

from django.db import models

if TYPE_CHECKING:
    from secondlook.clinic.accounts.actors import Actor

Row = TypeVar("Row", bound=models.Model)


class TenantSet(models.QuerySet[Row]):
    """Rows of patients; ``path`` leads from a row to its patient."""

    path = "patient__"

    def seen_by(self, actor: "Actor") -> Self:
        """Return what the actor may see: all of the practice for its clinicians and reviewers, their own for patients.

        A practice may withhold results from its patients; an administrator who is nothing else sees none. What belongs
        to a removed patient or visit is removed with it (`cases.removal`), so no row needs to look further up.
        """
        kept = self.filter(practice=actor.practice, removed_at=None)
        if actor.is_clinical:
            return kept
        if actor.is_patient and actor.practice.patients_see_results:
            return kept.filter(**{f"{self.path}account": actor.user})
        return kept.none()

    def removed_from(self, actor: "Actor") -> Self:
        """Return what a clinical actor may bring back."""
        gone = self.filter(practice=actor.practice).exclude(removed_at=None)
        return gone if actor.is_clinical else gone.none()


class PatientSet(TenantSet["models.Model"]):
    """Patients."""

    path = ""


class LesionSet(TenantSet["models.Model"]):
    """Lesions."""


class VisitSet(TenantSet["models.Model"]):
    """Visits."""


class PictureSet(TenantSet["models.Model"]):
    """Pictures."""

    def unacknowledged(self) -> Self:
        """Return the urgent ones that nobody has acknowledged yet."""
        return self.filter(triage="urgent", acknowledged_at=None)

    def waiting(self) -> Self:
        """Return the answered ones that no doctor has spoken on."""
        return self.filter(state="answered", reviewed=False)

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

        A practice may withhold results from its patients; an administrator who is nothing else sees none.
        """
        kept = self.filter(practice=actor.practice, removed_at=None)
        if actor.is_clinical:
            return kept
        if actor.is_patient and actor.practice.patients_see_results:
            return kept.filter(**{f"{self.path}account": actor.user})
        return kept.none()


class PatientSet(TenantSet["models.Model"]):
    """Patients."""

    path = ""


class LesionSet(TenantSet["models.Model"]):
    """Lesions."""

    def seen_by(self, actor: "Actor") -> Self:
        """Return what the actor may see, without lesions of removed patients."""
        return super().seen_by(actor).filter(patient__removed_at=None)


class VisitSet(TenantSet["models.Model"]):
    """Visits."""

    def seen_by(self, actor: "Actor") -> Self:
        """Return what the actor may see, without visits of removed patients."""
        return super().seen_by(actor).filter(patient__removed_at=None)


class PictureSet(TenantSet["models.Model"]):
    """Pictures."""

    def seen_by(self, actor: "Actor") -> Self:
        """Return what the actor may see, without pictures of removed patients and visits."""
        return super().seen_by(actor).filter(patient__removed_at=None, visit__removed_at=None)

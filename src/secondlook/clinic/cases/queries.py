"""What an actor may see: the one place where tenants, roles and removed rows are told apart."""

from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.apps import apps
from django.db import models

if TYPE_CHECKING:
    from secondlook.clinic.accounts.actors import Actor
    from secondlook.clinic.cases.models import Lesion, Patient, Picture, Visit  # noqa: F401 - named in quotes

Row = TypeVar("Row", bound=models.Model)


def find_model(name: str) -> "models.QuerySet[Any]":
    """Return all rows of a model of this app; the models are defined after their querysets."""
    rows: models.QuerySet[Any] = apps.get_model("cases", name)._default_manager.all()
    return rows


class TenantSet(models.QuerySet[Row]):
    """Rows of patients; ``path`` leads from a row to its patient."""

    path = "patient"

    def seen_by(self, actor: "Actor") -> Self:
        """Return what the actor may see: all of the practice for its clinicians and reviewers, their own for patients.

        A practice may withhold results from its patients; an administrator who is nothing else sees none. What belongs
        to a removed patient or visit is removed with it (`cases.removal`), so no row needs to look further up.
        """
        kept = self.filter(removed_at=None)
        if actor.is_clinical:
            return kept.filter(practice=actor.practice)
        if actor.is_patient and actor.practice.patients_see_results:
            # By number: asked for the practice too, SQLite walks along all that is the practice's.
            held = find_model("Patient").filter(account=actor.user).values_list("pk", "practice")
            own = [number for number, practice in held if practice == actor.practice.pk]
            return kept.filter(**{f"{self.path}__in": own})
        return kept.none()

    def removed_from(self, actor: "Actor") -> Self:
        """Return what a clinical actor may bring back."""
        gone = self.filter(practice=actor.practice).exclude(removed_at=None)
        return gone if actor.is_clinical else gone.none()


class PatientSet(TenantSet["Patient"]):
    """Patients."""

    path = "pk"

    def with_facts(self) -> Self:
        """Add what a list tells: when the patient was last seen, how many lesions there are, what is urgent."""
        kept: Any = {"patient": models.OuterRef("pk"), "removed_at": None}
        visits = find_model("Visit").filter(**kept).order_by("-date").values("date")[:1]
        lesions = find_model("Lesion").filter(**kept).order_by().values("patient")
        urgent = find_model("Picture").filter(**kept, triage="urgent", acknowledged_at=None)
        return self.annotate(
            seen_on=models.Subquery(visits),
            lesion_count=models.Subquery(lesions.annotate(count=models.Count("pk")).values("count")),
            is_urgent=models.Exists(urgent),
        )


class LesionSet(TenantSet["Lesion"]):
    """Lesions."""


class VisitSet(TenantSet["Visit"]):
    """Visits."""

    def with_facts(self) -> Self:
        """Add how many pictures there are."""
        return self.annotate(picture_count=models.Count("pictures", filter=models.Q(pictures__removed_at=None)))


class PictureSet(TenantSet["Picture"]):
    """Pictures."""

    def unacknowledged(self) -> Self:
        """Return the urgent ones that nobody has acknowledged yet."""
        return self.filter(triage="urgent", acknowledged_at=None)

    def waiting(self) -> Self:
        """Return the answered ones that no doctor has spoken on."""
        return self.filter(state="answered", reviewed=False)

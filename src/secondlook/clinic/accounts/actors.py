"""Who asks: a person as what they are in the practice that they work in just now."""

from dataclasses import dataclass

from django.http import HttpRequest

from secondlook.clinic.accounts.models import Membership, Practice, Role, User

SESSION_PRACTICE = "practice"
CLINICAL = frozenset({Role.CLINICIAN, Role.REVIEWER})
PRIVILEGED = frozenset({Role.REVIEWER, Role.ADMINISTRATOR})


@dataclass(frozen=True, slots=True)
class Actor:
    """A person in one practice.

    Attributes:
        user: The person.
        practice: The practice that they work in just now.
        roles: What they are there; never empty.
    """

    user: User
    practice: Practice
    roles: frozenset[Role]

    @property
    def is_clinical(self) -> bool:
        """Whether the person sees the practice's patients."""
        return bool(self.roles & CLINICAL)

    @property
    def is_reviewer(self) -> bool:
        """Whether the person reviews across the practice."""
        return Role.REVIEWER in self.roles

    @property
    def is_administrator(self) -> bool:
        """Whether the person manages the practice; that alone shows no picture."""
        return Role.ADMINISTRATOR in self.roles

    @property
    def is_privileged(self) -> bool:
        """Whether the person must log in with a second factor."""
        return bool(self.roles & PRIVILEGED)

    @property
    def is_patient(self) -> bool:
        """Whether the person is seen in this practice."""
        return Role.PATIENT in self.roles


def find_actor(user: User, practice_key: str | None = None) -> Actor | None:
    """Return the person as an actor in the named practice, or in the first one that they belong to; else nothing."""
    held = Membership.objects.filter(user=user, ended_at=None)
    memberships = list(held.select_related("practice").order_by("practice_id"))
    if not memberships:
        return None
    practice = next((one.practice for one in memberships if one.practice.key == practice_key), memberships[0].practice)
    roles = frozenset(Role(one.role) for one in memberships if one.practice_id == practice.pk)
    return Actor(user, practice, roles)


def get_actor(request: HttpRequest) -> Actor:
    """Return who asks, on a route whose rule lets members of a practice alone through."""
    actor: Actor = request.actor  # type: ignore[attr-defined]  # set by the rules' middleware
    return actor

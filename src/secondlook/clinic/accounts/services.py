"""What is done with people: invite, let in, give and end roles, found practices."""

import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from secondlook.clinic.accounts.actors import Actor
from secondlook.clinic.accounts.models import (
    FirstLink,
    Invitation,
    Link,
    Membership,
    OneTimeLink,
    Practice,
    Role,
    User,
    hash_token,
)
from secondlook.clinic.audit.services import record
from secondlook.clinic.cases.models import Patient
from secondlook.errors import InputError

TOKEN_BYTES = 32
FIRST_LINK_LASTS = timedelta(hours=24)
INVITATION_LASTS = timedelta(days=7)


def needs_first_administrator() -> bool:
    """Return whether the site has no administrator yet."""
    return not User.objects.filter(is_site_administrator=True).exists()


def make_first_link() -> str | None:
    """Return the token of a fresh link that makes the first administrator, or nothing where there is one already.

    Links made before stop working: whoever starts the site holds the only one.
    """
    if not needs_first_administrator():
        return None
    with transaction.atomic():
        FirstLink.objects.all().delete()
        token, _link = make_link(FirstLink, lasts=FIRST_LINK_LASTS)
    return token


def make_link(model: type[Link], *, lasts: timedelta, **fields: Any) -> tuple[str, Link]:
    """Return the token of a new link, which is kept nowhere, and its row."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = model._default_manager.create(token_sha256=hash_token(token), expires_at=timezone.now() + lasts, **fields)
    return token, row


def use_link(link: OneTimeLink) -> None:
    """Mark a link as used; of two who use it at once, one succeeds.

    Raises:
        InputError: It was used meanwhile, or has expired.
    """
    kind = type(link)
    if not kind._default_manager.open().filter(pk=link.pk).update(used_at=timezone.now()):  # type: ignore[attr-defined]
        raise InputError(_("This link was used already, or has expired. Ask for a new one."))


@transaction.atomic
def found_site(*, link: FirstLink, practice_name: str, also_clinician: bool, password: str, **person: Any) -> User:
    """Make the first administrator and practice.

    Raises:
        InputError: The link was used meanwhile, or there is an administrator.
    """
    if not needs_first_administrator():
        raise InputError(_("This site has its administrator already. Log in, or ask them for an invitation."))
    use_link(link)
    user = User.objects.create_user(password=password, is_site_administrator=True, **person)
    # Whoever holds the link started the site; no post need prove the address.
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    practice = Practice.objects.create(name=practice_name, language=person.get("language") or "en")
    for role in (Role.ADMINISTRATOR, *((Role.CLINICIAN,) if also_clinician else ())):
        Membership.objects.create(user=user, practice=practice, role=role)
    record(user, "practice.founded", practice=practice, about=practice, details={"first": True})
    return user


@transaction.atomic
def found_practice(*, founder: User, name: str, language: str, email: str) -> tuple[str, Invitation]:
    """Make a practice and invite its first administrator; return the invitation with its token."""
    practice = Practice.objects.create(name=name, language=language)
    token, invitation = make_link(
        Invitation, lasts=INVITATION_LASTS, practice=practice, role=Role.ADMINISTRATOR, email=email, created_by=founder
    )
    record(founder, "practice.founded", practice=practice, about=practice)
    return token, invitation


@transaction.atomic
def invite_person(
    *, actor: Actor, role: str, email: str = "", patient: Patient | None = None
) -> tuple[str, Invitation]:
    """Invite somebody to a role in the actor's practice, or a patient to see their own record."""
    token, invitation = make_link(
        Invitation,
        lasts=INVITATION_LASTS,
        practice=actor.practice,
        role=Role(role),
        email=email.strip().lower(),
        patient_key=patient.key if patient else "",
        created_by=actor.user,
    )
    record(actor, "person.invited", about=invitation, details={"role": role})
    return token, invitation


@transaction.atomic
def revoke_invitation(*, actor: Actor, invitation: Invitation, revoked: bool) -> None:
    """Take an invitation back, or let it stand again."""
    invitation.revoked_at = timezone.now() if revoked else None
    invitation.save(update_fields=["revoked_at"])
    record(actor, "invitation.revoked" if revoked else "invitation.restored", about=invitation)


@transaction.atomic
def accept_invitation(*, user: User, invitation: Invitation) -> None:
    """Give a person the role that they were invited to.

    Raises:
        InputError: The invitation is for another address, or was used meanwhile.
    """
    if not invitation.is_for(user.email):
        raise InputError(_("This invitation is for another e-mail address. Log in with that, or ask for a new one."))
    use_link(invitation)
    Invitation.objects.filter(pk=invitation.pk).update(accepted_by=user)
    hold_role(user, invitation.practice, invitation.role)
    if invitation.role == Role.PATIENT:
        keep_patient(user, invitation.practice, invitation.patient_key)
    record(
        user, "invitation.accepted", practice=invitation.practice, about=invitation, details={"role": invitation.role}
    )


@transaction.atomic
def join_practice(*, user: User, practice: Practice) -> None:
    """Make a person a patient of a practice that is open to them.

    Raises:
        InputError: The practice takes no patients in by itself.
    """
    if not practice.open_to_patients:
        raise InputError(_("This practice takes patients in by invitation alone. Ask there for one."))
    hold_role(user, practice, Role.PATIENT)
    patient = keep_patient(user, practice)
    record(user, "patient.joined", practice=practice, about=patient)


def keep_patient(user: User, practice: Practice, patient_key: str = "") -> Patient:
    """Return the person's own record in a practice: the one that they were invited to, theirs already, or a new one."""
    own = Patient.objects.filter(practice=practice, removed_at=None)
    patient = own.filter(key=patient_key, account=None).first() or own.filter(account=user).first()
    if patient is None:
        sex = user.gender if user.gender in ("female", "male", "other") else ""
        patient = Patient(
            practice=practice,
            name=user.get_full_name(),
            birth_date=user.birth_date,
            sex=sex,
            language=user.language or practice.language,
            created_by=user,
        )
    patient.account = user
    patient.save()
    return patient


def hold_role(user: User, practice: Practice, role: str) -> None:
    """Give a role in a practice, again where it had ended."""
    Membership.objects.update_or_create(user=user, practice=practice, role=role, defaults={"ended_at": None})


@transaction.atomic
def change_roles(*, actor: Actor, user: User, roles: Iterable[str]) -> tuple[str, ...]:
    """Have a member of the practice hold just these roles, none to let them go; return those that they held before.

    Raises:
        InputError: The practice would be without an administrator.
    """
    # Two administrators who end each other's role at once wait for one another here.
    Practice.objects.select_for_update().get(pk=actor.practice.pk)
    held = Membership.objects.filter(practice=actor.practice, ended_at=None)
    before = {row.role for row in held.filter(user=user)}
    after = set(roles)
    if Role.ADMINISTRATOR in before - after and not held.filter(role=Role.ADMINISTRATOR).exclude(user=user).exists():
        raise InputError(
            _("A practice keeps at least one administrator. Make somebody else administrator first, then try again.")
        )
    held.filter(user=user, role__in=before - after).update(ended_at=timezone.now())
    for role in after - before:
        hold_role(user, actor.practice, role)
    details = {"person": user.pk, "given": sorted(after - before), "ended": sorted(before - after)}
    record(actor, "roles.changed", kind="user", details=details)
    return tuple(sorted(before))


@transaction.atomic
def change_practice(*, actor: Actor, practice: Practice, changed: Iterable[str]) -> None:
    """Keep the changed settings of a practice."""
    fields = sorted(changed)
    practice.save(update_fields=fields)
    record(actor, "practice.changed", about=practice, details={"fields": fields})


def list_people(practice: Practice) -> models.QuerySet[User]:
    """Return whoever holds or held a role in a practice, by name."""
    held = Membership.objects.filter(practice=practice)
    ordered = User.objects.filter(memberships__in=held).distinct().order_by("last_name", "first_name", "pk")
    return ordered.prefetch_related(models.Prefetch("memberships", queryset=held, to_attr="held"))


def list_joinable(user: User) -> list[Practice]:
    """Return the practices that take patients in, and have not this one."""
    held = Membership.objects.filter(user=user, role=Role.PATIENT, ended_at=None)
    return list(Practice.objects.filter(open_to_patients=True).exclude(memberships__in=held).order_by("name"))


def is_bound(user: User) -> bool:
    """Return whether what somebody did here bears their name, so that their account stays."""
    return bool(user.is_site_administrator) or Membership.objects.filter(user=user).exclude(role=Role.PATIENT).exists()


@transaction.atomic
def delete_account(user: User) -> None:
    """Delete a patient's account with all that they said of themselves; the practices keep their records.

    Raises:
        InputError: What the person did here bears their name.
    """
    if is_bound(user):
        raise InputError(_("Your account stays, for what you did here bears your name."))
    practices: list[Practice | None] = list(Practice.objects.filter(memberships__user=user).distinct())
    for practice in practices or [None]:
        record(user, "account.deleted", practice=practice, kind="user", key=user.key)
    user.delete()


@transaction.atomic
def forget_factors(user: User) -> int:
    """Forget a person's second factors and end their sessions; who needs one sets it up anew at the next log-in.

    For whoever runs the site, after they have made sure who asks.
    """
    count: int = Authenticator.objects.filter(user=user).delete()[0]
    for session in UserSession.objects.filter(user=user):
        session.end()
    record(None, "factors.forgotten", kind="user", key=user.key)
    return count

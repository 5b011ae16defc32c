"""One row of every kind in a practice, and which of them each route with a key in its address is about.

A new route with a key needs its line in ADDRESSES; the walk through routes and roles fails without one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.core.files.base import ContentFile

from secondlook.clinic.accounts.actors import find_actor
from secondlook.clinic.accounts.models import FirstLink, Invitation, Practice, Role, User
from secondlook.clinic.accounts.services import FIRST_LINK_LASTS, invite_person, make_link, revoke_invitation
from secondlook.clinic.api.models import ApiToken, Scope
from secondlook.clinic.api.services import make_token
from secondlook.clinic.cases.models import Lesion, Opinion, Patient, Picture, Result, Visit
from secondlook.clinic.cases.removal import remove_row
from secondlook.clinic.cases.services import add_picture, give_opinion
from tests.site import draw_triage


@dataclass
class Rows:
    """What a practice holds; ``removed`` has those that were taken out of every list, by their kind."""

    practice: Practice
    clinician: User
    patient: Patient
    lesion: Lesion
    visit: Visit
    picture: Picture
    result: Result
    opinion: Opinion
    token: ApiToken
    invitation: Invitation
    invitation_token: str
    revoked: Invitation
    first_token: str
    removed: dict[str, Any] = field(default_factory=dict)


def make_rows(practice: Practice, *, clinician: User, account: User) -> Rows:
    """Make one row of each kind; the patient has an account, and pictures that were sent and answered."""
    actor = find_actor(clinician, practice.key)
    assert actor is not None
    patient, lesion, visit = make_case(practice, account)
    pictures = [
        add_picture(
            actor=actor,
            visit=visit,
            lesion=lesion,
            task="skin",
            upload_key=f"rows-{number}",
            upload=ContentFile(draw_triage(triage)),
        )
        for number, triage in enumerate(("routine", "urgent", "urgent"))  # of the same, so that they can be compared
    ]
    result = Result.objects.get(picture=pictures[-1])
    opinion = give_opinion(actor=actor, result=result, verdict="agree", label=result.label)
    token, _text = make_token(actor=actor, name="A program", scopes=tuple(Scope), days=3)
    invitation_token, invitation = invite_person(actor=actor, role=Role.CLINICIAN)
    _token, revoked = invite_person(actor=actor, role=Role.CLINICIAN)
    revoke_invitation(actor=actor, invitation=revoked, revoked=True)
    first_token, _link = make_link(FirstLink, lasts=FIRST_LINK_LASTS)
    removed = dict(zip(("patient", "lesion", "visit"), make_case(practice, account), strict=True))
    removed["picture"] = pictures[0]
    for row in (pictures[0], removed["patient"], *make_spares(practice, account)):
        remove_row(row)
        removed[str(row._meta.model_name)] = row
    return Rows(
        practice,
        clinician,
        patient,
        lesion,
        visit,
        pictures[-1],
        result,
        opinion,
        token,
        invitation,
        invitation_token,
        revoked,
        first_token,
        removed,
    )


def make_case(practice: Practice, account: User) -> tuple[Patient, Lesion, Visit]:
    """Make a patient with an account, with a lesion and a visit."""
    patient = Patient.objects.create(practice=practice, name="P-1", account=account)
    lesion = Lesion.objects.create(
        practice=practice, patient=patient, number=1, side="front", site="chest", x=0.4, y=0.3
    )
    return patient, lesion, Visit.objects.create(practice=practice, patient=patient, date=date(2026, 5, 4))


def make_spares(practice: Practice, account: User) -> tuple[Lesion, Visit]:
    """Make a lesion and a visit of a patient who stays."""
    _patient, lesion, visit = make_case(practice, account)
    return lesion, visit


def name(kind: str) -> Callable[[Rows], dict[str, Any]]:
    """Return the argument of a route about the row of a kind."""
    return lambda rows: {"key": getattr(rows, kind).key}


def gone(kind: str) -> Callable[[Rows], dict[str, Any]]:
    """Return the argument of a route about a removed row of a kind."""
    return lambda rows: {"key": rows.removed[kind].key}


PATIENT, LESION, VISIT, PICTURE, RESULT = map(name, ("patient", "lesion", "visit", "picture", "result"))
# Rows of a practice: others are told that there is nothing.
ADDRESSES: dict[str, Callable[[Rows], dict[str, Any]]] = {
    **{f"cases:{verb}": PATIENT for verb in ("patient", "edit_patient", "remove_patient", "new_lesion", "new_visit")},
    **{f"cases:{verb}": LESION for verb in ("lesion", "edit_lesion", "remove_lesion")},
    **{f"cases:{verb}": VISIT for verb in ("visit", "edit_visit", "remove_visit", "send")},
    **{f"cases:{verb}": PICTURE for verb in ("picture", "shown", "small", "ask", "acknowledge", "remove_picture")},
    **{f"cases:{verb}": RESULT for verb in ("result", "reproduce", "opinion")},
    **{f"cases:restore_{kind}": gone(kind) for kind in ("patient", "lesion", "visit", "picture")},
    **{f"timeline:{verb}": LESION for verb in ("lesion", "course", "difference")},
    **{f"keeping:{verb}": PATIENT for verb in ("data", "export", "erase")},
    "reports:lesion": LESION,
    "reports:visit": VISIT,
    **{
        f"api:{verb}_{kind}": name(kind)
        for kind in ("patient", "lesion", "visit", "picture", "result", "opinion")
        for verb in ("show", "change", "remove", "acknowledge", "reproduce", "report")
    },
    **{f"api:restore_{kind}": gone(kind) for kind in ("patient", "lesion", "visit", "picture")},
    "api:show_file": PICTURE,
    "api:ask_again": PICTURE,
    "people:invite_patient": PATIENT,
    "people:revoke": name("invitation"),
    "people:restore": name("revoked"),
    "people:roles": name("clinician"),
    "people:hold": lambda rows: {"key": rows.clinician.key, "roles": "clinician"},
}
# Rows of one person: everybody else is told that there is nothing.
PERSONAL: dict[str, Callable[[Rows], dict[str, Any]]] = {"tokens:revoke_token": name("token")}
# Addresses that name no row, or that whoever holds them may call.
OPEN: dict[str, Callable[[Rows], dict[str, Any]]] = {
    "keeping:proof": name("patient"),  # of a patient who was erased, which this one was not
    "card": lambda rows: {"name": "tiny"},
    "card_page": lambda rows: {"name": "tiny", "page": "CHECKLISTS.md"},
    "own:check": lambda rows: {"name": "email"},
    "own:first": lambda rows: {"token": rows.first_token},
    "own:invitation": lambda rows: {"token": rows.invitation_token},
    "demo:enter": lambda rows: {"role": "clinician", "token": "x"},
    "account_confirm_email": lambda rows: {"key": "x"},
    "account_reset_password_from_key": lambda rows: {"uidb36": "1", "key": "x"},
    "mfa_remove_webauthn": lambda rows: {"pk": 1},
    "mfa_edit_webauthn": lambda rows: {"pk": 1},
    "v2:describe_model": lambda rows: {"model": "tiny"},
    "v2:is_model_ready": lambda rows: {"model": "tiny"},
    "v2:infer": lambda rows: {"model": "tiny"},
    "v2:describe_version": lambda rows: {"model": "tiny", "version": "0.0.1"},
    "v2:is_version_ready": lambda rows: {"model": "tiny", "version": "0.0.1"},
    "v2:infer_version": lambda rows: {"model": "tiny", "version": "0.0.1"},
}
# Whether there is anything here hangs on what a person has set up; nothing of anybody else's is there.
OWN = {
    "own:switch",
    "own:end_session",
    "account_reauthenticate",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
    "mfa_deactivate_totp",
    "mfa_view_recovery_codes",
    "mfa_download_recovery_codes",
    "api:api-root",
}
# What an operation of the API is sent, where it reads that before it looks for the row.
BODIES: dict[str, Any] = {
    "api:ask_again": {"task": "skin"},
    "api:change_patient": {"name": "P-2"},
    "api:change_lesion": {"name": "new"},
    "api:change_visit": {"note": "new"},
}

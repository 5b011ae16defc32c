"""All rules of who may call what, in one table; what is not in it, nobody may.

A rule opens a route to kinds of people. Which rows they see there, the querysets say: ``Model.objects.seen_by(actor)``.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.core.checks import CheckMessage, Error, register
from django.urls import URLPattern, URLResolver, get_resolver

if TYPE_CHECKING:
    from secondlook.clinic.accounts.actors import Actor


class Audience(StrEnum):
    """Who may call a route.

    A person is an actor in the practice that they work in just now; somebody who belongs to none is signed in, no more.
    """

    ANYBODY = "anybody"
    SIGNED_IN = "signed in"
    MEMBER = "member of the practice"
    CLINICAL = "clinician or reviewer"
    REVIEWER = "reviewer"
    ADMINISTRATOR = "administrator"
    PATIENT_OR_CLINICAL = "patient, clinician or reviewer"
    SITE_ADMINISTRATOR = "site administrator"


ANYBODY = Audience.ANYBODY
SIGNED_IN = Audience.SIGNED_IN
MEMBER = Audience.MEMBER
CLINICAL = Audience.CLINICAL
REVIEWER = Audience.REVIEWER
ADMINISTRATOR = Audience.ADMINISTRATOR
PATIENT_OR_CLINICAL = Audience.PATIENT_OR_CLINICAL
SITE_ADMINISTRATOR = Audience.SITE_ADMINISTRATOR

ROUTES: dict[str, Audience] = {
    # The try-it page and the models
    "page": ANYBODY,
    "models": ANYBODY,
    "card": ANYBODY,
    "card_page": ANYBODY,
    "set_language": ANYBODY,
    # Home, patients, lesions, visits and the lists
    "home:home": ANYBODY,
    "demo:enter": ANYBODY,  # whoever holds its link
    "cases:patients": CLINICAL,
    "cases:lesions": CLINICAL,
    "cases:results": CLINICAL,
    "cases:new_patient": CLINICAL,
    "cases:edit_patient": CLINICAL,
    "cases:remove_patient": CLINICAL,
    "cases:restore_patient": CLINICAL,
    "cases:new_lesion": CLINICAL,
    "cases:edit_lesion": CLINICAL,
    "cases:remove_lesion": CLINICAL,
    "cases:restore_lesion": CLINICAL,
    "cases:new_visit": CLINICAL,
    "cases:edit_visit": CLINICAL,
    "cases:remove_visit": CLINICAL,
    "cases:restore_visit": CLINICAL,
    "cases:patient": PATIENT_OR_CLINICAL,
    "cases:lesion": PATIENT_OR_CLINICAL,
    "cases:visit": PATIENT_OR_CLINICAL,
    # Pictures, results, opinions
    "cases:send": CLINICAL,
    "cases:check": CLINICAL,
    "cases:picture": PATIENT_OR_CLINICAL,
    "cases:shown": PATIENT_OR_CLINICAL,
    "cases:small": PATIENT_OR_CLINICAL,
    "cases:ask": CLINICAL,
    "cases:acknowledge": CLINICAL,
    "cases:remove_picture": CLINICAL,
    "cases:restore_picture": CLINICAL,
    "cases:export": CLINICAL,
    "cases:result": PATIENT_OR_CLINICAL,
    "cases:reproduce": CLINICAL,
    "cases:opinion": CLINICAL,
    "cases:queue": REVIEWER,
    "timeline:lesion": CLINICAL,
    "timeline:course": CLINICAL,
    "timeline:difference": CLINICAL,
    "reports:lesion": PATIENT_OR_CLINICAL,
    "reports:visit": PATIENT_OR_CLINICAL,
    # What is kept, and who saw it
    "keeping:data": CLINICAL,
    "keeping:export": CLINICAL,
    "keeping:erase": CLINICAL,
    "keeping:proof": CLINICAL,
    "audit:log": ADMINISTRATOR,
    "audit:export": ADMINISTRATOR,
    "audit:verify": ADMINISTRATOR,
    # Ways in, and one's own account
    "own:first": ANYBODY,  # whoever holds its link
    "own:invitation": ANYBODY,  # whoever holds its link
    "own:check": ANYBODY,
    "account_login": ANYBODY,
    "account_logout": ANYBODY,
    "account_signup": ANYBODY,
    "account_inactive": ANYBODY,
    "account_confirm_email": ANYBODY,
    "account_email_verification_sent": ANYBODY,
    "account_confirm_login_code": ANYBODY,
    "account_reset_password": ANYBODY,
    "account_reset_password_done": ANYBODY,
    "account_reset_password_from_key": ANYBODY,
    "account_reset_password_from_key_done": ANYBODY,
    "mfa_authenticate": ANYBODY,
    "mfa_login_webauthn": ANYBODY,
    "own:overview": SIGNED_IN,
    "own:details": SIGNED_IN,
    "own:switch": SIGNED_IN,
    "own:join": SIGNED_IN,
    "own:delete": SIGNED_IN,
    "own:end_session": SIGNED_IN,
    "account_email": SIGNED_IN,
    "account_change_password": SIGNED_IN,
    "account_set_password": SIGNED_IN,
    "account_reauthenticate": SIGNED_IN,
    "mfa_index": SIGNED_IN,
    "mfa_reauthenticate": SIGNED_IN,
    "mfa_activate_totp": SIGNED_IN,
    "mfa_deactivate_totp": SIGNED_IN,
    "mfa_view_recovery_codes": SIGNED_IN,
    "mfa_generate_recovery_codes": SIGNED_IN,
    "mfa_download_recovery_codes": SIGNED_IN,
    "mfa_list_webauthn": SIGNED_IN,
    "mfa_add_webauthn": SIGNED_IN,
    "mfa_remove_webauthn": SIGNED_IN,
    "mfa_edit_webauthn": SIGNED_IN,
    "mfa_reauthenticate_webauthn": SIGNED_IN,
    "usersessions_list": SIGNED_IN,
    # People and practices
    "people:list": ADMINISTRATOR,
    "people:invite": ADMINISTRATOR,
    "people:invite_patient": CLINICAL,
    "people:revoke": ADMINISTRATOR,
    "people:restore": ADMINISTRATOR,
    "people:practice": ADMINISTRATOR,
    "people:roles": ADMINISTRATOR,
    "people:hold": ADMINISTRATOR,
    "people:practices": SITE_ADMINISTRATOR,
    # Doors for machines
    "api:openapi-json": ANYBODY,
    "api:openapi-view": ANYBODY,
    "api:api-root": ANYBODY,
    "api:predict": ANYBODY,
    "tokens:tokens": MEMBER,
    "tokens:revoke_token": MEMBER,
    "v2": ANYBODY,
    "v2:openapi-json": ANYBODY,
    "v2:openapi-view": ANYBODY,
    "v2:api-root": ANYBODY,
    "v2:describe_server": ANYBODY,
    "v2:live": ANYBODY,
    "v2:ready": ANYBODY,
    "v2:describe_model": ANYBODY,
    "v2:is_model_ready": ANYBODY,
    "v2:describe_version": ANYBODY,
    "v2:is_version_ready": ANYBODY,
    "v2:infer": MEMBER,
    "v2:infer_version": MEMBER,
    "api:report_visit": PATIENT_OR_CLINICAL,
    "api:report_lesion": PATIENT_OR_CLINICAL,
    "api:list_pictures": PATIENT_OR_CLINICAL,
    "api:show_picture": PATIENT_OR_CLINICAL,
    "api:show_file": PATIENT_OR_CLINICAL,
    "api:send_picture": CLINICAL,
    "api:ask_again": CLINICAL,
    "api:acknowledge_picture": CLINICAL,
    "api:remove_picture": CLINICAL,
    "api:restore_picture": CLINICAL,
    "api:list_results": PATIENT_OR_CLINICAL,
    "api:show_result": PATIENT_OR_CLINICAL,
    "api:reproduce_result": CLINICAL,
    "api:list_opinions": CLINICAL,
    "api:show_opinion": CLINICAL,
    "api:give_opinion": CLINICAL,
    "api:list_patients": PATIENT_OR_CLINICAL,
    "api:show_patient": PATIENT_OR_CLINICAL,
    "api:add_patient": CLINICAL,
    "api:change_patient": CLINICAL,
    "api:remove_patient": CLINICAL,
    "api:restore_patient": CLINICAL,
    "api:list_lesions": PATIENT_OR_CLINICAL,
    "api:show_lesion": PATIENT_OR_CLINICAL,
    "api:add_lesion": CLINICAL,
    "api:change_lesion": CLINICAL,
    "api:remove_lesion": CLINICAL,
    "api:restore_lesion": CLINICAL,
    "api:list_visits": PATIENT_OR_CLINICAL,
    "api:show_visit": PATIENT_OR_CLINICAL,
    "api:add_visit": CLINICAL,
    "api:change_visit": CLINICAL,
    "api:remove_visit": CLINICAL,
    "api:restore_visit": CLINICAL,
}


def is_allowed(audience: Audience, user: Any, actor: "Actor | None") -> bool:
    """Return whether somebody is of the audience; ``user`` is Django's, who may be nobody."""
    if audience is ANYBODY:
        return True
    if not user.is_authenticated:
        return False
    if audience is SIGNED_IN:
        return True
    if audience is SITE_ADMINISTRATOR:
        return bool(user.is_site_administrator)
    return actor is not None and is_among(audience, actor)


def is_among(audience: Audience, actor: "Actor") -> bool:
    """Return whether a member of a practice is of the audience."""
    return {
        MEMBER: True,
        CLINICAL: actor.is_clinical,
        REVIEWER: actor.is_reviewer,
        ADMINISTRATOR: actor.is_administrator,
        PATIENT_OR_CLINICAL: actor.is_patient or actor.is_clinical,
    }[audience]


def list_routes() -> dict[str, str]:
    """Return every route of the site: its full name, or the name of its view, and its address."""
    return dict(walk_routes(get_resolver().url_patterns))


def walk_routes(
    patterns: "list[URLPattern | URLResolver]", namespace: str = "", prefix: str = ""
) -> Iterator[tuple[str, str]]:
    """Give each route's full name and address, depth first."""
    for pattern in patterns:
        address = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from walk_routes(pattern.url_patterns, inner, address)
        else:
            yield namespace + (pattern.name or pattern.lookup_str), f"/{address}"


@register("accounts")
def check_rules(**options: Any) -> list[CheckMessage]:
    """Fail where a route has no rule, or a rule no route."""
    routes = list_routes()
    missing = [
        Error(f"The route {name} ({routes[name]}) has no rule, so nobody may call it.", hint=HINT, id="accounts.E001")
        for name in sorted(routes.keys() - ROUTES.keys())
    ]
    stale = [
        Error(f"The rule for {name} opens no route.", hint=HINT, id="accounts.E002")
        for name in sorted(ROUTES.keys() - routes.keys())
    ]
    return [*missing, *stale]


HINT = "Write who may call it into ROUTES in accounts/rules.py."

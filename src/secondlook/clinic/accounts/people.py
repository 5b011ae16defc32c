"""The administrator's pages: a practice's people, their roles, invitations, settings; the site's practices."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from secondlook.clinic.accounts.actors import get_actor
from secondlook.clinic.accounts.forms import (
    FoundingForm,
    InvitationForm,
    PatientInvitationForm,
    PracticeForm,
    RolesForm,
)
from secondlook.clinic.accounts.invitations import send_invitation
from secondlook.clinic.accounts.models import Invitation, Practice, Role, User
from secondlook.clinic.accounts.services import (
    change_practice,
    change_roles,
    found_practice,
    invite_person,
    list_people,
    revoke_invitation,
)
from secondlook.clinic.accounts.views import read_user
from secondlook.clinic.cases.models import Patient
from secondlook.clinic.cases.undoing import offer_undo
from secondlook.errors import InputError


@require_safe
def list_members(request: HttpRequest) -> HttpResponse:
    """List the people of the practice and the invitations under way. For administrators."""
    practice = get_actor(request).practice
    people = [
        {"person": person, "roles": [held.get_role_display() for held in person.held if held.ended_at is None]}  # type: ignore[attr-defined]
        for person in list_people(practice)
    ]
    context = {
        "people": [one for one in people if one["roles"]],
        "former": [one for one in people if not one["roles"]],
        "invitations": Invitation.objects.open().filter(practice=practice).order_by("-created_at"),
        "form": InvitationForm(),
    }
    return render(request, "accounts/people.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest) -> HttpResponse:
    """Invite somebody to a role in the practice, and show the link once. For administrators."""
    form = InvitationForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "accounts/invite.html", {"form": form})
    token, invitation = invite_person(actor=get_actor(request), **form.cleaned_data)
    return show_link(request, token, invitation)


@require_http_methods(["GET", "HEAD", "POST"])
def invite_patient(request: HttpRequest, key: str) -> HttpResponse:
    """Invite a patient to see their own results, and show the link once. For clinicians and reviewers."""
    actor = get_actor(request)
    patient = get_object_or_404(Patient.objects.seen_by(actor), key=key)
    back = reverse("cases:patient", args=[key])
    if patient.account_id:
        messages.info(request, _("This patient has an account already."))
        return redirect(back)
    form = PatientInvitationForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "accounts/invite_patient.html", {"form": form, "patient": patient, "back": back})
    token, invitation = invite_person(actor=actor, role=Role.PATIENT, patient=patient, **form.cleaned_data)
    return show_link(request, token, invitation, back=back)


def show_link(request: HttpRequest, token: str, invitation: Invitation, *, back: str = "") -> HttpResponse:
    """Send an invitation where it has an address, and show its link."""
    link = request.build_absolute_uri(reverse("own:invitation", args=[token]))
    sent = bool(invitation.email) and send_invitation(invitation, link)
    context = {"invitation": invitation, "link": link, "sent": sent, "back": back}
    return render(request, "accounts/invited.html", context)


@require_POST
def revoke(request: HttpRequest, key: str) -> HttpResponse:
    """Take an invitation back. For administrators."""
    actor = get_actor(request)
    invitation = get_object_or_404(Invitation.objects.open(), practice=actor.practice, key=key)
    revoke_invitation(actor=actor, invitation=invitation, revoked=True)
    offer_undo(request, _("The invitation was taken back."), reverse("people:restore", args=[key]))
    return redirect("people:list")


@require_POST
def restore(request: HttpRequest, key: str) -> HttpResponse:
    """Let an invitation that was taken back stand again. For administrators."""
    actor = get_actor(request)
    revoked = Invitation.objects.filter(practice=actor.practice, used_at=None).exclude(revoked_at=None)
    revoke_invitation(actor=actor, invitation=get_object_or_404(revoked, key=key), revoked=False)
    return redirect("people:list")


@require_http_methods(["GET", "HEAD", "POST"])
def edit_roles(request: HttpRequest, key: str) -> HttpResponse:
    """Change what somebody is in the practice; with no role they are out of it. For administrators."""
    actor = get_actor(request)
    person = get_object_or_404(list_people(actor.practice), key=key)
    held = sorted(one.role for one in person.held if one.ended_at is None)  # type: ignore[attr-defined]
    initial = {"roles": held, "held": "+".join(held)}
    form = RolesForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        return keep_roles(request, person, form.cleaned_data["roles"])
    return render(request, "accounts/roles.html", {"form": form, "person": person, "held": held})


@require_POST
def hold_roles(request: HttpRequest, key: str, roles: str) -> HttpResponse:
    """Give somebody back the roles that they had. For administrators."""
    person = get_object_or_404(list_people(get_actor(request).practice), key=key)
    wanted = [role for role in roles.split("+") if role in Role.values]
    return keep_roles(request, person, wanted)


def keep_roles(request: HttpRequest, person: User, roles: list[str]) -> HttpResponse:
    """Change somebody's roles and offer to undo it."""
    try:
        before = change_roles(actor=get_actor(request), user=person, roles=roles)
    except InputError as error:
        messages.error(request, str(error))
        return redirect("people:roles", key=person.key)
    undo = reverse("people:hold", args=[person.key, "+".join(before) or "none"])
    offer_undo(request, _("The roles were changed."), undo)
    return redirect("people:list")


@require_http_methods(["GET", "HEAD", "POST"])
def edit_practice(request: HttpRequest) -> HttpResponse:
    """Change how the practice works. For administrators."""
    actor = get_actor(request)
    form = PracticeForm(request.POST or None, instance=Practice.objects.get(pk=actor.practice.pk))
    if request.method == "POST" and form.is_valid():
        if form.changed_data:
            change_practice(actor=actor, practice=form.save(commit=False), changed=form.changed_data)
        messages.success(request, _("The settings were saved."))
        return redirect("people:practice")
    return render(request, "accounts/practice.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
def list_practices(request: HttpRequest) -> HttpResponse:
    """List the site's practices and found another. For the site's administrators."""
    form = FoundingForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        token, invitation = found_practice(founder=read_user(request), **form.cleaned_data)
        return show_link(request, token, invitation)
    practices = Practice.objects.order_by("name")
    return render(request, "accounts/practices.html", {"form": form, "practices": practices})

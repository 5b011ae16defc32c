"""One's own account: details, practices and roles."""

from allauth.account.decorators import reauthentication_required
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from secondlook.clinic.accounts.adapters import has_second_factor
from secondlook.clinic.accounts.forms import ProfileForm
from secondlook.clinic.accounts.models import Membership, Practice, User
from secondlook.clinic.accounts.services import delete_account, is_bound, join_practice, list_joinable
from secondlook.clinic.accounts.sessions import enter_practice
from secondlook.clinic.refusals import refuse
from secondlook.errors import InputError


@require_safe
def show_account(request: HttpRequest) -> HttpResponse:
    """Show who one is here, and what there is to change. For anybody signed in."""
    user = read_user(request)
    held = Membership.objects.filter(user=user, ended_at=None).select_related("practice").order_by("practice__name")
    practices: dict[Practice, list[str]] = {}
    for membership in held:
        practices.setdefault(membership.practice, []).append(membership.get_role_display())
    context = {
        "practices": practices,
        "open_practices": list_joinable(user),
        "has_second_factor": has_second_factor(user),
    }
    return render(request, "accounts/overview.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def edit_details(request: HttpRequest) -> HttpResponse:
    """Change one's own details. For anybody signed in."""
    form = ProfileForm(request.POST or None, instance=read_user(request))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your details were saved."))
        return redirect("own:overview")
    return render(request, "accounts/details.html", {"form": form})


@require_POST
def switch_practice(request: HttpRequest) -> HttpResponse:
    """Work in another of one's practices from now on. For anybody signed in."""
    held = Practice.objects.filter(memberships__user=read_user(request), memberships__ended_at=None)
    practice = held.filter(key=request.POST.get("practice", "")).first()
    if practice is None:
        raise Http404
    enter_practice(request, practice)
    messages.success(request, _("You are now in: %(practice)s.") % {"practice": practice.name})
    return redirect("/")


@require_POST
def end_session(request: HttpRequest) -> HttpResponse:
    """End one of one's own log-ins. For anybody signed in."""
    number = request.POST.get("session", "")
    session = UserSession.objects.filter(user=read_user(request), pk=number if number.isdecimal() else 0).first()
    if session is None:
        raise Http404
    session.end()
    messages.success(request, _("That log-in was ended."))
    return redirect("usersessions_list")


@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest) -> HttpResponse:
    """Become a patient of a practice that takes patients in. For anybody signed in."""
    user = read_user(request)
    if request.method != "POST":
        return render(request, "accounts/join.html", {"practices": list_joinable(user)})
    practice = Practice.objects.filter(key=request.POST.get("practice", ""), open_to_patients=True).first()
    if practice is None:
        raise Http404
    try:
        join_practice(user=user, practice=practice)
    except InputError as error:
        messages.error(request, str(error))
        return redirect("own:join")
    enter_practice(request, practice)
    messages.success(request, _("You are now a patient of: %(practice)s.") % {"practice": practice.name})
    return redirect("/")


@reauthentication_required  # type: ignore[untyped-decorator]  # allauth has no types
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest) -> HttpResponse:
    """Delete one's own account, after a proof that is a few minutes old at most. For anybody signed in."""
    user = read_user(request)
    if request.method != "POST":
        return render(request, "accounts/delete.html", {"bound": is_bound(user)})
    try:
        delete_account(User.objects.get(pk=user.pk))  # a row of its own: logging out still asks who it was
    except InputError as error:
        return refuse(request, str(error), status=409)
    logout(request)
    messages.success(request, _("Your account was deleted."))
    return redirect("home:home")


def read_user(request: HttpRequest) -> User:
    """Return who is signed in, on a route whose rule lets nobody else through."""
    user: User = request.user  # type: ignore[assignment]  # the rule says so
    return user

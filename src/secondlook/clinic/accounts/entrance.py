"""Ways in, before anybody is signed in: the first administrator, invitations, fields checked as they are filled in."""

from allauth.account.forms import LoginForm
from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from secondlook.clinic.accounts.forms import FirstForm, SignUpForm
from secondlook.clinic.accounts.invitations import find_invitation, forget_pending, hold_invitation
from secondlook.clinic.accounts.models import FirstLink, Invitation
from secondlook.clinic.accounts.services import accept_invitation, found_site, needs_first_administrator
from secondlook.clinic.accounts.sessions import enter_practice
from secondlook.clinic.accounts.views import read_user
from secondlook.clinic.refusals import refuse
from secondlook.errors import InputError


@sensitive_post_parameters("password1")
@require_POST
def check_field(request: HttpRequest, name: str) -> HttpResponse:
    """Say what is wrong with one field of the sign-up form, for htmx. For anybody; it tells nothing of accounts."""
    return show_faults(request, SignUpForm(request.POST), name)


def show_faults(request: HttpRequest, form: Form, name: str) -> HttpResponse:
    """Show what is wrong with one field of a form."""
    if name not in form.fields:
        raise Http404
    return render(request, "accounts/_faults.html", {"errors": form.errors.get(name, [])})


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def found_first(request: HttpRequest, token: str) -> HttpResponse:
    """Make the first administrator and practice. For whoever holds the link that the start of the site printed."""
    link = FirstLink.objects.with_token(token).first()
    if link is None or not needs_first_administrator():
        sentence = _("This link was used already, or has expired. Start the site again to have it print a new one.")
        return refuse(request, sentence, status=404)
    form = FirstForm(request.POST or None)
    if "HX-Request" in request.headers:  # a field was filled in
        return show_faults(request, form, request.headers.get("HX-Trigger-Name", ""))
    if request.method == "POST" and form.is_valid():
        try:
            user = found_site(link=link, language=get_language() or "en", **form.cleaned_data)
        except InputError as error:
            return refuse(request, str(error), status=409)
        login = LoginForm({"login": user.email, "password": form.cleaned_data["password"]}, request=request)
        if login.is_valid():
            return login.login(request, redirect_url=reverse("home:home"))  # type: ignore[no-any-return]
        return redirect("account_login")
    return render(request, "accounts/first.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
def show_invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Show an invitation, and take it up. For whoever holds its link; taking it up needs a log-in."""
    invitation = find_invitation(token)
    if invitation is None:
        sentence = _("This invitation was used already, was taken back or has expired. Ask the practice for a new one.")
        return refuse(request, sentence, status=404)
    if request.method == "POST" and request.user.is_authenticated:
        return take_up(request, invitation)
    hold_invitation(request, invitation)
    own = request.user.is_authenticated and invitation.is_for(read_user(request).email)
    return render(request, "accounts/invitation.html", {"invitation": invitation, "own": own})


def take_up(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    """Give the signed-in person the role, and take them to the practice."""
    try:
        accept_invitation(user=read_user(request), invitation=invitation)
    except InputError as error:
        return refuse(request, str(error), status=409)
    forget_pending(request)
    enter_practice(request, invitation.practice)
    messages.success(request, _("You are now in: %(practice)s.") % {"practice": invitation.practice.name})
    return redirect("/")

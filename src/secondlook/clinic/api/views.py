"""The page on which people make tokens for programs, see them, and revoke them."""

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from secondlook.clinic.accounts.actors import Actor, get_actor
from secondlook.clinic.api.forms import TokenForm
from secondlook.clinic.api.models import ApiToken
from secondlook.clinic.api.services import make_token, revoke_token


@require_http_methods(["GET", "POST"])
@reauthentication_required(allow_get=True)  # type: ignore[untyped-decorator]  # allauth has no types
def show_tokens(request: HttpRequest) -> HttpResponse:
    """List one's tokens and make another, whose text is shown this once. For every member of a practice."""
    actor = get_actor(request)
    form = TokenForm(request.POST or None, actor=actor)
    if not form.is_valid():
        return show_page(request, actor, form, status=400 if form.is_bound else 200)
    given = form.cleaned_data
    token, text = make_token(actor=actor, name=given["name"], scopes=given["scopes"], days=given["days"])
    return show_page(request, actor, TokenForm(actor=actor), fresh=token, text=text)


def show_page(
    request: HttpRequest, actor: Actor, form: TokenForm, *, status: int = 200, **fresh: object
) -> HttpResponse:
    """Show the page; the text of a fresh token is on it and nowhere else."""
    own = ApiToken.objects.filter(user=actor.user, practice=actor.practice)
    tokens = own.usable()
    ended = own.exclude(pk__in=tokens)
    context = {"tokens": tokens, "ended": ended, "form": form, "docs": reverse("api:openapi-view"), **fresh}
    return render(request, "api/tokens.html", context, status=status)


@require_POST
def revoke(request: HttpRequest, key: str) -> HttpResponse:
    """Revoke one of one's own tokens. For every member of a practice."""
    actor = get_actor(request)
    token = get_object_or_404(ApiToken, key=key, user=actor.user, practice=actor.practice)
    revoke_token(actor=actor, token=token)
    sentence = _("The token “%(name)s” is revoked; whoever holds it gets no more answers.")
    messages.success(request, sentence % {"name": token.name})
    return redirect("tokens:tokens")

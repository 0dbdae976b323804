"""The page of one's own tokens."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from fedisec.accounts import second
from fedisec.accounts.models import User
from fedisec.accounts.sudo import confirmed_lately
from fedisec.accounts.teams import teams_for
from fedisec.api import tokens
from fedisec.api.models import Token
from fedisec.api.token_forms import TokenForm


@require_http_methods(["GET", "POST"])
@confirmed_lately(reading=False)
def my_tokens(request: HttpRequest) -> HttpResponse:
    """What there is; POST makes one and shows it, once."""
    user = cast(User, request.user)
    may_make = second.has_one(user)
    if request.method == "POST" and not may_make:
        said = _("A token opens what your password and second factor open: add a second factor first.")
        messages.info(request, said)
        return redirect("mfa_index")
    form = TokenForm(list(teams_for(user)), request.POST or None)
    made = _make(form, user) if request.method == "POST" and form.is_valid() else ""
    now = timezone.now()
    rows = [
        (one, one.scopes.split(), one.expires_at is not None and one.expires_at <= now)
        for one in Token.objects.filter(user=user).select_related("team")
    ]
    if made:
        form = TokenForm(list(teams_for(user)))
    context = {"form": form, "rows": rows, "made": made, "may_make": may_make}
    return render(request, "accounts/tokens.html", context, status=422 if form.errors else 200)


def _make(form: TokenForm, user: User) -> str:
    given = form.cleaned_data
    try:
        return tokens.make(user, given["name"], given["scopes"], form.chosen_team, given["days"])
    except tokens.TooMany:
        form.add_error(None, _("You have many tokens already. Revoke some first."))
        return ""


@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Without any question, as it makes things safer."""
    user = cast(User, request.user)
    found = Token.objects.filter(user=user, pk=pk).first()
    if found is None:
        raise Http404
    tokens.revoke(found, user)
    messages.success(request, _("Revoked. Whoever uses it is refused from now on."))
    return redirect("tokens")

"""The page behind the link of an invitation."""

from __future__ import annotations

from typing import cast

from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from fedisec.accounts import audit, invitations
from fedisec.accounts.models import Role, User
from fedisec.accounts.team_forms import AccountForm
from fedisec.accounts.team_models import Invitation

_LIMITS = {"invitation": "30/m/ip"}  # tokens cannot be guessed; this spares the database


@login_not_required
@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Makes an account in the team, or lets in who is signed in with that very address.  A link that was
    used, revoked or is too old looks like one that never was."""
    if not ratelimit.consume(request, app="fedisec", action="invitation", config=_LIMITS, limit_get=True):
        return _closed(render(request, "teams/invitation_busy.html", status=429))
    found = invitations.usable(token)
    if found is None:
        return _closed(render(request, "teams/invitation_gone.html", status=404))
    answer = _signed_in(request, found) if request.user.is_authenticated else _stranger(request, found)
    return _closed(answer)


def _signed_in(request: HttpRequest, found: Invitation) -> HttpResponse:
    user = cast(User, request.user)
    fits = user.email == found.email
    if request.method == "POST" and fits:
        if invitations.accept(found, user):
            messages.success(request, _("Welcome to the team %(team)s.") % {"team": found.team.name})
            return redirect("overview")
        return render(request, "teams/invitation_gone.html", status=404)
    status = 422 if request.method == "POST" else 200
    return render(request, "teams/invitation.html", _context(found) | {"fits": fits}, status=status)


def _stranger(request: HttpRequest, found: Invitation) -> HttpResponse:
    """The form is the same whether or not there is an account, so that the link tells nobody."""
    form = AccountForm(found.email, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        user = _account(found, form)
        if user is not None:
            login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
            messages.success(request, _("Welcome to the team %(team)s.") % {"team": found.team.name})
            return redirect("overview")
        form.add_error(None, _("This did not work. If you have an account already, sign in with it first."))
    context = _context(found) | {"form": form}
    return render(request, "teams/invitation.html", context, status=422 if form.errors else 200)


def _account(found: Invitation, form: AccountForm) -> User | None:
    """The new account in the team; None where there is one for the address, or the link was just used."""
    try:
        with transaction.atomic():
            user: User = form.save(commit=False)
            user.email, user.language = found.email, translation.get_language() or ""
            user.save()
            audit.record("account.created", team=found.team, by=user, after=found.role)
            if not invitations.accept(found, user):
                raise IntegrityError
    except IntegrityError:
        return None
    return user


def _context(found: Invitation) -> dict[str, object]:
    return {"invitation": found, "team": found.team, "role": Role(found.role).label}


def _closed(response: HttpResponse) -> HttpResponse:
    """The address is the key: it goes to no other site and no cache."""
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response

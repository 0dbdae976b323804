"""The set-up link, and the reader's own choices of language and colours."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from fedisec.accounts.audit import record
from fedisec.accounts.forms import FirstAccountForm
from fedisec.accounts.models import Membership, Role, SetupLink, Team, User

THEMES = ("auto", "light", "dark")
_YEAR_S = 365 * 86_400


@login_not_required
@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "POST"])
def setup(request: HttpRequest, token: str) -> HttpResponse:
    """Makes the first account, once, for who holds the link."""
    link = SetupLink.usable(token)
    if link is None:
        return render(request, "accounts/setup_gone.html", status=410)
    form = FirstAccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = _first_account(link, form)
        if user is None:
            return render(request, "accounts/setup_gone.html", status=410)
        login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
        return redirect("instance_add")
    return render(request, "accounts/setup.html", {"form": form}, status=422 if form.errors else 200)


def _first_account(link: SetupLink, form: FirstAccountForm) -> User | None:
    """The account with a team of its own; None when somebody else used the link in the same moment."""
    with transaction.atomic():
        taken = SetupLink.objects.filter(pk=link.pk, used_at=None).update(used_at=timezone.now())
        if taken != 1 or User.objects.exists():
            return None
        user: User = form.save(commit=False)
        user.language = translation.get_language() or ""
        user.is_superuser = True  # runs the installation: mail server, outages
        user.save()
        team = Team.objects.create(name=_("My servers"))
        Membership.objects.create(team=team, user=user, role=Role.OWNER)
        record("account.created", team=team, by=user, after=Role.OWNER)
    return user


@login_not_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remembers light, dark or the system's choice in a cookie, and goes back to the page."""
    chosen = request.POST.get("theme", "")
    response = redirect(_back(request))
    if chosen in THEMES:
        response.set_cookie(
            "theme", chosen, max_age=_YEAR_S, samesite="Lax", httponly=True, secure=settings.HTTPS
        )
    return response


def _back(request: HttpRequest) -> str:
    target = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure()):
        return target
    return "/"

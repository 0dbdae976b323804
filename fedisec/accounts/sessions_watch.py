"""Every request of somebody who is signed in: sessions that are over end, devices are remembered, and who
has to have a second factor gets one before anything else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect

from fedisec.accounts import sessions_kept
from fedisec.accounts.second import must_set_up
from fedisec.accounts.tries import cookie_name

Handler = Callable[[HttpRequest], HttpResponse]

# What somebody without a factor may do where one is compulsory: make one, prove who he is, and leave.
OPEN = frozenset(
    {
        "mfa_index", "mfa_activate_totp", "totp_qr", "mfa_add_webauthn", "recovery_codes",
        "account_reauthenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn",
        "account_logout", "set_language", "theme",
    }
)  # fmt: skip
_DEVICE_S = 400 * 86_400  # as long as browsers keep a cookie


def watch(get_response: Handler) -> Handler:
    def middleware(request: HttpRequest) -> HttpResponse:
        user, now = request.user, timezone.now()
        if user.is_authenticated:
            if sessions_kept.is_over_now(request, now):
                logout(request)
            else:
                sessions_kept.note(request, user, now)
        response = get_response(request)
        token = getattr(request, "new_device_token", "")
        if token:
            _remember(request, response, token)
        if user.is_authenticated and not request.user.is_authenticated:
            # Not "cookies": the one that marks the device stays, or each sign-in were a new device's.
            response["Clear-Site-Data"] = '"cache", "storage"'
        return response

    def process_view(request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        user, match = request.user, request.resolver_match
        if not user.is_authenticated or not getattr(view, "login_required", True):
            return None
        if (match is not None and match.url_name in OPEN) or not must_set_up(user):
            return None
        if request.headers.get("HX-Request") == "true":
            return HttpResponseClientRedirect(reverse("mfa_index"))
        return redirect("mfa_index")

    middleware.process_view = process_view  # type: ignore[attr-defined]  # Django looks for it there
    return middleware


def _remember(request: HttpRequest, response: HttpResponse, token: str) -> None:
    response.set_cookie(
        cookie_name(request),
        token,
        max_age=_DEVICE_S,
        secure=urlsplit(settings.PUBLIC_URL).scheme == "https" or request.is_secure(),
        httponly=True,
        samesite="Lax",
    )

"""Signing in by an OpenID provider of the operator's, where the settings name one.

It lets in who has an account here already, found by an address that the provider calls verified; the second
factor is asked for as after a password.  Nobody gets an account this way: who was invited makes one
behind the link of the invitation first.  The provider is the operator's choice and may stand in an internal
network, so it is not held to the rule for addresses of far servers; time and redirects are bounded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import requests
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect import views
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from jwt import PyJWTError

from fedisec.accounts.models import User

PROVIDER = "sign-in"
_TIMEOUT_S = 10.0


class _Session(requests.Session):
    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs |= {"timeout": _TIMEOUT_S, "allow_redirects": False}
        return super().request(*args, **kwargs)


class KnownPeople(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False

    def get_requests_session(self) -> requests.Session:
        session = _Session()
        session.trust_env = False
        return session

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Who is known under the verified address, and under nothing else: what the provider called the
        account before does not count, nor does a link that was stored."""
        verified = [one.email.lower() for one in sociallogin.email_addresses if one.verified is True]
        user = User.objects.filter(email__in=verified, is_active=True).first() if verified else None
        if user is None:
            raise ImmediateHttpResponse(_refused(request))
        sociallogin.user = user

    def on_authentication_error(self, request: HttpRequest, provider: Any, **_: Any) -> None:
        raise ImmediateHttpResponse(_refused(request))


def _refused(request: HttpRequest) -> HttpResponse:
    said = _(
        "This did not work. It lets in who has an account here, by an address that the provider has verified."
    )
    messages.error(request, said)
    return redirect("account_login")


def _careful(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A provider that is away, or answers nonsense, is no error of ours."""

    @login_not_required
    def wrapped(request: HttpRequest, provider_id: str) -> HttpResponseBase:
        try:
            return view(request, provider_id)
        except ImmediateHttpResponse as refused:
            return cast(HttpResponse, refused.response)
        except (requests.RequestException, OAuth2Error, PyJWTError, ValueError, KeyError, TypeError):
            return _refused(request)

    return wrapped


login, callback = _careful(views.login), _careful(views.callback)

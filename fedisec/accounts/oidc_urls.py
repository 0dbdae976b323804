"""Addresses of the sign-in by an OpenID provider, under the names that allauth knows them by."""

from __future__ import annotations

from django.urls import path

from fedisec.accounts import oidc

urlpatterns = [
    path("<str:provider_id>/", oidc.login, name="openid_connect_login"),
    path("<str:provider_id>/callback/", oidc.callback, name="openid_connect_callback"),
]

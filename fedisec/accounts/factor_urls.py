"""Addresses of the second factor, under the names that allauth knows them by."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.urls import path

from fedisec.accounts import factor_views as views

urlpatterns = [
    path("", views.index, name="mfa_index"),
    path("authenticate/", login_not_required(views.SecondStep.as_view()), name="mfa_authenticate"),
    path("reauthenticate/", views.CodeAgain.as_view(), name="mfa_reauthenticate"),
    path("app/", views.AddApp.as_view(), name="mfa_activate_totp"),
    path("app/qr.svg", views.qr, name="totp_qr"),
    path("app/remove/", views.RemoveApp.as_view(), name="mfa_deactivate_totp"),
    path("recovery-codes/", views.recovery_codes, name="recovery_codes"),
    path("passkeys/", views.index, name="mfa_list_webauthn"),
    path("passkeys/add/", views.AddPasskey.as_view(), name="mfa_add_webauthn"),
    path("passkeys/<int:pk>/rename/", views.rename_passkey, name="mfa_edit_webauthn"),
    path("passkeys/<int:pk>/remove/", views.remove_passkey, name="mfa_remove_webauthn"),
    path("passkeys/again/", views.PasskeyAgain.as_view(), name="mfa_reauthenticate_webauthn"),
    path("passkeys/sign-in/", login_not_required(views.PasskeySignIn.as_view()), name="mfa_login_webauthn"),
]

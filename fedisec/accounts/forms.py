"""The form behind the one-time set-up link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.forms import BaseUserCreationForm
from django.utils.translation import gettext_lazy as _

from fedisec.accounts.models import User

if TYPE_CHECKING:
    _Form = BaseUserCreationForm[User]
else:
    _Form = BaseUserCreationForm


class FirstAccountForm(_Form):
    """Address and password (twice) of the first admin; Django's validators judge the password."""

    class Meta:
        model = User
        fields = ("email",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].widget = forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True})
        self.fields["email"].help_text = _("You sign in with it, and it gets the alerts.")
        self.fields["password1"].help_text = _("At least 12 characters; a sentence of your own is good.")

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()

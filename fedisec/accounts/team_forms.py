"""Forms of the pages of teams, and of an invitation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.forms import BaseUserCreationForm
from django.utils.translation import gettext_lazy as _

from checks.clean import clean
from fedisec.accounts.models import Role, Team, User

if TYPE_CHECKING:
    _Form = BaseUserCreationForm[User]
else:
    _Form = BaseUserCreationForm

NAME_MAX = 60
ROLES = [
    (Role.VIEWER.value, _("Viewer: reads everything")),
    (Role.EDITOR.value, _("Editor: answers, scans, sets up")),
    (Role.OWNER.value, _("Owner: members and removal too")),
]


class NameForm(forms.Form):
    """The name of a team."""

    name = forms.CharField(label=_("Name of the team"), max_length=NAME_MAX)

    def clean_name(self) -> str:
        name = clean(self.cleaned_data["name"], NAME_MAX, newlines=False).strip()
        if not name:
            raise forms.ValidationError(_("Give it a name."))
        return name


class RoleForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"), choices=ROLES)

    @property
    def chosen(self) -> Role:
        return Role(self.cleaned_data["role"])


class InviteForm(RoleForm):
    """An address, and what its owner may do in the team."""

    email = forms.EmailField(
        label=_("Address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "placeholder": "name@example.org"}),
    )
    field_order = ("email", "role")

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


class TypedNameForm(forms.Form):
    """Takes the name of the team as consent to its end."""

    name = forms.CharField(
        label=_("Type the name to confirm"),
        max_length=NAME_MAX,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, team: Team, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._name = team.name

    def clean_name(self) -> str:
        typed: str = self.cleaned_data["name"].strip()
        if typed.casefold() != self._name.casefold():
            raise forms.ValidationError(
                _("This is not “%(name)s”. Nothing was removed."), params={"name": self._name}
            )
        return typed


class AccountForm(_Form):
    """The password (twice) of an account for the address of an invitation, which is no field."""

    class Meta:
        model = User
        fields = ()

    def __init__(self, email: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.email = email  # Django's validators compare the password with it
        self.fields["password1"].help_text = _("At least 12 characters; a sentence of your own is good.")

"""How to get in: which mode, which user, which port; and the word that ends it."""

from __future__ import annotations

import ipaddress
import re

from django import forms
from django.utils.translation import gettext_lazy as _

from checks.target import TargetError, parse_domain
from fedisec.enrolment.models import Mode, SshAccess
from fedisec.instances.forms import REFUSED
from fedisec.instances.models import Instance
from fedisec.lib.vantage import may_visit

# These stand in commands that people paste: nothing that a shell, sudo or sshd would read otherwise.
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
_TECHNICAL = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}


class AccessForm(forms.Form):
    """Mode, user, port and, where it is not the instance's own, the host."""

    mode = forms.ChoiceField(
        label=_("What the key may do"), choices=Mode.choices, initial=Mode.FORCED, widget=forms.RadioSelect
    )
    user = forms.CharField(
        label=_("User on the server"),
        max_length=31,
        initial="fedisec",
        help_text=_("An account of its own, without rights; step 2 shows how to create it."),
        widget=forms.TextInput(attrs=_TECHNICAL),
    )
    port = forms.IntegerField(
        label=_("SSH port"),
        min_value=1,
        max_value=65535,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"), _("A port is a number from 1 to 65535.")
        ),
    )
    host = forms.CharField(
        label=_("Host"),
        required=False,
        max_length=253,
        help_text=_(
            "Name or address to log in at, if it is not the domain itself (behind a CDN, for example)."
        ),
        widget=forms.TextInput(attrs=_TECHNICAL),
    )

    @classmethod
    def of(cls, instance: Instance, access: SshAccess | None) -> AccessForm:
        """The form with what is stored, or with what is likely."""
        if access is None:
            return cls(initial={"port": instance.ssh_port})
        return cls(initial={name: getattr(access, name) for name in cls.base_fields})

    def clean_user(self) -> str:
        name: str = self.cleaned_data["user"]
        if _USER.fullmatch(name) is None:
            raise forms.ValidationError(
                _("This is not a user name: small letters, digits, hyphens, underscores.")
            )
        return name

    def clean_host(self) -> str:
        text = self.cleaned_data["host"].strip("[]")
        if not text:
            return ""
        try:
            address = str(ipaddress.ip_address(text))
        except ValueError:
            return _name(text)
        if not may_visit(address):
            raise forms.ValidationError(
                _("%(word)s is a private or reserved address, which fedisec does not visit."),
                params={"word": address},
            )
        return address


def _name(text: str) -> str:
    """A host's name; what it leads to is vetted when it is dialled."""
    try:
        return parse_domain(text)
    except TargetError as error:
        raise forms.ValidationError(REFUSED[error.code]) from error

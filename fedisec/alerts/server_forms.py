"""The form of the mail server."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fedisec.alerts.mail_server import needs_password
from fedisec.alerts.models import MailServer

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
_PLAIN = {"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}
SECURITIES = (
    ("starttls", gettext_lazy("STARTTLS, verified (usual, port 587)")),
    ("tls", gettext_lazy("TLS from the start, verified (port 465)")),
    ("none", gettext_lazy("none: everybody on the way can read mails and password")),
)


class MailServerForm(forms.Form):
    """`stored`: what is set now, which an empty password keeps."""

    host = forms.CharField(
        label=gettext_lazy("Host"),
        max_length=253,
        widget=forms.TextInput(attrs=_PLAIN | {"inputmode": "url"}),
        help_text=gettext_lazy("A name such as mail.example.org: its certificate must be good for it."),
    )
    port = forms.IntegerField(label=gettext_lazy("Port"), min_value=1, max_value=65535, initial=587)
    security = forms.ChoiceField(label=gettext_lazy("Encryption"), choices=SECURITIES, initial="starttls")
    username = forms.CharField(
        label=gettext_lazy("User name"),
        max_length=254,
        required=False,
        widget=forms.TextInput(attrs=_PLAIN),
        help_text=gettext_lazy("Empty where the server asks for none."),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        max_length=500,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    sender = forms.EmailField(
        label=gettext_lazy("Sender"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("The address that mails come from; the server must accept it from this user."),
    )

    def __init__(self, stored: MailServer | None, *args: Any, **kwargs: Any) -> None:
        names = ("host", "port", "security", "username", "sender")
        if stored is not None:
            kwargs["initial"] = {name: getattr(stored, name) for name in names}
        super().__init__(*args, **kwargs)
        self._stored = stored
        kept = _("Stored. Leave it empty to keep it; it is never shown.")
        new = _("Stored encrypted, and never shown again.")
        has_one = stored is not None and bool(stored.sealed_password)
        self.fields["password"].help_text = kept if has_one else new

    def clean_host(self) -> str:
        host = str(self.cleaned_data["host"]).strip().lower().strip("[]")
        try:
            return str(ipaddress.ip_address(host))
        except ValueError:
            pass
        if not _NAME.fullmatch(host):
            raise forms.ValidationError(_("This is neither a host name nor an address."))
        return host.rstrip(".")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors and needs_password(self._stored, given):
            self.add_error(
                "password", _("Enter the password again: the stored one is for another server or user.")
            )
        if given.get("password") and not given.get("username"):
            self.add_error("username", _("A password needs a user name."))
        return given

"""Adding an instance."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from checks.target import TargetError, parse_domain
from fedisec.accounts.models import Team
from fedisec.instances.models import Instance

REFUSED = {
    "empty": _("Enter the domain of the server, for example mastodon.example."),
    "too_long": _("This is longer than a domain name can be (253 characters). Paste only the domain."),
    "control": _("The text holds invisible control characters. Type the domain by hand."),
    "address": _("This is an address, not a name. Enter the domain that people see in your handles."),
    "local": _("This name exists only inside a network. Enter a name that the internet can reach."),
    "single_label": _("A domain has at least two parts, for example mastodon.example."),
    "bad_name": _("This is not a valid domain name. Look for spaces or odd characters."),
    "no_such_name": _("The DNS does not know %(domain)s. Look for a typing mistake."),
    "private": _(
        "%(domain)s leads to a private or reserved address, which fedisec does not visit. "
        "An operator can allow own networks with FEDISEC_ALLOW_NETWORKS."
    ),
    "dns_failed": _("The DNS did not answer for %(domain)s just now. Try again in a minute."),
    "known": _("%(domain)s is on your list already."),
}


class AddForm(forms.Form):
    """One field that takes a domain in any form people paste it."""

    domain = forms.CharField(
        label=_("Domain"),
        max_length=2048,
        strip=False,
        error_messages={"required": REFUSED["empty"], "max_length": REFUSED["too_long"]},
        widget=forms.TextInput(
            attrs={
                "autofocus": True,
                "autocapitalize": "none",
                "autocomplete": "off",
                "spellcheck": "false",
                "placeholder": "mastodon.example",
                "inputmode": "url",
            }
        ),
    )

    def __init__(self, team: Team, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._team = team
        # Django's own answer to a null byte says nothing about what to do; parse_domain's does.
        field = self.fields["domain"]
        field.validators = [v for v in field.validators if not _is_null_check(v)]

    def clean_domain(self) -> str:
        try:
            domain = parse_domain(self.cleaned_data["domain"])
        except TargetError as error:
            raise forms.ValidationError(REFUSED[error.code]) from error
        if Instance.objects.filter(team=self._team, domain=domain).exists():
            raise forms.ValidationError(REFUSED["known"], params={"domain": domain})
        return domain

    def refuse(self, code: str, domain: str) -> None:
        """Adds what a look at the DNS said."""
        self.add_error("domain", forms.ValidationError(REFUSED[code], params={"domain": domain}))


def _is_null_check(validator: object) -> bool:
    return type(validator).__name__ == "ProhibitNullCharactersValidator"

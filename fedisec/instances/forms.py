"""Adding an instance, and telling fedisec what it cannot find out by itself."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from checks.clean import clean
from checks.errors import ParseError
from checks.parse.dkim import parse_selector
from checks.target import TargetError, parse_domain
from fedisec.accounts.models import Team
from fedisec.instances.models import Instance
from fedisec.instances.pace import PaceForm
from fedisec.lib.vantage import may_visit

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
    "denied": _(
        "%(domain)s leads to an address that the operator of this installation has closed to fedisec "
        "(FEDISEC_DENY_NETWORKS)."
    ),
    "own": _(
        "%(domain)s leads to the machine that fedisec runs on. From there fedisec would see what is open to "
        "that machine alone. An operator can allow it, by its address, with FEDISEC_ALLOW_NETWORKS."
    ),
    "dns_failed": _("The DNS did not answer for %(domain)s just now. Try again in a minute."),
    "known": _("%(domain)s is on your list already."),
}


SELECTORS_MAX = 10  # as many as one scan asks for
ORIGINS_MAX = 4
_USER = re.compile(r"[a-z_][a-z0-9_.-]{0,30}\$?", re.IGNORECASE)
_TECHNICAL = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}


class MoreForm(forms.Form):
    """What only the admin knows; every field may stay empty."""

    mail_from = forms.CharField(
        label=_("Mail domain"),
        required=False,
        max_length=2048,
        help_text=_("The domain after the @ in the sender of your server's mail, if it is another one."),
        widget=forms.TextInput(attrs=_TECHNICAL | {"placeholder": "example.org", "inputmode": "url"}),
    )
    dkim_selectors = forms.CharField(
        label=_("DKIM selectors"),
        required=False,
        max_length=2048,
        help_text=_(
            "The s= in the DKIM-Signature header of a mail that your server sent; several with commas."
        ),
        widget=forms.TextInput(attrs=_TECHNICAL | {"placeholder": "fedi2026, s1"}),
    )
    origins = forms.CharField(
        label=_("Origin addresses"),
        required=False,
        max_length=2048,
        help_text=_(
            "Only behind a CDN: the true addresses of your server. "
            "fedisec tries whether they answer past the CDN."
        ),
        widget=forms.TextInput(attrs=_TECHNICAL),
    )
    ssh_port = forms.IntegerField(
        label=_("SSH port"),
        required=False,
        min_value=1,
        max_value=65535,
        help_text=_(
            "If it is not 22. fedisec looks which ways to sign in are offered there; it never tries one."
        ),
        widget=forms.NumberInput(attrs={"placeholder": "22", "inputmode": "numeric"}),
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"), _("A port is a number from 1 to 65535.")
        ),
    )
    ssh_user = forms.CharField(
        label=_("SSH user"),
        required=False,
        max_length=32,
        help_text=_("The user whose ways to sign in are looked at, if it is not root. Nobody is signed in."),
        widget=forms.TextInput(attrs=_TECHNICAL | {"placeholder": "root"}),
    )

    @classmethod
    def of(cls, instance: Instance) -> MoreForm:
        """The form with what is stored."""
        return cls(
            initial={
                "mail_from": instance.mail_from,
                "dkim_selectors": ", ".join(instance.dkim_selectors),
                "origins": ", ".join(instance.origins),
                "ssh_port": instance.ssh_port if instance.ssh_port != 22 else None,
                "ssh_user": instance.ssh_user if instance.ssh_user != "root" else "",
            }
        )

    def clean_mail_from(self) -> str:
        text = self.cleaned_data["mail_from"]
        if not text:
            return ""
        try:
            return parse_domain(text)
        except TargetError as error:
            raise forms.ValidationError(REFUSED[error.code]) from error

    def clean_dkim_selectors(self) -> list[str]:
        words = _words(self.cleaned_data["dkim_selectors"])
        found: list[str] = []
        for word in words:
            try:
                found.append(parse_selector(word))
            except ParseError as error:
                raise forms.ValidationError(
                    _("“%(word)s” is no selector: letters, digits, hyphens and dots, as after s=."),
                    params={"word": word[:60]},
                ) from error
        return _at_most(SELECTORS_MAX, found)

    def clean_origins(self) -> list[str]:
        found: list[str] = []
        for word in _words(self.cleaned_data["origins"]):
            try:
                address = str(ipaddress.ip_address(word.strip("[]")))
            except ValueError as error:
                raise forms.ValidationError(
                    _("“%(word)s” is no IP address."), params={"word": word[:60]}
                ) from error
            if not may_visit(address):
                raise forms.ValidationError(
                    _("%(word)s is a private or reserved address, which fedisec does not visit."),
                    params={"word": address},
                )
            found.append(address)
        return _at_most(ORIGINS_MAX, found)

    def clean_ssh_port(self) -> int:
        return self.cleaned_data["ssh_port"] or 22

    def clean_ssh_user(self) -> str:
        name: str = self.cleaned_data["ssh_user"]
        if name and _USER.fullmatch(name) is None:
            raise forms.ValidationError(
                _("This is not a user name: letters, digits, dots, hyphens, underscores.")
            )
        return name or "root"

    @property
    def more(self) -> dict[str, Any]:
        """The cleaned values, named as the fields of the model."""
        return {name: self.cleaned_data[name] for name in MoreForm.base_fields}

    @property
    def more_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in MoreForm.base_fields]

    @property
    def more_is_open(self) -> bool:
        """Whether something in these fields wants to be seen."""
        return (
            any(self[name].errors or self[name].data for name in MoreForm.base_fields)
            if self.is_bound
            else False
        )


def _words(text: str) -> list[str]:
    return list(dict.fromkeys(word for word in re.split(r"[\s,;、]+", text) if word))


def _at_most(count: int, found: list[str]) -> list[str]:
    found = list(dict.fromkeys(found))
    if len(found) > count:
        raise forms.ValidationError(_("%(count)d at most."), params={"count": count})
    return found


class AddForm(MoreForm):
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

    team = forms.ChoiceField(label=_("Team"), help_text=_("It sees the server and answers for it."))
    field_order = ("team", "domain")  # whose it is to be is known when the domain is looked at

    def __init__(self, teams: Sequence[Team], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._teams = {str(team.pk): team for team in teams}
        if len(teams) > 1:
            names = [(key, team.name) for key, team in self._teams.items()]
            cast(forms.ChoiceField, self.fields["team"]).choices = names
        else:
            del self.fields["team"]
        # Django's own answer to a null byte says nothing about what to do; parse_domain's does.
        field = self.fields["domain"]
        field.validators = [v for v in field.validators if not _is_null_check(v)]

    def clean_domain(self) -> str:
        try:
            domain = parse_domain(self.cleaned_data["domain"])
        except TargetError as error:
            raise forms.ValidationError(REFUSED[error.code]) from error
        team = self.chosen_team
        if team is not None and Instance.objects.filter(team=team, domain=domain).exists():
            raise forms.ValidationError(REFUSED["known"], params={"domain": domain})
        return domain

    @property
    def chosen_team(self) -> Team | None:
        """The only one, or the one that was chosen; None for none of them."""
        return self._teams.get(self.cleaned_data.get("team") or next(iter(self._teams)))

    @property
    def whose(self) -> Team:
        """The team of a form that is valid."""
        return self._teams[self.cleaned_data.get("team") or next(iter(self._teams))]

    def refuse(self, code: str, domain: str) -> None:
        """Adds what a look at the DNS said."""
        self.add_error("domain", forms.ValidationError(REFUSED[code], params={"domain": domain}))


def _is_null_check(validator: object) -> bool:
    return type(validator).__name__ == "ProhibitNullCharactersValidator"


OWN_FIELDS = ("tags", "interval_s", "inside_interval_s", "paused")
TAGS_MAX = 10
TAG_MAX = 30


class SettingsForm(PaceForm, MoreForm):
    """What is set for an instance that is on the list: the same, tags, and whether it is looked at."""

    tags = forms.CharField(
        label=_("Tags"),
        required=False,
        max_length=1024,
        help_text=_("Words to find it by on the overview; several with commas."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    paused = forms.BooleanField(
        label=_("Pause: no look of its own accord"),
        required=False,
        help_text=_("“Scan now” still works. Nobody is told of changes or of a certificate that ends."),
    )

    @classmethod
    def of(cls, instance: Instance) -> SettingsForm:
        """The form with what is stored."""
        own = {
            "tags": ", ".join(tag.name for tag in instance.tags.all()),
            "interval_s": instance.interval_s,
            "inside_interval_s": instance.inside_interval_s or "",
            "paused": instance.paused,
        }
        return cls(initial={**MoreForm.of(instance).initial, **own}, instance=instance)

    def clean_tags(self) -> list[str]:
        found: dict[str, str] = {}
        for word in re.split(r"[,、\n]+", self.cleaned_data["tags"]):
            name = " ".join(clean(word, newlines=False).strip().lstrip("#").split())
            if len(name) > TAG_MAX:
                raise forms.ValidationError(
                    _("“%(word)s” is longer than %(count)d characters."),
                    params={"word": name[:TAG_MAX], "count": TAG_MAX},
                )
            if name:
                found.setdefault(name.casefold(), name)
        return _at_most(TAGS_MAX, list(found.values()))

    @property
    def own_fields(self) -> list[forms.BoundField]:
        """The fields that only an instance on the list has."""
        return [self[name] for name in OWN_FIELDS]

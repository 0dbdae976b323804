"""The forms of a channel.  An address that was typed is never shown again, not even beside an error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils.translation import get_language
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from checks.clean import clean
from fedisec.accounts.models import Team
from fedisec.accounts.profile import zones
from fedisec.alerts.channels.changes import Wanted
from fedisec.alerts.channels.entry import ADDRESS_MAX, objection
from fedisec.alerts.channels.services import SERVICES
from fedisec.alerts.channels.words import KINDS, LEVELS
from fedisec.alerts.models import Channel, ChannelKind, chosen_kinds, chosen_levels
from fedisec.instances.models import Instance

_PLAIN = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}


class WriteOnly(forms.TextInput):
    """Never filled in."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return super().get_context(name, None, attrs)


class ChannelForm(forms.Form):
    """What a channel is told, and where to; `chosen_team` (while adding) and `wanted` say what was said."""

    name = forms.CharField(
        label=_("Name"),
        max_length=60,
        help_text=_("What your team calls it, for example “On call”."),
        error_messages={"required": _("Give it a name.")},
    )
    team = forms.ChoiceField(label=_("Team"))
    address = forms.CharField(
        label=_("Address"),
        max_length=ADDRESS_MAX,
        widget=WriteOnly(attrs=_PLAIN),
        error_messages={"required": _("Say where it leads.")},
    )
    kinds = forms.MultipleChoiceField(
        label=_("Told of"),
        choices=KINDS,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    levels = forms.MultipleChoiceField(
        label=_("Items that are"),
        choices=LEVELS,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    which = forms.ChoiceField(
        label=_("Instances"),
        choices=[("all", _("all of the team, also those added later")), ("chosen", _("only these:"))],
        widget=forms.RadioSelect,
        initial="all",
    )
    instances = forms.MultipleChoiceField(
        label=_("Chosen instances"), widget=forms.CheckboxSelectMultiple, required=False
    )
    language = forms.ChoiceField(label=_("Language"), required=False)
    time_zone = forms.ChoiceField(label=_("Time zone"), required=False)

    def __init__(
        self,
        kind: ChannelKind,
        teams: Sequence[Team],
        instances: Sequence[Instance],
        data: QueryDict | None = None,
        channel: Channel | None = None,
    ) -> None:
        super().__init__(data, auto_id="channel-%s", initial=_stored(channel))
        self._kind, self._channel = kind, channel
        self._teams = {str(team.pk): team for team in teams}
        self._instances = {str(one.pk): one for one in instances}
        if channel is not None or len(teams) == 1:
            del self.fields["team"]
        else:
            self._choices("team", [(key, team.name) for key, team in self._teams.items()])
        several = len(teams) > 1
        self._choices(
            "instances",
            [
                (key, f"{one.name} · {one.team.name}" if several else one.name)
                for key, one in self._instances.items()
            ],
        )
        own = _now("the installation's own (%(zone)s)") % {"zone": settings.TIME_ZONE}
        self._choices("time_zone", [("", own), ("UTC", "UTC"), *((z, z.replace("_", " ")) for z in zones())])
        installed = dict(settings.LANGUAGES)[settings.LANGUAGE_CODE]
        self._choices(
            "language",
            [
                ("", _now("the installation's own (%(language)s)") % {"language": installed}),
                ("en", "English"),
                ("ja", "日本語"),
            ],
        )
        address = self.fields["address"]
        address.help_text = _help_of(kind, channel)
        address.required = channel is None

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        cast(forms.ChoiceField, self.fields[name]).choices = choices

    def clean_name(self) -> str:
        return clean(self.cleaned_data["name"].strip(), 60, newlines=False)

    def clean_address(self) -> str:
        address: str = self.cleaned_data["address"].strip()
        why = objection(self._kind.value, address) if address else ""
        if why:
            raise forms.ValidationError(why)
        return address

    def clean(self) -> None:
        given = self.cleaned_data
        if given.get("which") == "chosen" and not any(one.team_id == self._team_id for one in self._chosen()):
            self.add_error("instances", _("Choose at least one instance of the team."))

    def full_clean(self) -> None:
        super().full_clean()
        for name in self.errors:
            if name in ("name", "address"):
                self.fields[name].widget.attrs["autofocus"] = True
                return

    @property
    def chosen_team(self) -> Team:
        """Of a new channel."""
        return self._teams[self.cleaned_data.get("team") or next(iter(self._teams))]

    @property
    def wanted(self) -> Wanted:
        given = self.cleaned_data
        chosen = self._chosen() if given["which"] == "chosen" else []
        return Wanted(
            given["name"],
            given["address"],
            tuple(given["levels"]),
            tuple(given["kinds"]),
            tuple(one for one in chosen if one.team_id == self._team_id),
            given["language"],
            given["time_zone"],
        )

    @property
    def _team_id(self) -> int | None:
        if self._channel is not None:
            return self._channel.team_id
        team = self._teams.get(self.cleaned_data.get("team") or next(iter(self._teams)))
        return team.pk if team is not None else None

    def _chosen(self) -> list[Instance]:
        return [self._instances[key] for key in self.cleaned_data.get("instances", ())]


class RemoveForm(forms.Form):
    """Takes the name of the channel as consent."""

    name = forms.CharField(
        label=_("Type the name to confirm"), max_length=60, widget=forms.TextInput(attrs=_PLAIN)
    )

    def __init__(self, channel: Channel, data: QueryDict | None = None) -> None:
        super().__init__(data, auto_id="remove-%s")
        self._name = channel.name

    def clean_name(self) -> str:
        typed: str = self.cleaned_data["name"].strip()
        if typed.lower() != self._name.lower():
            raise forms.ValidationError(
                _("This is not “%(name)s”. Nothing was removed."), params={"name": self._name}
            )
        return typed


def _stored(channel: Channel | None) -> dict[str, Any]:
    if channel is None:
        return {"levels": chosen_levels(), "kinds": chosen_kinds(), "which": "all"}
    chosen = [str(pk) for pk in channel.instances.values_list("pk", flat=True)]
    return {
        "name": channel.name,
        "levels": channel.levels,
        "kinds": channel.kinds,
        "which": "chosen" if chosen else "all",
        "instances": chosen,
        "language": channel.language,
        "time_zone": channel.time_zone,
    }


def _help_of(kind: ChannelKind, channel: Channel | None) -> str:
    if kind is ChannelKind.APPRISE:
        words = _now("As Apprise writes it, for example ntfys://ntfy.example.org/topic.")
        known = ", ".join(f"{schema}://" for schema in SERVICES)
        known = _now("It may begin with: %(known)s") % {"known": known}
    else:
        words = _now(
            "It begins with https://. Each call is signed, so the receiver knows that it comes from here."
        )
        known = ""
    keep = _now("It is stored sealed and never shown again.")
    stays = _now("Leave it empty to keep the one that is stored.") if channel is not None else ""
    between = "" if (get_language() or "").startswith("ja") else " "
    return between.join(filter(None, (words, keep, stays, known)))

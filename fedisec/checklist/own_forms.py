"""The form of an item in a team's own words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from checks.clean import clean
from checks.model import Level
from fedisec.accounts.models import Team
from fedisec.checklist.forms import DAYS, NOTE_MAX
from fedisec.checklist.models import OwnItem
from fedisec.instances.models import Instance

LEVELS = [
    (Level.REQUIRED.value, _("required")),
    (Level.RECOMMENDED.value, _("recommended")),
    (Level.OPTIONAL.value, _("optional")),
]
_ALL, _ONE = "all", "one"


class OwnItemForm(forms.Form):
    """Title, texts, level and renewal, and which instances it asks.  `team` and `instance` (None: all of the
    team's) say whose it is."""

    title = forms.CharField(
        label=_("What is true when all is well"),
        max_length=200,
        help_text=_(
            "A statement in your own words, for example “The on-call phone is charged”. "
            "It is shown as you type it, in either language."
        ),
        error_messages={"required": _("Say what is to be true.")},
    )
    where = forms.ChoiceField(label=_("Asked of"))
    level = forms.ChoiceField(label=_("Level"), choices=LEVELS, initial=Level.RECOMMENDED.value)
    renew_days = forms.TypedChoiceField(label=_("An answer holds for"), choices=DAYS, coerce=int, initial=180)
    why = forms.CharField(
        label=_("Why it matters"),
        max_length=NOTE_MAX,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    expected = forms.CharField(
        label=_("What is expected"),
        max_length=NOTE_MAX,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(
        self,
        teams: Sequence[Team],
        instances: Sequence[Instance],
        data: QueryDict | None = None,
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, auto_id="own-%s", initial=initial)
        self._teams = {team.pk: team for team in teams}
        self._instances = {instance.pk: instance for instance in instances}
        several = len(teams) > 1
        word = _("all instances of %(team)s") if several else _("all instances")
        choices = [(f"{_ALL}:{team.pk}", word % {"team": team.name}) for team in teams]
        choices += [(f"{_ONE}:{one.pk}", one.name) for one in instances]
        self.fields["where"].choices = choices  # type: ignore[attr-defined]  # a ChoiceField's

    def clean(self) -> None:
        """What others read shows what it is: no control characters, no turned direction of writing."""
        given = self.cleaned_data
        for name in ("title", "why", "expected"):
            if name in given:
                given[name] = clean(given[name], NOTE_MAX, newlines=name != "title")

    def full_clean(self) -> None:
        super().full_clean()
        for name in self.errors:
            if name in self.fields:
                self.fields[name].widget.attrs["autofocus"] = True
                return

    @property
    def team(self) -> Team:
        instance = self.instance
        return self._teams[instance.team_id if instance is not None else self._number]

    @property
    def instance(self) -> Instance | None:
        kind = self.cleaned_data["where"].partition(":")[0]
        return self._instances[self._number] if kind == _ONE else None

    @property
    def _number(self) -> int:
        return int(self.cleaned_data["where"].partition(":")[2])

    @property
    def texts(self) -> dict[str, Any]:
        """The values that are fields of the model by the same name."""
        return {name: self.cleaned_data[name] for name in ("title", "level", "renew_days", "why", "expected")}


def stored(own: OwnItem) -> dict[str, Any]:
    """What is stored, as the form shows it."""
    where = f"{_ONE}:{own.instance_id}" if own.instance_id else f"{_ALL}:{own.team_id}"
    return {
        "title": own.title,
        "where": where,
        "level": own.level,
        "renew_days": own.renew_days,
        "why": own.why,
        "expected": own.expected,
    }

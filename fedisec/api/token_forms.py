"""The form for a new token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from checks.clean import clean
from fedisec.accounts.models import Team
from fedisec.api.models import Scope

NAME_MAX = 60
DAYS = [("30", _("30 days")), ("90", _("90 days")), ("365", _("one year")), ("", _("no end (metrics only)"))]


class TokenForm(forms.Form):
    """Name, scopes, team and life.  `days` None: for ever, which metrics alone may have."""

    name = forms.CharField(
        label=_("Name"),
        max_length=NAME_MAX,
        help_text=_("What it is for, such as “backup script”. The audit trail names it with what it does."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        choices=Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one.")},
    )
    team = forms.ChoiceField(label=_("Team"), required=False)
    days = forms.TypedChoiceField(
        label=_("Valid for"), choices=DAYS, coerce=int, empty_value=None, required=False, initial="90"
    )

    def __init__(self, teams: Sequence[Team], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._teams = {str(team.pk): team for team in teams}
        every = [("", _("all of my teams"))]
        names = [(key, team.name) for key, team in self._teams.items()]
        cast(forms.ChoiceField, self.fields["team"]).choices = [*every, *names]

    def clean_name(self) -> str:
        name = clean(self.cleaned_data["name"], NAME_MAX, newlines=False).strip()
        if not name:
            raise forms.ValidationError(_("Give it a name."))
        return name

    def clean(self) -> None:
        chosen = set(self.cleaned_data.get("scopes", ()))
        if Scope.METRICS.value in chosen and len(chosen) > 1:
            self.add_error("scopes", _("A token for metrics does nothing else: make another for the rest."))
        elif chosen and Scope.METRICS.value not in chosen and self.cleaned_data.get("days") is None:
            self.add_error("days", _("Only a token for metrics may have no end."))

    @property
    def chosen_team(self) -> Team | None:
        return self._teams.get(self.cleaned_data["team"])

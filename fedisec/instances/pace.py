"""How often an instance is looked at: from outside, and from inside where that has a pace of its own."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from fedisec.instances.models import Instance

HOUR_S, DAY_S = 3600, 86_400
PACES_S = (HOUR_S, 3 * HOUR_S, 6 * HOUR_S, 12 * HOUR_S, DAY_S, 2 * DAY_S, 7 * DAY_S)


def pace_words(seconds: int) -> str:
    """ "every hour", "every 6 hours", "once a day", … in the active language."""
    if seconds == DAY_S:
        return _("once a day")
    if seconds == 7 * DAY_S:
        return _("once a week")
    if seconds >= DAY_S and seconds % DAY_S == 0:
        return ngettext("every %(count)d day", "every %(count)d days", seconds // DAY_S) % {
            "count": seconds // DAY_S
        }
    if seconds >= HOUR_S and seconds % HOUR_S == 0:
        hours = seconds // HOUR_S
        return ngettext("every hour", "every %(count)d hours", hours) % {"count": hours}
    return ngettext("every %(count)d second", "every %(count)d seconds", seconds) % {"count": seconds}


class PaceForm(forms.Form):
    """`interval_s` and `inside_interval_s` (None: with every look from outside)."""

    interval_s = forms.TypedChoiceField(
        label=gettext_lazy("A look from outside"),
        required=False,  # what is not sent stays as it is
        coerce=int,
        empty_value=None,
        help_text=gettext_lazy("Each server has its own minute, so that looks are spread evenly."),
    )
    inside_interval_s = forms.TypedChoiceField(
        label=gettext_lazy("A look from inside"),
        required=False,
        coerce=int,
        empty_value=None,
        help_text=gettext_lazy("Over SSH, once the server is connected. What is due together is one look."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._stored: Instance | None = kwargs.pop("instance", None)
        super().__init__(*args, **kwargs)
        own = {getattr(self._stored, name, None) for name in ("interval_s", "inside_interval_s")}
        paces = [(str(s), pace_words(s)) for s in sorted({*PACES_S, *(s for s in own if s)})]
        cast(forms.ChoiceField, self.fields["interval_s"]).choices = paces
        together = ("", _("with every look from outside"))
        cast(forms.ChoiceField, self.fields["inside_interval_s"]).choices = [together, *paces]

    def clean_interval_s(self) -> int | None:
        found: int | None = self.cleaned_data["interval_s"]
        return found or (self._stored.interval_s if self._stored is not None else None)

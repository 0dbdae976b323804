"""The form of what a person wants to hear, and when."""

from __future__ import annotations

from datetime import time
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from checks.model import Level
from fedisec.alerts.models import CHOSEN_KINDS, MailKind
from fedisec.alerts.recipients import Wishes

LEVELS: list[tuple[str, Promise]] = [
    (Level.REQUIRED.value, _("required items")),
    (Level.RECOMMENDED.value, _("recommended items")),
    (Level.OPTIONAL.value, _("optional items")),
]
# Each kind in plain words, and what brings such a mail.
KINDS: dict[MailKind, tuple[Promise, Promise]] = {
    MailKind.REGRESSION: (
        _("Something is no longer met"),
        _("An item was met, and two looks in a row found that it is no more."),
    ),
    MailKind.RECOVERY: (
        _("It is met again"),
        _("After a mail that said it was not."),
    ),
    MailKind.UNREACHABLE: (
        _("A server does not answer"),
        _("Nothing answered in two looks in a row; and again once it answers."),
    ),
    MailKind.FLAPPING: (
        _("Something goes to and fro"),
        _("One mail instead of many, and one when it has come to rest."),
    ),
    MailKind.BLIND: (
        _("Something cannot be checked"),
        _("Three scans in a row could not see an item."),
    ),
    MailKind.CERTIFICATE: (
        _("A certificate is about to end"),
        _("Whenever less of its life is left than there should be, and in its last days."),
    ),
    MailKind.REMINDER: (
        _("It is still not met"),
        _("Until it is met, set aside or acknowledged. How often is chosen below."),
    ),
    MailKind.ENDING: (
        _("An answer or a waiver ends"),
        _("Two weeks before, and when it is over."),
    ),
    MailKind.NEWS: (
        _("News of the software"),
        _("A new version, or a warning of a vulnerability, that concerns one of your servers."),
    ),
}
REMINDERS = [
    (0, _("never")),
    (1, _("every day")),
    (7, _("every week")),
    (30, _("every 30 days")),
]
DAYS = [
    (0, _("Monday")),
    (1, _("Tuesday")),
    (2, _("Wednesday")),
    (3, _("Thursday")),
    (4, _("Friday")),
    (5, _("Saturday")),
    (6, _("Sunday")),
]
HOURS = [(hour, f"{hour}:00") for hour in range(24)]


class _Clock(forms.TimeInput):
    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")


class WishForm(forms.Form):
    """Its fields are those of `Preference`."""

    levels = forms.MultipleChoiceField(
        label=_("Of which items"), required=False, choices=LEVELS, widget=forms.CheckboxSelectMultiple
    )
    kinds = forms.MultipleChoiceField(
        label=_("What for"),
        required=False,
        choices=[(kind.value, KINDS[kind][0]) for kind in CHOSEN_KINDS],
        widget=forms.CheckboxSelectMultiple,
    )
    reminder_days = forms.TypedChoiceField(
        label=_("Remind me of what is still not met"),
        choices=REMINDERS,
        coerce=int,
        widget=forms.RadioSelect,
    )
    remind_recommended = forms.BooleanField(label=_("Of recommended items too"), required=False)
    digest = forms.BooleanField(label=_("Send me the week"), required=False)
    digest_day = forms.TypedChoiceField(label=_("Day of the week"), choices=DAYS, coerce=int)
    digest_hour = forms.TypedChoiceField(label=_("Hour"), choices=HOURS, coerce=int)
    quiet_from = forms.TimeField(label=_("Quiet from"), required=False, widget=_Clock)
    quiet_to = forms.TimeField(label=_("Quiet until"), required=False, widget=_Clock)

    @classmethod
    def of(cls, wishes: Wishes) -> WishForm:
        """The form as it is shown first."""
        return cls(
            initial={
                "levels": sorted(wishes.levels),
                "kinds": sorted(wishes.kinds),
                "reminder_days": wishes.reminder_days,
                "remind_recommended": wishes.remind_recommended,
                "digest": wishes.digest,
                "digest_day": wishes.digest_day,
                "digest_hour": wishes.digest_hour,
                "quiet_from": wishes.quiet_from,
                "quiet_to": wishes.quiet_to,
            }
        )

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        start: time | None = found.get("quiet_from")
        end: time | None = found.get("quiet_to")
        if "quiet_from" not in self.errors and "quiet_to" not in self.errors:
            if (start is None) != (end is None):
                missing = "quiet_to" if end is None else "quiet_from"
                self.add_error(missing, _("Both times, or none for no quiet hours."))
            elif start is not None and start == end:
                self.add_error("quiet_to", _("From a time to the same time there is no quiet hour."))
        return found

    @property
    def explained(self) -> list[tuple[Any, Promise]]:
        """The boxes of `kinds`, each with what brings such a mail."""
        return [(box, KINDS[kind][1]) for box, kind in zip(self["kinds"], CHOSEN_KINDS, strict=True)]
